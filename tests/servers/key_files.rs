//! Keys from files: the old and the new one side by side, and secrets that both sides know.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bearerbench::auth::token::jwks::PrivateJwk;
use bearerbench::auth::token::signature::{SIGNATURE_SCHEMES, SignatureScheme};
use bearerbench::registry::Part;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{PATIENCE, get};
use crate::server::Server;

/// Files that are gone when this is dropped.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path: PathBuf = self.0.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    }

    /// The file of a fresh key.
    fn key(&self, name: &str, alg: &str) -> String {
        let key = Part::<dyn SignatureScheme>::named(alg).expect("registered").generate().expect("a key");
        self.file(name, serde_json::to_vec(&key).expect("plain data"))
    }
}

fn published(server: &Server) -> Vec<Value> {
    let set = get(server.address, "/jwks", &[]).expect(200).json();
    set["keys"].as_array().expect("a key set").clone()
}

#[test]
fn tokens_of_the_old_and_the_new_key_are_accepted_until_the_old_one_is_no_longer_published() {
    let folder = Folder::new();
    let (old_key, new_key) = (folder.key("old", "ES256"), folder.key("new", "ML-DSA-65"));
    let before = Server::authorization(&["--signing-key", &old_key]);
    let (address, old) = (before.address.to_string(), before.token());
    before.stop();

    let overlap =
        Server::authorization_on(&address, &["--signing-key", &new_key, "--also-publish", &old_key]);
    let new = overlap.token();
    let keys = published(&overlap);
    assert_eq!(keys.len(), 2);
    for private in ["d", "priv"] {
        assert!(keys.iter().all(|key| key.get(private).is_none()), "{private} is published");
    }
    let resource = Server::resource("{ kind = \"jwt\", refresh = \"1s\" }", &overlap, &[]);
    for token in [&old, &new] {
        resource.resource_with(token).expect(200);
        assert_eq!(overlap.introspect(token)["active"], true);
    }
    overlap.revoke(&old);
    assert_eq!(overlap.introspect(&old)["active"], false);
    overlap.stop();

    let after = Server::authorization_on(&address, &["--signing-key", &new_key]);
    assert_eq!(after.introspect(&old)["active"], false);
    let begun = Instant::now();
    while resource.resource_with(&old).status == 200 {
        assert!(begun.elapsed() < PATIENCE, "the old key is still trusted");
        resource.resource_with(&new).expect(200);
        thread::sleep(Duration::from_millis(50));
    }
    resource.resource_with(&old).expect(401);
    resource.resource_with(&new).expect(200);
}

#[test]
fn a_set_of_keys_is_published_with_its_public_halves() {
    let folder = Folder::new();
    let keys: Vec<Value> = ["ES256", "ML-DSA-65"]
        .map(|alg| Part::<dyn SignatureScheme>::named(alg).unwrap().generate().unwrap())
        .iter()
        .map(|key: &PrivateJwk| serde_json::to_value(key).unwrap())
        .collect();
    let set = folder.file("set", json!({ "keys": keys }).to_string());
    let server = Server::authorization(&["--signature", "ES256", "--also-publish", &set]);
    let published = published(&server);
    assert_eq!(published.len(), 3);
    for (published, key) in published[1..].iter().zip(&keys) {
        assert_eq!(published["kid"], key["kid"]);
        assert!(published.get("d").is_none() && published.get("priv").is_none(), "{published}");
    }
}

/// No path around the command line either: a run tells its servers on standard input.
#[test]
fn private_members_of_no_scheme_reach_the_key_set_whoever_hands_them_in() {
    let key = |alg| -> PrivateJwk { Part::<dyn SignatureScheme>::named(alg).unwrap().generate().unwrap() };
    let signing = key("ES256");
    let others: Vec<PrivateJwk> = SIGNATURE_SCHEMES.entries.iter().map(|entry| key(entry.name)).collect();
    let mut handed_in: Vec<&PrivateJwk> = others.iter().collect();
    handed_in.extend([&signing, &others[3], &others[3]]);
    let more = json!({ "signature": "ES256", "signing_key": signing, "also_publish": handed_in });
    let server = Server::told(&["bench"], more);
    let published = published(&server);
    // What has no public half is not there at all, and nothing stands there twice.
    let public = others.iter().filter(|key| key.public.material.is_public());
    let expected: Vec<&str> = [&signing].into_iter().chain(public).map(|key| &*key.public.kid).collect();
    let kids: Vec<&str> = published.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(kids, expected);
    assert!(expected.len() + 2 <= others.len(), "some key is a secret");
    for key in &published {
        for private in ["d", "p", "q", "dp", "dq", "qi", "k", "priv"] {
            assert!(key.get(private).is_none(), "{private} of {} is published", key["alg"]);
        }
    }
    assert_eq!(server.introspect(&server.token())["active"], true);
}

