//! Tokens for a load: from files, and from identity providers that are real servers.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use crate::program::{Ended, bearerbench};
use crate::running::{Running, wait_for};
use crate::sandbox::Sandbox;
use crate::served::{Served, self_signed};

/// On a busy machine a generator that spins would leave the servers nothing.
const SHORT: [&str; 10] =
    ["--rate", "50", "--requests", "20", "--warmup", "0s", "--connections", "8", "--precision", "sleep"];

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:#?}"))
}

#[track_caller]
fn metric(ended: &Ended, metric: &str) -> f64 {
    json(ended)["metrics"][metric]["point"].as_f64().unwrap_or_else(|| panic!("no {metric} in {ended:#?}"))
}

/// No good token was refused.
#[track_caller]
fn nothing_wrong(ended: &Ended) {
    assert_eq!(json(ended)["metrics"]["wrong_answers"]["point"], 0.0, "{ended:#?}");
}

/// An authorization server, and a resource server that asks it about every token.
struct Pair {
    sandbox: Sandbox,
    authorization: Served,
    resource: Served,
}

impl Pair {
    fn start(lifetime: &str) -> Self {
        let sandbox = Sandbox::with("");
        let arguments = format!("authorization-server --lifetime {lifetime} --client-secret s3cret");
        let authorization = Served::bearerbench(sandbox.path(), &arguments, 3);
        let issuer = authorization.said("issuer");
        let arguments = format!(
            "resource-server --architecture introspection --authorization-server {issuer} --client-secret s3cret"
        );
        let resource = Served::bearerbench(sandbox.path(), &arguments, 1);
        Self { sandbox, authorization, resource }
    }

    fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let target = self.resource.said("resource");
        [&["load", "--target", target, "--json", "--client-secret", "s3cret"], more].concat()
    }

    fn load(&self, more: &[&str]) -> Ended {
        self.sandbox.ended(&self.arguments(more))
    }

    #[track_caller]
    fn refused(&self, more: &[&str], words: &[&str]) {
        self.sandbox.refused(&self.arguments(more)).exits(2).says(words);
    }
}

#[test]
fn tokens_come_by_the_issuer_or_the_endpoint_and_are_accepted() {
    let pair = Pair::start("10m");
    let issuer = pair.authorization.said("issuer").to_owned();
    let endpoint = format!("{issuer}/token");
    for place in [["--issuer", &issuer], ["--token-endpoint", &endpoint]] {
        let ended = pair.load(&[&place[..], &SHORT, &["--token-count", "40", "--scope", "read"]].concat());
        assert_eq!((metric(&ended, "errors"), metric(&ended, "wrong_answers")), (0.0, 0.0), "{ended:#?}");
        ended.says(&["40 tokens issued in", "40 different tokens"]);
    }
    let port = issuer.rsplit(':').next().expect("it has a port");
    let elsewhere = format!("http://localhost:{port}");
    let refused = |more: &[&str], words: &[&str]| pair.refused(&[more, &SHORT].concat(), words);
    refused(&["--issuer", &elsewhere], &["letter by letter", &issuer]);
    refused(
        &["--issuer", &format!("{issuer}/realm")],
        &["publishes no metadata", "answered 404", "openid-configuration"],
    );
    refused(&["--issuer", "http://192.0.2.1"], &["--issuer", "not on this machine", "--allow-remote"]);
    refused(&["--token-endpoint", "http://192.0.2.1/token"], &["not on this machine", "--allow-remote"]);
    refused(&["--token-endpoint", "localhost"], &["expected a URL like"]);
    refused(&["--token-endpoint", "http://127.0.0.1:70000/token"], &["--token-endpoint", "no port is 70000"]);
    refused(&["--token-endpoint", &endpoint, "--scope", "write"], &["invalid_scope", "--scope"]);
    refused(&["--token-endpoint", &endpoint, "--client-id", "else"], &["invalid_client", "--client-id"]);
    refused(&["--token-endpoint", &issuer], &["404", "no token endpoint"]);
    refused(&["--token-endpoint", &endpoint, "--token-parallel", "65"], &["from 1 to 64"]);
    refused(&["--token-endpoint", &endpoint, "--client-auth", "private_key_jwt"], &["--assertion-key"]);
}

#[test]
fn tokens_that_expire_while_the_load_runs_are_refused_before_it_or_renewed() {
    let pair = Pair::start("8s");
    let endpoint = format!("{}/token", pair.authorization.said("issuer"));
    let tokens = ["--token-endpoint", &endpoint, "--token-count", "10"];
    let load =
        ["--rate", "20", "--warmup", "1s", "--duration", "10s", "--connections", "8", "--precision", "sleep"];
    pair.refused(
        &[&tokens[..], &load].concat(),
        &["expire before the load ends", "they live for 8s", "take 11s", "--refresh"],
    );
    let ended = pair.load(&[&tokens[..], &load, &["--refresh"]].concat());
    nothing_wrong(&ended);
    assert!(!ended.stdout.contains("token expired"), "{ended:#?}");
    let renewed =
        ended.stderr.lines().find_map(|line| line.strip_suffix(" tokens were renewed during the load"));
    assert!(renewed.and_then(|count| count.parse().ok()).is_some_and(|count: u32| count >= 10), "{ended:#?}");
}

