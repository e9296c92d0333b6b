//! Runs in which tokens are bound to their senders.

use serde_json::Value;

use crate::full_run::{parsed, text};
use crate::sandbox::{SMALL, Sandbox, refused};

/// Subjects whose requests travel in every way, each of which shows whose its token is.
fn over_every_wire(pace: &str) -> String {
    let subject = |number: usize, wire: &str, sender: &str| {
        format!(
            "[[subject]]\nname = \"{number}\"\narchitecture = {{ kind = \"phantom-token\", gateway = {{ ttl = \"500ms\" }} }}\n\
             signature = \"ES256\"\nwire = {wire}\nsender = {sender}\n"
        )
    };
    let subjects: Vec<String> = [
        ("{}", "\"dpop\""),
        ("{ http = \"2\" }", "{ kind = \"dpop\", algorithm = \"Ed25519\" }"),
        ("{ http = \"2\", tls = { key_exchange = \"X25519\" } }", "{ kind = \"dpop\", nonce = true }"),
        ("{ socket = \"unix\" }", "{ kind = \"dpop\", max_age = \"5s\", nonce = true }"),
        ("{ tls = { key_exchange = \"X25519MLKEM768\" } }", "\"mtls\""),
        (
            "{ http = \"2\", tls = { key_exchange = \"X25519\" }, socket = \"unix\" }",
            "{ kind = \"mtls\", algorithm = \"Ed25519\" }",
        ),
    ]
    .into_iter()
    .enumerate()
    .map(|(number, (wire, sender))| subject(number, wire, sender))
    .collect();
    let (head, _) = SMALL.split_once("[[subject]]").expect("it has subjects");
    format!("{}{}", head.replace("rate = 100", pace), subjects.concat())
}

#[test]
fn every_request_shows_whose_its_token_is_over_every_wire_in_an_open_loop_and_in_a_closed_one() {
    for pace in ["rate = 100", "closed = { think = \"10ms\" }"] {
        let sandbox = Sandbox::with(&over_every_wire(pace));
        let told = sandbox.ended(&["check", "case.toml"]).exits(0);
        assert_eq!(told.stdout.lines().filter(|line| line.starts_with("ok")).count(), 6, "{told:#?}");
        assert!(told.stdout.lines().all(|line| line.contains("0 wrong answers, 0 errors")), "{told:#?}");
    }
}

#[test]
fn a_load_that_is_longer_than_proofs_are_signed_ahead_goes_on_and_the_recording_names_the_sender() {
    let sender = "{ kind = \"dpop\", max_age = \"5s\", nonce = true }";
    let scenario =
        SMALL.replace("duration = \"1s\"", "duration = \"7s\"").replace("tokens = 2", "tokens = 0");
    let (head, _) = scenario.split_once("[[subject]]").unwrap();
    let sandbox =
        Sandbox::with(&format!("{head}[[subject]]\narchitecture = \"introspection\"\nsender = {sender}\n"));
    sandbox.run(&["--json"]).exits_as_judged(&sandbox.out(), 0);
    let trials: Vec<Value> = text(&sandbox.out().join("recording.jsonl")).lines().map(parsed).collect();
    assert_eq!(trials.len(), 1);
    let subject = &trials[0]["subject"];
    assert_eq!(subject["parts"]["sender"]["kind"], "dpop", "{subject}");
    assert_eq!(subject["name"], "introspection, dpop max_age 5s, nonce true");
    let summary = parsed(&text(&sandbox.out().join("summary.json")));
    assert_eq!(summary["subjects"][0]["sender"]["max_age"], "5s", "{summary}");
    let metrics = &summary["subjects"][0]["metrics"];
    // A header with a key, the claims, a signature of 64 bytes.
    assert!((500.0..700.0).contains(&metrics["proof.bytes"]["point"].as_f64().unwrap()), "{metrics}");
    assert_eq!(metrics["wrong_answers"]["point"], 0.0, "{metrics}");
    assert_eq!(metrics["errors"]["point"], 0.0, "{metrics}");
}