#[test]
fn a_shared_secret_verifies_where_it_is_known_and_is_not_published() {
    let folder = Folder::new();
    let secret = folder.key("secret", "HS256");
    let authorization = Server::authorization(&["--signing-key", &secret]);
    assert_eq!(published(&authorization), Vec::<Value>::new());
    let token = authorization.token();
    for library in ["bearerbench", "jsonwebtoken", "jsonwebtoken-rust-crypto"] {
        let jwt = format!("{{ kind = \"jwt\", library = \"{library}\" }}");
        let knowing = ["--shared-key", &secret, "--signature", "HS256"];
        Server::resource(&jwt, &authorization, &knowing).resource_with(&token).expect(200);
        let other = folder.key("other", "HS256");
        let strange = ["--shared-key", &other];
        Server::resource(&jwt, &authorization, &strange).resource_with(&token).expect(401);
        Server::resource(&jwt, &authorization, &[]).resource_with(&token).expect(401);
    }
}

/// Ends at once, and says why.
fn failing(arguments: &[&str]) -> String {
    let ended = Command::new(env!("CARGO_BIN_EXE_bearerbench"))
        .arg("serve")
        .args(arguments)
        .args(["--listen", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .output()
        .expect("the program can be started");
    assert_eq!(ended.status.code(), Some(2), "{arguments:?}");
    assert!(ended.stdout.is_empty());
    String::from_utf8(ended.stderr).expect("UTF-8")
}

#[test]
fn a_key_file_that_does_not_fit_is_told_without_what_is_in_it() {
    const SECRET: &str = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA";
    let folder = Folder::new();
    let sign = "authorization-server --signing-key";
    let publish = "authorization-server --signature ES256 --also-publish";
    let share = "resource-server --architecture jwt --shared-key";
    let oct = json!({ "kty": "oct", "alg": "HS256", "k": SECRET });
    let ec = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "x": "AQ", "y": "AQ", "d": SECRET });
    let none = json!({ "kty": "none", "alg": "none", "kid": "none" }).to_string();
    let cases = [
        (sign, format!("{SECRET:?}"), "is not a private key as a JWK"),
        (sign, SECRET.to_owned(), "is not a private key as a JWK"),
        (sign, json!({ "kty": SECRET, "d": SECRET }).to_string(), "is not a private key as a JWK"),
        (sign, json!({ "kty": "oct", "k": SECRET }).to_string(), "is not a private key as a JWK"),
        (sign, none.clone(), "a control of the bench"),
        (publish, none.clone(), "a control of the bench"),
        (share, none, "a control of the bench"),
        (sign, ec.to_string(), "cannot sign with ES256"),
        (sign, json!({ "kty": "oct", "alg": "X", "k": SECRET }).to_string(), "which no scheme here uses"),
        (publish, oct.to_string(), "holds a secret that cannot be published"),
        (publish, json!({ "keys": [oct.clone()] }).to_string(), "holds a secret that cannot be published"),
        (publish, json!({ "keys": SECRET }).to_string(), "is not a key or a set of keys"),
        (publish, ec.to_string(), "not a key for ES256"),
        (share, json!({ "kty": "oct", "alg": "HS256", "k": "AAAA" }).to_string(), "cannot verify with HS256"),
    ];
    for (command, content, words) in cases {
        let file = folder.file("key", &content);
        let said = failing(&[&command.split(' ').collect::<Vec<_>>()[..], &[&file]].concat());
        assert!(said.contains(words) && said.contains(&file), "{content}: no {words:?} in {said}");
        assert!(!said.contains(SECRET), "{said}");
    }
    let said = failing(&["authorization-server", "--signing-key", "/nowhere/key"]);
    assert!(said.contains("cannot use the key in /nowhere/key: No such file"), "{said}");
    let said = failing(&["authorization-server", "--also-publish", &folder.key("key", "ES256")]);
    assert!(said.contains("--also-publish needs --signature"), "{said}");
    let es256 = folder.key("es256", "ES256");
    let said = failing(&["authorization-server", "--signature", "ML-DSA-65", "--signing-key", &es256]);
    assert!(said.contains("it is a key for \"ES256\", expected one for ML-DSA-65"), "{said}");
}

#[test]
fn a_library_that_does_not_know_the_scheme_is_told_before_anything_is_served() {
    let jwt = "{ kind = \"jwt\", library = \"jsonwebtoken\" }";
    let said = failing(&["resource-server", "--architecture", jwt, "--signature", "ML-DSA-65"]);
    assert!(said.contains("jsonwebtoken cannot read tokens with alg \"ML-DSA-65\""), "{said}");
}