#[test]
fn refusals_of_tokens_that_nobody_renewed_are_told_apart_from_wrong_answers() {
    let sandbox = Sandbox::with("");
    let arguments = "authorization-server --signature ES256 --lifetime 5s --client-secret s3cret";
    let authorization = Served::bearerbench(sandbox.path(), arguments, 3);
    let issuer = authorization.said("issuer").to_owned();
    let arguments = format!("resource-server --architecture jwt --authorization-server {issuer}");
    let resource = Served::bearerbench(sandbox.path(), &arguments, 1);
    let load = [
        "load",
        "--target",
        resource.said("resource"),
        "--issuer",
        &issuer,
        "--client-secret",
        "s3cret",
        "--json",
    ];
    // Then it has the keys.
    let first = sandbox.ended(&[&load[..], &["--token-count", "1"], &SHORT].concat());
    nothing_wrong(&first);
    let more = [
        "--refresh",
        "--token-count",
        "4",
        "--rate",
        "20",
        "--warmup",
        "0s",
        "--duration",
        "9s",
        "--connections",
        "8",
        "--precision",
        "sleep",
    ];
    let command = bearerbench(sandbox.path(), [&load[..], &more].concat());
    let running = Running::start(command, sandbox.path());
    running.wait_for_words("How does it answer");
    drop(authorization);
    let ended = running.ended();
    ended_says(&ended, "renewals failed, the last one because");
    nothing_wrong(&ended);
    assert!(metric(&ended, "errors") > 0.0 && ended.stdout.contains("token expired"), "{ended:#?}");
}

#[test]
fn a_jwt_in_a_file_that_has_expired_is_no_wrong_answer_where_it_is_refused() {
    let sandbox = Sandbox::with("");
    let folder = sandbox.path();
    sandbox.ended(&["token", "keygen", "--alg", "ES256", "--out", "key.json"]).exits(0);
    let authorization = Served::bearerbench(folder, "authorization-server --signing-key key.json", 3);
    let issuer = authorization.said("issuer");
    let arguments = format!("resource-server --architecture jwt --authorization-server {issuer}");
    let resource = Served::bearerbench(folder, &arguments, 1);
    let issue = ["token", "issue", "--key", "key.json", "--iss", issuer, "--aud", "https://api.example/"];
    let old = sandbox.ended(&[&issue[..], &["--now", "2026-01-01T12:00:00Z"]].concat()).exits(0).stdout;
    let fresh = sandbox.ended(&issue).exits(0).stdout;
    fs::write(folder.join("tokens"), format!("{old}{fresh}")).expect("there is room");
    let load = ["load", "--target", resource.said("resource"), "--tokens", "tokens", "--json"];
    let ended = sandbox.ended(&[&load[..], &SHORT].concat());
    ended_says(&ended, "1 of 2 tokens expire before the load ends");
    assert_eq!((metric(&ended, "errors"), metric(&ended, "wrong_answers")), (0.5, 0.0), "{ended:#?}");
    assert!(ended.stdout.contains("token expired"), "{ended:#?}");
}