#[test]
fn certificates_stay_with_tokens_that_are_renewed_and_connections_that_are_opened_anew() {
    let (head, _) = SMALL.split_once("[[subject]]").expect("it has subjects");
    let head = head
        .replace(
            "rate = 100",
            "rate = 100\nrequests_per_connection = 5\nwire = { tls = { key_exchange = \"X25519\" } }",
        )
        .replace("duration = \"1s\"", "duration = \"2s\"");
    let churn = head.replace("[tokens]\n", "[tokens]\nchurn = 20\n");
    let refreshed = "{ kind = \"jwt-refresh\", life = \"5s\" }\nsignature = \"ES256\"";
    let subject =
        |architecture: &str| format!("[[subject]]\narchitecture = {architecture}\nsender = \"mtls\"\n");
    for scenario in
        [format!("{churn}{}", subject("\"introspection\"")), format!("{head}{}", subject(refreshed))]
    {
        let sandbox = Sandbox::with(&scenario);
        sandbox.run(&["--json"]).exits_as_judged(&sandbox.out(), 0);
        let trials: Vec<Value> = text(&sandbox.out().join("recording.jsonl")).lines().map(parsed).collect();
        assert_eq!(trials[0]["subject"]["parts"]["sender"], "mtls");
        let resumed = trials[0]["load"]["parts"]["resumed"].as_u64().expect("it is counted");
        assert!(resumed > 20, "{resumed} connections took up a session");
        let summary = parsed(&text(&sandbox.out().join("summary.json")));
        let metric = |name: &str| summary["subjects"][0]["metrics"][name]["point"].as_f64();
        assert_eq!([metric("wrong_answers"), metric("errors")], [Some(0.0); 2], "{summary}");
        // Nothing goes with a request; the certificate of a key of 32 bytes goes with a handshake.
        assert_eq!(metric("proof.bytes"), Some(0.0), "{summary}");
        let certificate = metric("certificate.bytes").expect("one is presented");
        assert!((250.0..500.0).contains(&certificate), "{certificate}");
        let [full, resumed] =
            ["connect.bytes", "connect.resumed.bytes"].map(|name| metric(name).expect("TLS"));
        assert!(full > resumed && resumed > 3.0 * certificate, "{full} {resumed}");
    }
}

#[test]
fn a_certificate_without_tls_is_refused_at_its_line_with_what_to_write() {
    refused(
        &format!("{SMALL}sender = \"mtls\"\n"),
        &[
            "case.toml:25: subject[1].sender",
            "present certificates in the TLS handshake, and load.wire has no TLS",
            "add load.wire.tls = { key_exchange = \"X25519\" }",
        ],
    );
    refused(
        &format!("{SMALL}sender = {{ kind = \"mtls\", algorithm = \"ES256\" }}\nwire = {{ http = \"2\" }}\n"),
        &[
            "case.toml:25: subject[1].sender",
            "its `wire` has no TLS",
            "add wire.tls = { key_exchange = \"X25519\" }",
        ],
    );
    refused(
        &format!("{SMALL}sender = {{ kind = \"mtls\", algorithm = \"HS256\" }}\n"),
        &["case.toml:25: subject[1].sender", "unknown variant `HS256`", "`ES256`"],
    );
}

#[test]
fn an_unknown_sender_constraint_and_an_unfit_setting_are_refused_at_their_line() {
    let with = |sender: &str| format!("{SMALL}sender = {sender}\n");
    refused(
        &with("\"dpopp\""),
        &["case.toml:25: subject[1].sender", "unknown sender constraint \"dpopp\"; did you mean \"dpop\"?"],
    );
    refused(
        &with("{ kind = \"dpop\", algorithm = \"HS256\" }"),
        &["case.toml:25: subject[1].sender", "HS256 is no asymmetric algorithm of a standard", "\"ES256\""],
    );
    refused(
        &with("{ kind = \"dpop\", nonces = true }"),
        &["case.toml:25: subject[1].sender", "unknown field `nonces`", "`nonce`"],
    );
}
