//! A load over TLS, on servers as others set them up.

use std::fs;

use serde_json::Value;

use crate::program::Ended;
use crate::sandbox::Sandbox;
use crate::served::{Served, openssl, self_signed};

const NAMED: &str = "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1";

/// A folder with tokens, and with certificates as `openssl req -x509` makes them.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with("");
    let folder = sandbox.path();
    fs::write(folder.join("tokens"), "one\ntwo\n").expect("the folder can be written");
    self_signed(folder, "own", NAMED);
    self_signed(folder, "bare", "-subj /CN=localhost");
    self_signed(folder, "other", "-subj /CN=other.example");
    sandbox
}

/// A server of nginx over TLS that answers everything, at the port with this number.
fn block(number: usize, certificate: &str, more: &str) -> String {
    // Debian's nginx of 2022 leaves TLS 1.3 out unless it is named.
    let versions = if more.contains("ssl_protocols") { "" } else { "ssl_protocols TLSv1.2 TLSv1.3;" };
    format!(
        "server {{ listen 127.0.0.1:PORT{number} ssl; ssl_certificate {certificate}.pem; ssl_certificate_key \
         {certificate}.key; {versions} {more} location / {{ return 200 ok; }} }}\n"
    )
}

fn arguments<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let short = ["--rate", "100", "--requests", "20", "--warmup", "0s", "--connections", "2", "--json"];
    [&["load", "--target", url, "--tokens", "tokens"], &short[..], more].concat()
}

/// Everything was answered as it should be, and these words were said of the wire.
#[track_caller]
fn answered(ended: &Ended, words: &str) {
    assert!(ended.stderr.contains(words), "no {words:?} in {ended:#?}");
    let json: Value = serde_json::from_str(&ended.stdout).expect("it prints JSON");
    assert_eq!(json["metrics"]["errors"]["point"], 0.0, "{json}");
    assert_eq!(json["requests"], 20);
    assert!(json["wire"].as_str().is_some_and(|wire| wire.contains("over TLS 1.")), "{json}");
}

#[test]
#[ignore = "needs nginx and openssl"]
fn a_certificate_that_signs_itself_is_believed_where_the_server_presents_it_and_nowhere_else() {
    let sandbox = sandbox();
    let blocks = [block(0, "own", ""), block(1, "bare", ""), block(2, "other", "")].concat();
    let (_nginx, ports) = Served::nginx::<3>(sandbox.path(), &blocks);
    let bundle: String = ["other", "bare", "own"]
        .map(|name| fs::read_to_string(sandbox.path().join(format!("{name}.pem"))).expect("it was made"))
        .concat();
    fs::write(sandbox.path().join("bundle.pem"), bundle).expect("there is room");
    openssl(sandbox.path(), "x509 -in own.pem -outform der -out own.der");
    openssl(sandbox.path(), "pkcs12 -export -in own.pem -inkey own.key -passout pass: -out own.p12");
    let [own, bare, other] = ports.map(|port| format!("https://localhost:{port}/"));
    let by_address = format!("https://127.0.0.1:{}/", ports[0]);
    for (url, ca) in [
        (&own, "own.pem"),
        (&bare, "bare.pem"),
        (&own, "bundle.pem"),
        (&bare, "bundle.pem"),
        (&own, "own.der"),
        (&by_address, "own.pem"),
    ] {
        answered(&sandbox.ended(&arguments(url, &["--ca", ca])), "HTTP/1.1 over TLS 1.3 (X25519), TCP");
    }
    answered(&sandbox.ended(&arguments(&other, &["--insecure"])), "TLS 1.3");
    let refused = |url: &str, more: &[&str], words: &[&str]| {
        sandbox.refused(&arguments(url, more)).exits(2).says(words);
    };
    refused(&own, &[], &["its certificate is not trusted", "--ca FILE"]);
    refused(&own, &["--ca", "bare.pem"], &["its certificate is not trusted"]);
    refused(&other, &["--ca", "other.pem"], &["is not for \"localhost\"", "--insecure"]);
    refused(&own, &["--ca", "own.key"], &["--ca own.key", "PRIVATE KEY", "expected CERTIFICATE"]);
    refused(&own, &["--ca", "own.p12"], &["PKCS #12", "openssl pkcs12 -in own.p12"]);
}

