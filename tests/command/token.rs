//! Keys and tokens by hand: the round trip of the README with every scheme, and what people get wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use bearerbench::auth::token::base64url;
use bearerbench::auth::token::jwks::PrivateJwk;
use bearerbench::auth::token::signature::{SIGNATURE_SCHEMES, SignatureScheme, Status};
use bearerbench::registry::Part;
use serde_json::Value;

use crate::program::{Ended, ended, through_shell};
use crate::sandbox::Sandbox;

fn sandbox() -> Sandbox {
    Sandbox::with("")
}

/// Every signature scheme that signs, or every control of the bench.
fn names(are_controls: bool) -> Vec<&'static str> {
    let names = SIGNATURE_SCHEMES.entries.iter().map(|entry| entry.name);
    let status = |name| Part::<dyn SignatureScheme>::named(name).expect("a row").facts().status;
    let names: Vec<_> = names.filter(|name| (status(name) == Status::Control) == are_controls).collect();
    assert!(!names.is_empty());
    names
}

/// The commands of the section of the README on tokens.
fn readme_commands() -> String {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"));
    let readme = readme.expect("the README can be read");
    let (_, section) = readme.split_once("## Tokens by hand\n").expect("the section is there");
    let block = section.split("```").nth(1).expect("the section has commands");
    block.strip_prefix("text\n").expect("they are text").to_owned()
}

/// Runs a script in which `bearerbench` is the program.
fn shell(sandbox: &Sandbox, script: &str, arguments: &[&str]) -> Ended {
    let script = format!("set -e\nbearerbench() {{ \"$0\" \"$@\"; }}\n{script}");
    ended(through_shell(sandbox.path(), &script, arguments))
}

/// A key, as text.
pub(crate) fn keygen(alg: &str, more: &[&str]) -> String {
    sandbox().ended(&[&["token", "keygen", "--alg", alg], more].concat()).exits(0).stdout
}

#[test]
fn the_round_trip_of_the_readme_works_with_every_scheme() {
    let commands = readme_commands();
    for scheme in names(false) {
        let sandbox = sandbox();
        let mut commands = commands.replace("ML-DSA-65", scheme);
        let key: Value = serde_json::from_str(&keygen(scheme, &[])).unwrap();
        if key["kty"] == "oct" {
            // Without a public half the one key does both.
            commands = commands.replace(" --public public.jwk", "").replace("public.jwk", "key.jwk");
        }
        let ended = shell(&sandbox, &commands, &[]).exits(0).says(&[&format!("{scheme} key"), "kid "]);
        assert_eq!(ended.stdout.matches("accepted\n").count(), 2, "{scheme}: {ended:#?}");
        assert!(ended.stdout.contains("nothing was verified"), "{scheme}: {ended:#?}");
        let key = fs::read_to_string(sandbox.path().join("key.jwk")).unwrap();
        assert_eq!(key.lines().count(), 1, "{scheme}");
        no_secret_of(&key, &ended.stderr);
        // A token of somebody else is refused with exit code 1.
        fs::write(sandbox.path().join("stranger.jwk"), keygen(scheme, &[])).unwrap();
        let verify = "bearerbench token verify --key stranger.jwk < token.jwt";
        let refused = shell(&sandbox, verify, &[]).exits(1);
        assert!(refused.stdout.contains("refused: the token is signed with an unknown key"), "{refused:#?}");
        assert!(refused.stdout.contains("  key         FAILED:"), "{refused:#?}");
    }
}

/// Fails if a secret member of the key stands in the text.
#[track_caller]
fn no_secret_of(key: &str, text: &str) {
    let key: Value = serde_json::from_str(key).expect("a key is JSON");
    for member in ["d", "p", "q", "dp", "dq", "qi", "k", "priv"] {
        if let Some(secret) = key[member].as_str() {
            assert!(!text.contains(&secret[..secret.len().min(16)]), "{member} in {text}");
        }
    }
}

