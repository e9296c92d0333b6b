//! Runs in which tokens are bound to their senders.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bearerbench::wire::{CertificateKey, client_identity};
use serde_json::Value;

use crate::full_run::{parsed, text};
use crate::sandbox::{SMALL, Sandbox, refused};
use crate::served::Served;

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

/// The certificate of a client and its key, in one file.
fn pem(name: &str) -> String {
    let identity = client_identity(name, CertificateKey::ES256).expect("a certificate");
    let block = |label: &str, der: &[u8]| {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
    };
    block("CERTIFICATE", identity.certificate()) + &block("PRIVATE KEY", &identity.key)
}

#[test]
fn servers_by_themselves_issue_and_take_tokens_that_are_bound_to_the_certificate_of_a_client() {
    let sandbox = Sandbox::with("");
    let folder = sandbox.path();
    let secret = "--client-secret s3cret";
    let issuing = "--sender mtls --mtls-listen 127.0.0.1:0 --write-certificate issuer.pem";
    let authorization = Served::bearerbench(folder, &format!("authorization-server {issuing} {secret}"), 4);
    let issuer = authorization.said("issuer");
    let endpoint = authorization.said("mtls_token_endpoint");
    let taking = "--sender mtls --tls X25519 --write-certificate resource.pem";
    let arguments = format!(
        "resource-server --architecture introspection --authorization-server {issuer} {taking} {secret}"
    );
    let resource = Served::bearerbench(folder, &arguments, 2);
    fs::write(folder.join("own.pem"), pem("bench")).expect("there is room");
    let trusted = ["issuer.pem", "resource.pem"].map(|name| text(&folder.join(name))).concat();
    fs::write(folder.join("trusted.pem"), trusted).expect("there is room");
    let short =
        "--rate 50 --requests 20 --warmup 0s --connections 2 --precision sleep --token-count 10 --json";
    let load = format!("load --target {} {secret} --ca trusted.pem {short}", resource.said("resource"));
    let load: Vec<&str> = load.split(' ').collect();
    let own = ["--token-endpoint", endpoint, "--client-cert", "own.pem"];
    let ended = sandbox.ended(&[&load[..], &own].concat());
    let told = parsed(&ended.stdout);
    for metric in ["errors", "wrong_answers"] {
        assert_eq!(told["metrics"][metric]["point"], 0.0, "{ended:#?}");
    }
    // Without a certificate there are no tokens, and it is said where there are.
    for place in [["--token-endpoint", endpoint], ["--issuer", issuer]] {
        let refused = sandbox.refused(&[&load[..], &place].concat());
        refused.says(&["presented no certificate on this connection", "mtls_endpoint_aliases"]);
    }
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