#[test]
#[ignore = "needs nginx and openssl"]
fn a_server_with_an_older_version_or_another_curve_is_spoken_to_and_what_was_agreed_on_is_said() {
    let sandbox = sandbox();
    let blocks = [
        block(0, "own", "ssl_protocols TLSv1.2;"),
        block(1, "own", "ssl_ecdh_curve prime256v1;"),
        block(2, "own", "ssl_protocols TLSv1.2; ssl_ecdh_curve secp384r1;"),
        block(3, "own", "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-AES128-SHA256;"),
        "server { listen 127.0.0.1:PORT4; location / { return 200 ok; } }".to_owned(),
    ];
    let (_nginx, ports) = Served::nginx::<5>(sandbox.path(), &blocks.concat());
    let urls = ports.map(|port| format!("https://localhost:{port}/"));
    let load =
        |url: &str, more: &[&str]| sandbox.ended(&arguments(url, &[&["--ca", "own.pem"], more].concat()));
    answered(&load(&urls[0], &[]), "HTTP/1.1 over TLS 1.2 (X25519), TCP");
    answered(&load(&urls[1], &[]), "HTTP/1.1 over TLS 1.3 (P-256), TCP");
    answered(&load(&urls[2], &["--no-resumption"]), "TLS 1.2 (P-384, no resumption)");
    answered(&load(&urls[0], &["--key-exchange", "prime256v1"]), "TLS 1.2 (P-256)");
    let out = load(&urls[1], &["--out", "out"]);
    answered(&out, "report");
    let recorded = fs::read_to_string(sandbox.out().join("recording.jsonl")).expect("it is kept");
    assert!(recorded.contains("HTTP/1.1 over TLS 1.3 (P-256), TCP"), "{recorded}");
    let refused = |url: &str, more: &[&str], words: &[&str]| {
        sandbox.refused(&arguments(url, &[&["--ca", "own.pem"], more].concat())).exits(2).says(words);
    };
    refused(&urls[1], &["--key-exchange", "X25519"], &["accepts none of", "P-256"]);
    refused(&urls[3], &[], &["accepts none of", "AES-GCM"]);
    refused(
        &urls[4],
        &[],
        &["speaks HTTP/1.1 without TLS there, not HTTP/1.1 over TLS (no TLS came back)", "write http://"],
    );
    refused(
        &urls[0],
        &["--http", "2"],
        &["speaks HTTP/1.1 over TLS there, not HTTP/2 over TLS", "leave out --http 2"],
    );
}

#[test]
#[ignore = "needs nginx and openssl"]
fn a_server_that_asks_who_the_client_is_is_told_or_named_before_the_load() {
    let sandbox = sandbox();
    let folder = sandbox.path();
    self_signed(folder, "client", "-subj /CN=client");
    self_signed(folder, "stranger", "-subj /CN=stranger");
    let mutual = "ssl_client_certificate client.pem; ssl_verify_client on;";
    let blocks = [block(0, "own", mutual), block(1, "own", &format!("{mutual} ssl_protocols TLSv1.2;"))];
    let (_nginx, ports) = Served::nginx::<2>(folder, &blocks.concat());
    let with = |file: &'static str, key: &'static str| {
        ["--ca", "own.pem", "--client-cert", file, "--client-key", key]
    };
    for port in ports {
        let url = format!("https://localhost:{port}/");
        answered(&sandbox.ended(&arguments(&url, &with("client.pem", "client.key"))), "over TLS 1.");
        sandbox
            .ended(&arguments(&url, &["--ca", "own.pem"]))
            .says(&["asked for a certificate", "--client-cert"]);
    }
    // One that a CA signed as most people have it done: of X.509 version 1, as long as nobody asks for extensions.
    openssl(
        folder,
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -keyout old.key -subj /CN=old -out old.csr",
    );
    openssl(
        folder,
        "x509 -req -in old.csr -CA client.pem -CAkey client.key -CAcreateserial -days 2 -out old.pem",
    );
    let url = format!("https://localhost:{}/", ports[0]);
    answered(&sandbox.ended(&arguments(&url, &with("old.pem", "old.key"))), "over TLS 1.");
    // One that ends the handshake, rather than answering with a status.
    for (version, number) in [("-tls1_3", 0), ("-tls1_2", 1)] {
        let own = "-cert own.pem -key own.key -CAfile client.pem -Verify 1 -verify_return_error -www -quiet";
        let own = own.replace(" -quiet", "");
        let (_openssl, port) = Served::openssl(folder, &format!("{own} {version}"));
        let url = format!("https://localhost:{port}/");
        let refused = |more: &[&str], words: &[&str]| {
            let ended = sandbox.refused(&arguments(&url, more)).exits(2);
            assert_eq!(ended.stderr.trim().lines().count(), 1, "{number}: {ended:#?}");
            ended.says(words);
        };
        refused(&["--ca", "own.pem"], &["wants a certificate of the client", "--client-cert FILE"]);
        refused(&with("stranger.pem", "stranger.key"), &["refuses the certificate of the client"]);
    }
    let refused = |more: &[&str], words: &[&str]| {
        sandbox.refused(&arguments("https://localhost:1/", more)).exits(2).says(words);
    };
    refused(&["--client-cert", "client.pem"], &["--client-cert client.pem", "--client-key"]);
    refused(&with("client.pem", "own.key"), &["cannot be used together"]);
    refused(&["--client-key", "client.key"], &["--client-cert"]);
}