#[test]
fn a_key_in_any_format_signs_and_verifies() {
    for scheme in names(false) {
        for format in ["jwks", "pem"] {
            let sandbox = sandbox();
            let keygen = [
                "token", "keygen", "--alg", scheme, "--format", format, "--out", "key", "--public", "public",
            ];
            let made = sandbox.ended(&keygen);
            if made.code == Some(2) {
                let unknown =
                    made.stderr.contains("no public half") || made.stderr.contains("has no PEM form");
                assert!(unknown, "{made:#?}");
                continue;
            }
            made.exits(0);
            assert_eq!(mode(&sandbox.path().join("key")), 0o600, "{scheme}");
            // PEM does not say which algorithm an RSA key is for.
            let issue =
                "bearerbench token issue --alg $1 --key key --iss a --aud b --aud c --sub d --client-id e |
                 bearerbench token verify --alg $1 --key public --issuer a --audience c --scope read --json";
            let verified = shell(&sandbox, issue, &[scheme]).exits(0);
            let verdict: Value = serde_json::from_str(&verified.stdout).unwrap();
            assert_eq!(verdict["accepted"], true, "{scheme}");
            assert_eq!(verdict["claims"]["sub"], "d", "{scheme}");
            let checks = verdict["checks"].as_array().unwrap();
            assert!(checks.iter().all(|check| check["result"] == "ok"), "{checks:?}");
        }
    }
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).expect("the file is there").permissions().mode() & 0o777
}