#[test]
fn tokens_come_from_standard_input_too() {
    let sandbox = Sandbox::with("");
    let server = Served::bearerbench(sandbox.path(), "resource-server --architecture none", 1);
    let arguments =
        [&["load", "--target", server.said("resource"), "--tokens", "-", "--json"], &SHORT[..]].concat();
    let mut command = bearerbench(sandbox.path(), arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program can be started");
    let mut stdin = child.stdin.take().expect("it was asked for");
    stdin.write_all(b"one\ntwo\nthree\n").expect("it reads");
    drop(stdin);
    let ended: Ended = child.wait_with_output().expect("it can be waited for").into();
    ended_says(&ended, "3 different tokens");
    assert_eq!(json(&ended)["requests"], 20);
}

#[track_caller]
fn ended_says(ended: &Ended, words: &str) {
    assert!(ended.stderr.contains(words), "no {words:?} in {ended:#?}");
}

#[test]
#[ignore = "needs nginx and openssl"]
fn a_token_endpoint_over_https_is_believed_by_ca_and_sees_what_was_asked_for() {
    let pair = Pair::start("10m");
    let folder = pair.sandbox.path();
    self_signed(folder, "own", "-subj /CN=localhost -addext subjectAltName=DNS:localhost");
    self_signed(folder, "client", "-subj /CN=client");
    let backend = pair.authorization.said("issuer");
    let tls = "ssl; ssl_certificate own.pem; ssl_certificate_key own.key;";
    let own = "proxy_pass http://127.0.0.1:PORT1";
    let servers = format!(
        "server {{ listen 127.0.0.1:PORT0 {tls} location /token {{ proxy_pass {backend}; }} location /static/ {{ {own}; }} }}\n\
         server {{ listen 127.0.0.1:PORT1; access_log off; location /static/bearer {{ return 200 \
         '{{\"access_token\":\"abc\",\"token_type\":\"bearer\"}}'; }} location /static/dpop {{ return 200 \
         '{{\"access_token\":\"abc\",\"token_type\":\"DPoP\"}}'; }} }}\n\
         server {{ listen 127.0.0.1:PORT2 {tls} ssl_client_certificate client.pem; ssl_verify_client on; location / \
         {{ {own}; }} }}\n"
    );
    let (_nginx, [port, _, mutual]) = Served::nginx::<3>(folder, &servers);
    let endpoint = format!("https://localhost:{port}/token");
    let bodies = || {
        let bodies = fs::read_to_string(folder.join("bodies")).expect("nginx writes it");
        bodies.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let load = |endpoint: &str, more: &[&str]| {
        pair.load(&[&["--token-endpoint", endpoint, "--ca", "own.pem"][..], &SHORT, more].concat())
    };
    let asks = [
        "--scope",
        "read",
        "--audience",
        "a",
        "--resource",
        "urn:b",
        "--resource",
        "urn:c",
        "--token-count",
        "30",
    ];
    let ended = load(&endpoint, &asks);
    assert_eq!((metric(&ended, "errors"), metric(&ended, "wrong_answers")), (0.0, 0.0), "{ended:#?}");
    let asked = "grant_type=client_credentials&scope=read&audience=a&resource=urn%3Ab&resource=urn%3Ac";
    wait_for("the log of nginx", || (bodies().len() >= 30).then_some(()));
    assert!(bodies().iter().all(|body| body == asked), "{:?}", bodies());
    // A resource server that takes "abc" is not needed to see how it is asked for.
    let form = |endpoint: &str, more: &[&str]| {
        let before = bodies().len();
        load(endpoint, &[&["--token-count", "1"], more].concat());
        wait_for("the log of nginx", || bodies().get(before).cloned())
    };
    let bearer = format!("https://localhost:{port}/static/bearer");
    assert_eq!(
        form(&bearer, &["--client-auth", "client_secret_post"]),
        "grant_type=client_credentials&client_id=bench&client_secret=s3cret"
    );
    openssl_key(folder);
    let by_key = form(&bearer, &["--assertion-key", "assertion.pem"]);
    assert!(
        by_key.contains(
            "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        ),
        "{by_key}"
    );
    let certificate =
        ["--client-cert", "client.pem", "--client-key", "client.key", "--client-auth", "tls_client_auth"];
    let mutual = format!("https://localhost:{mutual}/static/bearer");
    assert_eq!(form(&mutual, &certificate), "grant_type=client_credentials&client_id=bench");

    let refused = |endpoint: &str, more: &[&str], words: &[&str]| {
        pair.refused(&[&["--token-endpoint", endpoint][..], &SHORT, more].concat(), words);
    };
    let dpop = format!("https://localhost:{port}/static/dpop");
    refused(&dpop, &["--ca", "own.pem"], &["tokens of type \"DPoP\"", "expected \"Bearer\""]);
    refused(&bearer, &["--ca", "own.pem", "--refresh"], &["--refresh", "expires_in"]);
    refused(&endpoint, &[], &["its certificate is not trusted", "--ca FILE", "/token"]);
    refused(&endpoint.replace("https", "http"), &[], &["400"]);
    refused(
        &format!("https://localhost:{}/token", backend.rsplit(':').next().expect("a port")),
        &[],
        &["does not speak TLS"],
    );
    let ended = pair
        .load(&[&["--token-endpoint", &endpoint, "--insecure", "--token-count", "2"][..], &SHORT].concat());
    nothing_wrong(&ended);
}

fn openssl_key(folder: &std::path::Path) {
    crate::served::openssl(
        folder,
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out assertion.pem",
    );
}

#[test]
fn the_tokens_of_several_users_are_sent_as_often_as_their_weights_say() {
    let sandbox = Sandbox::with("");
    sandbox.ended(&["token", "keygen", "--alg", "ES256", "--out", "key.json"]).exits(0);
    let authorization = Served::bearerbench(sandbox.path(), "authorization-server --signing-key key.json", 3);
    let issuer = authorization.said("issuer");
    let arguments = format!("resource-server --architecture jwt --authorization-server {issuer}");
    let resource = Served::bearerbench(sandbox.path(), &arguments, 1);
    let issue = ["token", "issue", "--key", "key.json", "--iss", issuer, "--aud", "https://api.example/"];
    let good = sandbox.ended(&issue).exits(0).stdout;
    // Three requests of four are refused: one can see how often each user came.
    let users = format!("user,token,weight\n\"Doe, Jane\",stranger,3\njohn,{},1\n", good.trim());
    fs::write(sandbox.path().join("users.csv"), users).expect("there is room");
    let load = ["load", "--target", resource.said("resource"), "--tokens", "users.csv", "--json"];
    let ended = sandbox.ended(&[&load[..], &SHORT].concat());
    assert_eq!((metric(&ended, "errors"), metric(&ended, "wrong_answers")), (0.0, 15.0), "{ended:#?}");
    let zipf = [&load[..], &SHORT, &["--reuse", "zipf"]].concat();
    sandbox.refused(&zipf).exits(2).says(&["--reuse zipf", "weights", "round-robin or uniform"]);
}