#[test]
fn a_key_is_not_overwritten_by_accident() {
    let sandbox = sandbox();
    let keygen = ["token", "keygen", "--alg", "ES256", "--out", "key.jwk"];
    sandbox.ended(&keygen).exits(0);
    let first = fs::read_to_string(sandbox.path().join("key.jwk")).unwrap();
    sandbox.refused(&keygen).exits(2).says(&["cannot use key.jwk", "--force"]);
    sandbox
        .refused(&["token", "keygen", "--alg", "ES256", "--public", "key.jwk"])
        .exits(2)
        .says(&["--force"]);
    let both = ["token", "keygen", "--alg", "ES256", "--out", "new", "--public", "new"];
    sandbox.refused(&both).exits(2).says(&["--public", "the same file"]);
    assert_eq!(fs::read_to_string(sandbox.path().join("key.jwk")).unwrap(), first);
    fs::set_permissions(sandbox.path().join("key.jwk"), fs::Permissions::from_mode(0o644)).unwrap();
    let ended = sandbox.ended(&[&keygen[..], &["--force", "--quiet"]].concat()).exits(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    assert_ne!(fs::read_to_string(sandbox.path().join("key.jwk")).unwrap(), first);
    assert_eq!(mode(&sandbox.path().join("key.jwk")), 0o600);
}

#[test]
fn keys_that_cannot_be_used_are_refused_without_a_word_of_what_stands_in_them() {
    let sandbox = sandbox();
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
    let public = r#""kty":"EC","crv":"P-256","x":"AA","y":"AA""#;
    let cases = [
        ("empty", String::new(), "it is empty"),
        ("word", secret.to_owned(), "neither a JWK, nor a JWK Set, nor PEM"),
        ("cut", format!("{{\"kty\":\"oct\",\"k\":\"{secret}"), "not JSON"),
        ("array", format!("[\"{secret}\"]"), "neither a JWK"),
        ("no kty", format!("{{\"k\":\"{secret}\"}}"), "kty"),
        ("other kty", format!("{{\"kty\":\"XYZ\",\"alg\":\"ES256\",\"k\":\"{secret}\"}}"), "\"XYZ\""),
        ("no base64", format!("{{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"{secret}!\"}}"), "member k"),
        ("wrong type", format!("{{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":[\"{secret}\"]}}"), "member k"),
        ("secret as kty", format!("{{\"kty\":{{\"{secret}\":1}}}}"), "member kty"),
        ("no alg", format!("{{\"kty\":\"oct\",\"k\":\"{secret}\"}}"), "--alg"),
        ("short", "{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"c2VjcmV0\"}".to_owned(), "not a key for HS256"),
        ("encryption", format!("{{{public},\"use\":\"enc\",\"d\":\"{secret}\"}}"), "\"enc\""),
        ("no point", format!("{{{public},\"d\":\"{secret}\"}}"), "not a key for ES256"),
        ("unknown alg", format!("{{{public},\"alg\":\"ES999\",\"d\":\"{secret}\"}}"), "\"ES999\""),
        ("no keys", "{\"keys\":[]}".to_owned(), "holds no key"),
        ("bad keys", format!("{{\"keys\":[{{\"k\":\"{secret}\"}}]}}"), "missing field `kty`"),
        ("pem", format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----"), "PEM"),
    ];
    for (name, text, words) in cases {
        fs::write(sandbox.path().join("key"), text).unwrap();
        for command in
            [&["issue", "--key", "key", "--iss", "a", "--aud", "b"][..], &["verify", "--key", "key", "x"]]
        {
            let refused =
                sandbox.refused(&[&["token"], command].concat()).exits(2).says(&["cannot use", words]);
            assert!(!refused.stderr.contains(&secret[..8]), "{name}: {refused:#?}");
        }
    }
    for command in
        [&["issue", "--key", "gone", "--iss", "a", "--aud", "b"][..], &["verify", "--key", "gone", "x"]]
    {
        sandbox.refused(&[&["token"], command].concat()).exits(2).says(&["cannot use gone", "No such file"]);
    }
}

#[test]
fn a_key_is_used_for_what_it_is_for() {
    let sandbox = sandbox();
    sandbox.ended(&["token", "keygen", "--alg", "ES256", "--out", "key", "--public", "public"]).exits(0);
    let issue = ["token", "issue", "--iss", "a", "--aud", "b", "--key"];
    sandbox.refused(&[&issue[..], &["public"]].concat()).exits(2).says(&["public key", "private one"]);
    let other = [&issue[..], &["key", "--alg", "ML-DSA-65"]].concat();
    sandbox.refused(&other).exits(2).says(&["\"ES256\"", "\"ML-DSA-65\""]);
    let pair: Vec<Value> = (0..2).map(|_| serde_json::from_str(&keygen("ES256", &[])).unwrap()).collect();
    fs::write(sandbox.path().join("two"), serde_json::json!({ "keys": pair }).to_string()).unwrap();
    sandbox.refused(&[&issue[..], &["two"]].concat()).exits(2).says(&["2 private keys"]);
    // Of several keys the name in the header chooses.
    fs::write(sandbox.path().join("second"), pair[1].to_string()).unwrap();
    let script = "bearerbench token issue --key second --iss a --aud b | bearerbench token verify --key two";
    let verified = shell(&sandbox, script, &[]).exits(0);
    assert!(verified.stdout.contains("of 2, for \"ES256\""), "{verified:#?}");
}

#[test]
fn input_that_is_not_there_is_asked_for() {
    let sandbox = sandbox();
    fs::write(sandbox.path().join("key"), keygen("HS256", &[])).unwrap();
    sandbox.refused(&["token", "verify", "--key", "key"]).exits(2).says(&["no token", "standard input"]);
    sandbox.refused(&["token", "inspect"]).exits(2).says(&["no token", "standard input"]);
    sandbox.refused(&["token", "verify", "--key", "-"]).exits(2).says(&["give the token as an argument"]);
    sandbox
        .refused(&["token", "issue", "--key", "-", "--iss", "a", "--aud", "b"])
        .exits(2)
        .says(&["it is empty"]);
    sandbox
        .refused(&["token", "verify", "--key", "key", "--now", "soon", "x"])
        .exits(2)
        .says(&["2026-07-01T"]);
    sandbox.refused(&["token", "keygen", "--alg", "ES257"]).exits(2).says(&["did you mean \"ES256\"?"]);
    sandbox.refused(&["token", "keygen"]).exits(2).says(&["--alg"]);
}

#[test]
fn claims_are_added_but_never_twice_and_never_instead_of_an_option() {
    let sandbox = sandbox();
    fs::write(sandbox.path().join("key"), keygen("HS256", &[])).unwrap();
    fs::write(sandbox.path().join("claims.json"), r#"{"groups":["x","y"],"level":3}"#).unwrap();
    let issue = ["token", "issue", "--key", "key", "--iss", "a", "--aud", "b", "--now", "1000000000"];
    let more = [
        "--claims",
        "claims.json",
        "--claim",
        "name=Ada",
        "--claim",
        "n=[1,2]",
        "--not-before",
        "1000000000",
    ];
    let token = sandbox.ended(&[&issue[..], &more].concat()).exits(0).stdout;
    let read =
        sandbox.ended(&["token", "inspect", "--json", "--now", "1000000180", token.trim()]).exits(0).stdout;
    let read: Value = serde_json::from_str(&read).unwrap();
    let claims = &read["claims"];
    assert_eq!(claims["groups"], serde_json::json!(["x", "y"]));
    assert_eq!((&claims["name"], &claims["level"]), (&"Ada".into(), &3.into()));
    assert_eq!(claims["n"], serde_json::json!([1, 2]));
    assert_eq!((&claims["nbf"], &claims["exp"]), (&1_000_000_000.into(), &1_000_000_600.into()));
    assert_eq!(read["times"]["iat"], "iat: issued 3m ago (2001-09-09T01:46:40Z)");
    assert_eq!(read["times"]["exp"], "exp: expires in 7m (2001-09-09T01:56:40Z)");
    for (claim, words) in [
        (&["--claim", "iss=c"][..], &["\"iss\"", "--iss"][..]),
        (&["--claim", "exp=1"], &["\"exp\"", "--lifetime"]),
        (&["--claim", "x=1", "--claim", "x=2"], &["\"x\"", "twice"]),
        (&["--claims", "claims.json", "--claim", "level=2"], &["\"level\"", "twice"]),
        (&["--claim", "x"], &["\"x\"", "NAME=VALUE"]),
        (&["--claims", "key.txt"], &["cannot use key.txt"]),
    ] {
        sandbox.refused(&[&issue[..], claim].concat()).exits(2).says(words);
    }
}

#[test]
fn inspect_reads_what_can_be_read_and_nothing_in_a_token_commands_the_terminal() {
    let sandbox = sandbox();
    let part = |text: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
    };
    let inspect = |token: &str| sandbox.ended(&["token", "inspect", "--", token]).exits(0).stdout;
    assert!(inspect("mF_9.B5f-4.1JqM").starts_with("opaque: nothing can be read\n"));
    assert!(inspect("\u{1b}[2Jx").starts_with("opaque: nothing can be read\n"));
    let (header, evil) =
        (part(r#"{"alg":"none"}"#), part("{\"sub\":\"\\u001b[2J\\u202eevil\u{9b}\",\"exp\":1}"));
    let shown = inspect(&format!("{header}.{evil}."));
    assert!(shown.contains("\\u001b[2J\\u202eevil\\u009b"), "{shown}");
    assert!(shown.chars().all(|character| character == '\n' || !character.is_control()), "{shown}");
    assert!(shown.contains("alg \"none\": not signed at all") && shown.contains("exp: expired"), "{shown}");
    // Two parts, a broken header, a member that stands twice, an encrypted token.
    assert!(inspect(&format!("{header}.{evil}")).starts_with("malformed: 2 parts"));
    let twice = inspect(&format!("!!.{}.x", part(r#"{"a":1,"a":2}"#)));
    assert!(
        twice.contains("header: cannot be read") && twice.contains("member \"a\" appears twice"),
        "{twice}"
    );
    assert!(inspect(&format!("{}.a.b.c.d", part(r#"{"alg":"RSA-OAEP"}"#))).starts_with("encrypted (JWE)"));
    let padded = inspect(&format!("{header}=.{evil}=.x"));
    assert!(padded.contains("strict readers refuse it"), "{padded}");
}

#[test]
fn verify_says_which_check_failed_without_commands_for_the_terminal() {
    let sandbox = sandbox();
    let script = r#"bearerbench token keygen --alg HS256 --quiet > key
        token=$(bearerbench token issue --key key --aud b --iss "$(printf '\033[2J')")
        bearerbench token verify --key key --issuer c "$token""#;
    let refused = shell(&sandbox, script, &[]).exits(1);
    assert!(refused.stdout.starts_with("refused: the token comes from another issuer\n"), "{refused:#?}");
    let line =
        "  issuer      FAILED: \"\\u001b[2J\", where \"c\" is expected\n  audience    not checked: \"b\"\n";
    assert!(refused.stdout.contains(line), "{refused:#?}");
}

/// A token of this header and payload, rightly signed.
pub(crate) fn signed(key: &str, header: &Value, payload: &str) -> String {
    let key: PrivateJwk = serde_json::from_str(key).expect("a private key");
    let scheme = Part::<dyn SignatureScheme>::named(&key.public.alg).expect("a row");
    let message = format!("{}.{}", base64url::encode(header.to_string()), base64url::encode(payload));
    let signature = scheme.signer(&key).expect("it signs").sign(message.as_bytes()).expect("it signs");
    format!("{message}.{}", base64url::encode(signature))
}

/// What `verify --json` says.
pub(crate) fn verified(sandbox: &Sandbox, code: i32, arguments: &[&str]) -> Value {
    let said =
        sandbox.ended(&[&["token", "verify", "--json", "--key", "key"], arguments].concat()).exits(code);
    serde_json::from_str(&said.stdout).expect("JSON")
}

/// The checks that ended like this, apart by spaces.
pub(crate) fn checks(verdict: &Value, result: &str) -> String {
    let checks = verdict["checks"].as_array().expect("a list").iter();
    let names = checks
        .filter(|check| check["result"] == result)
        .map(|check| check["check"].as_str().expect("a name"));
    names.collect::<Vec<_>>().join(" ")
}

/// What Keycloak writes into an access token, in short.
const OF_A_PROVIDER: &str = r#"{"exp":4000000000,"iat":1,"jti":"j","iss":"https://as.example","aud":"account","sub":"s","typ":"Bearer","azp":"app","scope":"openid"}"#;

#[test]
fn a_token_of_another_type_has_all_its_checks_made_and_is_accepted_if_that_type_is_asked_for() {
    let sandbox = sandbox();
    let (key, other) = (keygen("ES256", &[]), keygen("ES256", &[]));
    fs::write(sandbox.path().join("key"), &key).unwrap();
    let kid = &serde_json::from_str::<Value>(&key).unwrap()["kid"];
    let header = serde_json::json!({ "alg": "ES256", "kid": kid, "typ": "JWT" });
    let token = signed(&key, &header, OF_A_PROVIDER);
    let issuer = ["--issuer", "https://as.example"];
    let verdict = verified(&sandbox, 1, &[&issuer[..], &[&token]].concat());
    assert_eq!(verdict["verdict"], "refused: the token is of another type");
    assert_eq!(checks(&verdict, "failed"), "typ claims", "client_id is missing, too: {verdict:#}");
    assert_eq!(checks(&verdict, "not-checked"), "audience scope");
    assert_eq!(checks(&verdict, "not-reached"), "");
    assert!(verdict["hint"].as_str().unwrap().contains("--typ JWT"), "{verdict:#}");
    // A signature that is not good shows although the type is another.
    let forged = signed(&other, &header, OF_A_PROVIDER);
    assert_eq!(checks(&verified(&sandbox, 1, &[&forged]), "failed"), "typ signature claims");
    let verdict = verified(&sandbox, 0, &[&issuer[..], &["--typ", "jwt", &token]].concat());
    assert_eq!(checks(&verdict, "failed"), "");
    assert_eq!(verdict["claims"]["azp"], "app", "{verdict:#}");
    assert_eq!(checks(&verified(&sandbox, 1, &["--typ", "jwt", &forged]), "failed"), "signature");
    assert_eq!(checks(&verified(&sandbox, 1, &["--typ", "", &token]), "failed"), "typ");
    let untyped = signed(&key, &serde_json::json!({ "alg": "ES256", "kid": kid }), OF_A_PROVIDER);
    verified(&sandbox, 0, &["--typ", "", &untyped]);
    assert_eq!(checks(&verified(&sandbox, 1, &["--typ", "JWT", &untyped]), "failed"), "typ");
    let late = ["--typ", "JWT", "--now", "4000000000", "--scope", "x", "--audience", "y", &token];
    assert_eq!(checks(&verified(&sandbox, 1, &late), "failed"), "audience expiry scope");
}

#[test]
fn what_is_no_token_is_called_by_its_name() {
    let sandbox = sandbox();
    let key = keygen("HS256", &[]);
    fs::write(sandbox.path().join("key"), &key).unwrap();
    let part = |text: &str| base64url::encode(text);
    let token = signed(&key, &serde_json::json!({ "alg": "HS256", "typ": "JWT" }), OF_A_PROVIDER);
    let (header, rest) = token.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let json = |members: Value| members.to_string();
    let flattened =
        json(serde_json::json!({ "protected": header, "payload": payload, "signature": signature }));
    let signature_of_many = serde_json::json!({ "protected": header, "signature": signature });
    let general = json(serde_json::json!({ "payload": payload, "signatures": [signature_of_many] }));
    let answer = json(serde_json::json!({ "access_token": token, "token_type": "Bearer" }));
    let encrypted = part(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    let jwe = json(serde_json::json!({
        "protected": encrypted, "encrypted_key": "a", "iv": "b", "ciphertext": "c", "tag": "d",
    }));
    let signed = "signed, not encrypted (JWS)";
    // What is given, what it is, what is said beside, by both commands if by `verify` at all.
    let cases = [
        (token.clone(), signed, ""),
        (format!("Bearer {token}"), signed, "\"Bearer \" belongs to the header field"),
        (format!("authorization: bearer  {token}"), signed, "\"Bearer \" belongs to the header field"),
        (format!("\"{token}\""), signed, "the quotes"),
        (flattened, signed, "JWS in JSON serialization"),
        (general, signed, "JWS in JSON serialization"),
        (answer, signed, "token endpoint"),
        (jwe, "encrypted (JWE)", "JWE in JSON serialization"),
        (format!("{encrypted}.a.b.c.d"), "encrypted (JWE)", ""),
        (format!("{encrypted}..b.c.d"), "encrypted (JWE)", ""),
        ("{}".to_owned(), "opaque", "JSON, but no token"),
        (format!("{}\n{}", &token[..9], &token[9..]), signed, "white space"),
        (format!("{} \n{}", &token[..99], &token[99..]), signed, "white space"),
        (format!("{token}\n{token}"), signed, "more stands behind"),
        (format!("DPoP {token}"), signed, "\"DPoP \" belongs to the header field"),
        (format!("\"Bearer {token}\""), signed, "the quotes"),
        (
            format!("{header}.{}.x", part("[1\n]")),
            "signed (JWS), but no JWT: its payload is JSON, but no object: [1]",
            "",
        ),
        (
            format!("{header}.{}.x", part("hello")),
            "signed (JWS), but no JWT: its payload is no JSON, but a text: \"hello\"",
            "",
        ),
        (
            format!("{header}.{}.x", part("{\"a\":")),
            "signed (JWS), but no JWT: its payload is no JSON: EOF",
            "",
        ),
        (format!("{header}..x"), "signed (JWS), but no JWT: its payload is empty", ""),
        (format!("{header}._w.x"), "signed (JWS), but no JWT: its payload is 1 bytes that are no text", ""),
        (format!("{header}.!.x"), "signed (JWS), but no JWT: its payload is no base64url", ""),
        (format!("{}.{payload}.x", part("[]")), "malformed: its header is JSON, but no object: []", ""),
        (format!("{header}.{payload}"), "malformed: 2 parts", ""),
        (header.to_owned(), "malformed: 1 part,", ""),
        (format!("{token}.x"), "malformed: 4 parts", ""),
    ];
    for (given, kind, note) in cases {
        let said = sandbox.ended(&["token", "inspect", "--", &given]).exits(0).stdout;
        assert!(said.starts_with(kind), "{given}: {said}");
        assert_eq!(said.contains("\nnote: "), !note.is_empty(), "{said}");
        let said = sandbox.ended(&["token", "inspect", "--json", "--", &given]).exits(0).stdout;
        let said: Value = serde_json::from_str(&said).unwrap();
        assert!(said["kind"].as_str().unwrap().starts_with(kind), "{said:#}");
        assert!(said["note"].as_str().unwrap_or_default().contains(note), "{said:#}");
        if !note.is_empty() {
            let verdict = verified(&sandbox, 1, &["--typ", "JWT", "--", &given]);
            assert!(verdict["hint"].as_str().unwrap_or_default().contains(note), "{verdict:#}");
        }
    }
}

#[test]
fn numbers_are_shown_and_signed_in_the_digits_in_which_they_are_written() {
    let sandbox = sandbox();
    let key = keygen("HS256", &[]);
    fs::write(sandbox.path().join("key"), &key).unwrap();
    let numbers = r#""big":123456789012345678901234567890,"huge":1e400,"exact":0.10,"list":[18446744073709551616, -0.0 ],"text":"1 , 2","exp":4000000000.50"#;
    let token = signed(&key, &serde_json::json!({ "alg": "HS256", "typ": "JWT" }), &format!("{{{numbers}}}"));
    let digits = [
        "123456789012345678901234567890",
        "1e400",
        "0.10",
        "18446744073709551616",
        "-0.0",
        "4000000000.50",
        "\"1 , 2\"",
    ];
    for json in [&[][..], &["--json"]] {
        let shown = sandbox.ended(&[&["token", "inspect", &token], json].concat()).exits(0).stdout;
        for digits in digits {
            assert!(shown.contains(digits), "no {digits} in {shown}");
        }
    }
    // What no server reads is refused for what it is; without it, the rest is shown as it is written.
    let verdict = verified(&sandbox, 1, &["--typ", "JWT", &token]);
    assert!(verdict.to_string().contains("number out of range"), "{verdict:#}");
    fs::write(sandbox.path().join("claims"), "{\"exact\": 0.10,\n\"list\": [18446744073709551616, 2]}")
        .unwrap();
    let script = "bearerbench token issue --key key --iss a --aud b --claims claims --claim big=123456789012345678901234567890 --claim n='1 2' > token
        bearerbench token verify --key key --json < token; bearerbench token inspect < token";
    let shown = shell(&sandbox, script, &[]).exits(0).stdout;
    for digits in [
        "\"exact\": 0.10",
        "18446744073709551616,",
        "\"big\": 123456789012345678901234567890",
        "\"n\": \"1 2\"",
    ] {
        assert_eq!(shown.matches(digits).count(), 2, "{digits} in {shown}");
    }
}

#[test]
fn a_token_for_nobody_and_no_token_are_called_so() {
    let sandbox = sandbox();
    let key = keygen("HS256", &[]);
    fs::write(sandbox.path().join("key"), &key).unwrap();
    let claims = OF_A_PROVIDER.replace("\"account\"", "[]");
    let token = signed(&key, &serde_json::json!({ "alg": "HS256", "typ": "JWT" }), &claims);
    for audience in [&[][..], &["--audience", "account"], &["--audience", ""]] {
        let verify = [&["token", "verify", "--typ", "JWT", "--key", "key", &token], audience].concat();
        let refused = sandbox.ended(&verify).exits(1).stdout;
        assert!(refused.contains("  audience    FAILED: [], where "), "{refused}");
    }
    for command in [&["token", "verify", "--key", "key"][..], &["token", "inspect"]] {
        for empty in ["", " ", "\n"] {
            sandbox.refused(&[command, &[empty]].concat()).exits(2).says(&["the token: it is empty"]);
        }
    }
}

/// The key of a control, and a token without a signature that it would make good.
fn control(name: &str) -> (Value, String) {
    use base64::Engine as _;
    let scheme = Part::<dyn SignatureScheme>::named(name).expect("a row");
    let key = scheme.generate().expect("a key");
    let part = |text: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text.to_string());
    let header = serde_json::json!({ "alg": name, "kid": key.public.kid, "typ": "at+jwt" });
    let claims = serde_json::json!({
        "iss": "a", "sub": "s", "aud": "b", "client_id": "c", "scope": "read", "jti": "1",
        "iat": 0, "exp": 4_000_000_000_u64,
    });
    (serde_json::to_value(&key).expect("a key is plain data"), format!("{}.{}.", part(header), part(claims)))
}

#[test]
fn a_control_of_the_bench_is_no_scheme_for_keys_and_tokens() {
    let words = "a control of the bench";
    for name in names(true) {
        let sandbox = sandbox();
        let (key, token) = control(name);
        let mut es256: Value = serde_json::from_str(&keygen("ES256", &[])).unwrap();
        fs::write(sandbox.path().join("one"), key.to_string()).unwrap();
        fs::write(sandbox.path().join("set"), serde_json::json!({ "keys": [key] }).to_string()).unwrap();
        let issue = ["token", "issue", "--iss", "a", "--aud", "b", "--key"];
        for file in ["one", "set"] {
            sandbox.refused(&[&issue[..], &[file]].concat()).exits(2).says(&[words]);
            sandbox.refused(&["token", "verify", "--key", file, &token]).exits(2).says(&[words]);
        }
        for command in [
            &["token", "keygen"][..],
            &["token", "verify", "--key", "one", &token],
            &[&issue[..], &["one"]].concat(),
        ] {
            sandbox.refused(&[command, &["--alg", name]].concat()).exits(2).says(&[words]);
        }
        for server in ["authorization-server", "resource-server"] {
            let mut serve = vec!["serve", server, "--signature", name];
            if server == "resource-server" {
                serve.extend(["--architecture", "jwt"]);
            }
            sandbox.refused(&serve).exits(2).says(&[words]);
        }
        // Among other keys it is one that is not understood, whatever name it has.
        for kid in [es256["kid"].clone(), key["kid"].clone()] {
            es256["kid"] = kid;
            let set = serde_json::json!({ "keys": [key, es256] });
            fs::write(sandbox.path().join("mixed"), set.to_string()).unwrap();
            sandbox.ended(&["token", "verify", "--key", "mixed", &token]).exits(1);
        }
    }
}

#[test]
fn a_secret_verifies_only_where_it_is_the_one_key_given() {
    let sandbox = sandbox();
    let keys = ["HS256", "ES256"].map(|alg| serde_json::from_str::<Value>(&keygen(alg, &[])).unwrap());
    let write = |name: &str, keys: &[&Value]| {
        fs::write(sandbox.path().join(name), serde_json::json!({ "keys": keys }).to_string()).unwrap();
    };
    write("secret", &[&keys[0]]);
    write("both", &[&keys[0], &keys[1]]);
    write("secrets", &[&keys[0], &keys[0]]);
    write("unknown", &[&keys[0], &serde_json::json!({ "kty": "LMS" })]);
    let issue = "bearerbench token issue --key secret --iss a --aud b > token; ";
    shell(&sandbox, &format!("{issue} bearerbench token verify --key secret < token"), &[]).exits(0);
    let verify = "bearerbench token verify --key $1 < token";
    let refused = shell(&sandbox, verify, &["both"]).exits(1);
    assert!(refused.stdout.starts_with("refused: the token is signed with an unknown key\n"), "{refused:#?}");
    for set in ["secrets", "unknown"] {
        shell(&sandbox, verify, &[set]).exits(2).says(&["the one key given"]);
    }
}
