//! Keys as people have them: from other tools, in sets of strangers, damaged. Each is read, or refused with its cause, what
//! was found and what was expected, and the file.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::program::{Ended, ended, through_shell};
use crate::sandbox::Sandbox;

/// A folder in which commands read and write keys.
pub(crate) struct Keys(pub(crate) Sandbox);

pub(crate) const ISSUE: [&str; 7] = ["token", "issue", "--iss", "a", "--aud", "b", "--key"];
pub(crate) const VERIFY: [&str; 3] = ["token", "verify", "--key"];

impl Keys {
    pub(crate) fn new() -> Self {
        Self(Sandbox::with(""))
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.0.path().join(name), content).expect("the folder can be written");
    }

    /// A fresh key pair of this scheme.
    fn made(&self, alg: &str) -> Value {
        let keygen = ["token", "keygen", "--quiet", "--alg", alg];
        serde_json::from_str(&self.0.ended(&keygen).exits(0).stdout).expect("a key is JSON")
    }

    /// Runs a script in which `bearerbench` is the program.
    pub(crate) fn shell(&self, script: &str) -> Ended {
        let script = format!("set -e\nbearerbench() {{ \"$0\" \"$@\"; }}\n{script}");
        ended(through_shell(self.0.path(), &script, [""; 0]))
    }

    #[track_caller]
    fn issue(&self, key: &str, more: &[&str]) -> String {
        self.0.ended(&[&ISSUE[..], &[key], more].concat()).exits(0).stdout.trim().to_owned()
    }

    #[track_caller]
    pub(crate) fn issue_refused(&self, key: &str, words: &[&str]) {
        self.0.refused(&[&ISSUE[..], &[key]].concat()).exits(2).says(&[&["cannot use", key], words].concat());
    }

    #[track_caller]
    pub(crate) fn verify_refused(&self, key: &str, words: &[&str]) {
        self.0
            .refused(&[&VERIFY[..], &[key, "x"]].concat())
            .exits(2)
            .says(&[&["cannot use", key], words].concat());
    }

    /// Whether `verify` accepts a token that `issue` makes with this key.
    #[track_caller]
    pub(crate) fn signs_and_verifies(&self, private: &str, public: &str, more: &[&str]) {
        let token = self.issue(private, more);
        self.0.ended(&[&VERIFY[..], &[public, &token], more].concat()).exits(0);
    }
}

fn bytes(key: &Value, member: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(key[member].as_str().expect("a text")).expect("base64url")
}

fn with(key: &Value, member: &str, value: impl Into<Value>) -> Value {
    let mut key = key.clone();
    key[member] = value.into();
    key
}

fn with_bytes(key: &Value, member: &str, change: impl FnOnce(&mut Vec<u8>)) -> Value {
    let mut changed = bytes(key, member);
    change(&mut changed);
    with(key, member, URL_SAFE_NO_PAD.encode(changed))
}

#[test]
fn a_private_key_that_does_not_make_its_public_one_signs_nothing() {
    let keys = Keys::new();
    let check = |name: &str, key: &Value, more: &[&str], words: &[&str]| {
        keys.write(name, key.to_string());
        keys.0
            .refused(&[&ISSUE[..], &[name], more].concat())
            .exits(2)
            .says(&[&["cannot use", name], words].concat());
    };
    for (alg, other) in
        [("SLH-DSA-SHA2-128s", "SLH-DSA-SHA2-128f"), ("SLH-DSA-SHA2-128f", "SLH-DSA-SHA2-128s")]
    {
        let key = keys.made(alg);
        let seed = with_bytes(&key, "priv", |private| private[0] ^= 1);
        // Of what makes signing random nothing is in the root; 128s and 128f have keys of the same form.
        let renamed = with(&key, "alg", other);
        for library in ["rust-crypto", "fips205"] {
            let library = |alg: &str| format!("{{ kind = \"{alg}\", library = \"{library}\" }}");
            check("seed", &seed, &["--alg", &library(alg)], &["\"priv\" do not make its public root"]);
            check("renamed", &renamed, &["--alg", &library(other)], &["do not make its public root"]);
        }
        check("seed", &seed, &[], &["do not make its public root"]);
    }
    for alg in ["FN-DSA-512", "FN-DSA-1024"] {
        let key = keys.made(alg);
        let length = bytes(&key, "priv").len();
        let f_capital = length - 64 - if alg == "FN-DSA-512" { 512 } else { 1_024 };
        for bit in [0x01, 0x40] {
            let flipped = with_bytes(&key, "priv", |private| private[f_capital + 100] ^= bit);
            check("F", &flipped, &[], &["f, g and F", "are no key"]);
        }
        let zero = with_bytes(&key, "priv", |private| private[f_capital..length - 64].fill(0));
        check("zero", &zero, &[], &["f, g and F", "are no key"]);
        let f = with_bytes(&key, "priv", |private| private[1] ^= 4);
        check("f", &f, &[], &["its private half does not belong to its public one"]);
        let hash = with_bytes(&key, "priv", |private| private[length - 1] ^= 1);
        check("hash", &hash, &[], &["the hash at the end of its member \"priv\" is not that of \"pub\""]);
        let short = with_bytes(&key, "priv", |private| private.truncate(length - 1));
        let (found, expected) = (length - 1, length - 64);
        check("short", &short, &[], &[&format!("has {found} bytes, expected {expected}, or {length} with")]);
        let mixed = with(&key, "pub", keys.made(alg)["pub"].clone());
        check("mixed", &mixed, &[], &["is not that of \"pub\""]);
    }
}

/// draft-ietf-cose-falcon has these names since its revision 03; earlier revisions had others.
#[test]
fn fn_dsa_keys_have_the_names_of_the_newest_draft_and_are_read_by_its_earlier_ones() {
    let keys = Keys::new();
    for (alg, old) in [("FN-DSA-512", "FALCON512"), ("FN-DSA-1024", "FALCON1024")] {
        let key = keys.made(alg);
        assert_eq!((&key["alg"], &key["kty"]), (&alg.into(), &"AKP".into()));
        keys.write("key", key.to_string());
        keys.write("old", with(&key, "alg", old).to_string());
        keys.signs_and_verifies("key", "old", &[]);
        keys.signs_and_verifies("old", "key", &[]);
        let token = keys.issue("old", &[]);
        let header =
            URL_SAFE_NO_PAD.decode(token.split('.').next().expect("a first part")).expect("base64url");
        assert_eq!(serde_json::from_slice::<Value>(&header).expect("JSON")["alg"], alg);
    }
}

#[test]
fn two_keys_of_one_name_and_one_algorithm_are_refused_by_it() {
    let keys = Keys::new();
    let [one, two] = [keys.made("ES256"), keys.made("ES256")].map(|key| with(&key, "kid", "same"));
    let ed25519 = with(&keys.made("Ed25519"), "kid", "same");
    let set = |name: &str, set: &[&Value]| keys.write(name, json!({ "keys": set }).to_string());
    set("two", &[&one, &two]);
    keys.verify_refused("two", &["two keys", "\"same\"", "\"ES256\"", "a name of its own"]);
    keys.issue_refused("two", &["two keys", "\"same\""]);
    for (name, key) in [("one", &one), ("ed25519", &ed25519)] {
        keys.write(name, key.to_string());
    }
    // The same key twice is one; another algorithm tells keys apart.
    set("twice", &[&one, &one]);
    set("mixed", &[&one, &ed25519]);
    for (key, set) in [("one", "twice"), ("one", "mixed"), ("ed25519", "mixed")] {
        keys.signs_and_verifies(key, set, &[]);
    }
    keys.signs_and_verifies("twice", "one", &[]);
}

#[test]
fn a_key_is_used_for_what_use_and_key_ops_say_and_with_two_primes() {
    let keys = Keys::new();
    let key = keys.made("ES256");
    keys.write("good", key.to_string());
    let token = keys.issue("good", &[]);
    let verify = |name: &str| keys.0.ended(&[&VERIFY[..], &[name, &token]].concat());
    let ops = |ops: &[&str]| with(&key, "key_ops", ops);
    keys.write("signs", ops(&["sign"]).to_string());
    keys.issue("signs", &[]);
    verify("signs").exits(0);
    keys.write("both", ops(&["sign", "verify"]).to_string());
    keys.issue("both", &[]);
    keys.write("verifies", ops(&["verify"]).to_string());
    keys.issue_refused("verifies", &["\"key_ops\" [\"verify\"], expected \"sign\""]);
    verify("verifies").exits(0);
    for found in [&["deriveKey"][..], &["encrypt", "decrypt"], &[]] {
        keys.write("other", ops(found).to_string());
        keys.issue_refused("other", &["\"key_ops\"", "expected \"sign\""]);
        keys.verify_refused("other", &["\"key_ops\"", "expected \"verify\""]);
    }
    keys.write("enc", with(&key, "use", "enc").to_string());
    keys.issue_refused("enc", &["\"use\" \"enc\", expected \"sig\""]);
    keys.verify_refused("enc", &["\"use\" \"enc\", expected \"sig\""]);
    let mut public = ops(&["sign"]);
    public.as_object_mut().expect("an object").remove("d");
    keys.write("public", public.to_string());
    keys.verify_refused("public", &["\"key_ops\" [\"sign\"], expected \"verify\""]);
    let secret = with(&keys.made("HS256"), "key_ops", &["sign"][..]);
    keys.write("secret", secret.to_string());
    keys.issue("secret", &[]);
    keys.verify_refused("secret", &["\"key_ops\" [\"sign\"], expected \"verify\""]);
    let rsa = keys.made("RS256");
    keys.write("oth", with(&rsa, "oth", json!([{ "r": "AQ", "d": "AQ", "t": "AQ" }])).to_string());
    keys.issue_refused("oth", &["more than two primes (\"oth\")"]);
    keys.verify_refused("oth", &["more than two primes (\"oth\")"]);
}

#[test]
fn a_key_that_does_not_fit_is_refused_with_what_was_found_and_expected() {
    let keys = Keys::new();
    let [ec, ed, rsa, hmac, pq] =
        ["ES256", "Ed25519", "RS256", "HS256", "ML-DSA-44"].map(|alg| keys.made(alg));
    let long = |bytes: usize| URL_SAFE_NO_PAD.encode(vec![0xff; bytes]);
    // Whatever the private half is.
    let either = [
        ("rsa-1024", with(&rsa, "n", long(128)), "its modulus has 1024 bits, expected 2048 to 8192"),
        ("rsa-e", with(&rsa, "e", "AQ"), "its exponent is 1, expected an odd number from 3"),
        ("rsa-even", with(&rsa, "e", "AQAA"), "its exponent is 65536, expected an odd number"),
        ("rsa-long-e", with(&rsa, "e", long(9)), "its exponent is of 9 bytes, expected"),
        ("rsa-zero", with_bytes(&rsa, "n", |n| n.insert(0, 0)), "\"n\" is empty or begins with a zero byte"),
        ("rsa-even-n", with_bytes(&rsa, "n", |n| n[255] &= 0xfe), "its member \"n\" is no modulus"),
        (
            "hmac",
            with(&hmac, "k", long(31)),
            "its secret has 31 bytes, expected at least 32 (RFC 7518 section 3.2)",
        ),
        ("ec-point", with_bytes(&ec, "x", |x| x[31] ^= 1), "\"x\" and \"y\" are no point of P-256"),
        ("ec-short", with_bytes(&ec, "y", |y| y.truncate(31)), "its member \"y\" has 31 bytes, expected 32"),
        ("ec-alg", with(&ec, "alg", "ES384"), "its curve is \"P-256\", expected \"P-384\""),
        (
            "ec-curve",
            with(&ec, "crv", "secp256k1"),
            "\"secp256k1\", which is not supported; supported: P-256, P-384",
        ),
        ("ed-curve", with(&ed, "crv", "Ed448"), "\"Ed448\", which is not supported; supported: Ed25519"),
        ("ed-short", with(&ed, "x", long(31)), "its member \"x\" has 31 bytes, expected 32"),
        ("ed-point", with_bytes(&ed, "x", |x| x.fill(2)), "its member \"x\" is no point of the curve"),
        ("pq-short", with_bytes(&pq, "pub", |x| x.truncate(7)), "\"pub\" has 7 bytes, expected 1312"),
        ("type", with(&ec, "alg", "RS256"), "its type is \"EC\", expected \"RSA\""),
        ("unknown", with(&ec, "alg", "ES256K"), "no signature scheme is called \"ES256K\""),
        ("base64", with(&ec, "x", "A=="), "member x at line 1 column"),
        ("number", with(&ec, "x", 5), "wrong type, expected"),
    ];
    for (name, key, words) in &either {
        keys.write(name, key.to_string());
        keys.issue_refused(name, &[words]);
        keys.verify_refused(name, &[words]);
    }
    let halves = "its private half does not belong to its public one";
    let mut without_crt = rsa.clone();
    for member in ["p", "q", "dp", "dq", "qi"] {
        without_crt.as_object_mut().expect("an object").remove(member);
    }
    let private = [
        ("ec-halves", with(&ec, "d", keys.made("ES256")["d"].clone()), halves),
        ("ec-d", with(&ec, "d", "AQ"), "its member \"d\" has 1 bytes, expected 32"),
        ("ed-halves", with(&ed, "d", keys.made("Ed25519")["d"].clone()), halves),
        ("rsa-halves", with(&rsa, "d", keys.made("RS256")["d"].clone()), halves),
        ("rsa-crt", without_crt, "lacks its private members p, q, dp, dq, qi"),
        ("pq-halves", with(&pq, "priv", keys.made("ML-DSA-44")["priv"].clone()), halves),
        ("pq-expanded", with(&pq, "priv", long(2_560)), "\"priv\" has 2560 bytes, expected 32"),
    ];
    for (name, key, words) in &private {
        keys.write(name, key.to_string());
        keys.issue_refused(name, &[words]);
    }
}

#[test]
fn a_key_of_a_set_that_cannot_be_used_is_told_where_a_token_calls_it() {
    let keys = Keys::new();
    let mut made: Vec<Value> = (0..2).map(|_| keys.made("ES256")).collect();
    made[0]["kid"] = "wanted".into();
    keys.write("wanted", made[0].to_string());
    let token = keys.issue("wanted", &[]);
    let causes = [
        (with(&made[0], "use", "enc"), "\"wanted\" is in the set, but cannot be used: a key for another use"),
        (with(&made[0], "kty", "LMS"), "cannot be used: unknown key type \"LMS\""),
        (with(&made[0], "x", "=="), "cannot be used: member x at line 1 column"),
        (with(&made[0], "crv", "P-521"), "cannot be used: a key of type \"EC\" on the curve \"P-521\""),
        (with_bytes(&made[0], "x", |x| x[0] ^= 1), "cannot be used: not a key for ES256: "),
        (with(&keys.made("HS256"), "kid", "wanted"), "a secret counts only where it is the one key given"),
        (with(&made[0], "alg", "ES512"), "no signature scheme is called \"ES512\""),
        (json!({ "kty": "LMS" }), "one without a name cannot: unknown key type \"LMS\""),
    ];
    for (key, words) in causes {
        keys.write("set", json!({ "keys": [made[1], key] }).to_string());
        let refused = keys.0.ended(&[&VERIFY[..], &["set", &token]].concat()).exits(1);
        let told = |text: &str| assert!(text.contains(words), "{words:?} is not in {text}");
        told(&refused.stdout);
        assert!(
            refused.stdout.starts_with("refused: the token is signed with an unknown key\n"),
            "{refused:#?}"
        );
        let json = keys.0.ended(&[&VERIFY[..], &["set", "--json", &token]].concat()).exits(1).stdout;
        let json: Value = serde_json::from_str(&json).expect("JSON");
        told(&json.to_string().replace("\\\"", "\""));
    }
    // One that cannot be used is no hindrance to the others, and several are all told.
    keys.write("one", made[1].to_string());
    keys.signs_and_verifies("one", "set", &[]);
    keys.write(
        "none",
        json!({ "keys": [{ "kty": "LMS", "kid": "a" }, with(&made[0], "use", "enc")] }).to_string(),
    );
    keys.verify_refused(
        "none",
        &["no key of the set", "\"a\": unknown key type", "\"wanted\": a key for another use"],
    );
}

#[test]
fn a_byte_order_mark_is_taken_wherever_a_text_is_read() {
    let keys = Keys::new();
    let key = keys.made("ES256");
    let marked = |text: &str| format!("\u{feff}{text}\r\n");
    keys.write("jwk", marked(&key.to_string()));
    keys.write("jwks", marked(&json!({ "keys": [key] }).to_string()));
    keys.write("claims", marked(r#"{"tenant":7}"#));
    let pem = ["token", "keygen", "--quiet", "--alg", "ES256", "--format", "pem"];
    keys.write("pem", marked(&keys.0.ended(&pem).exits(0).stdout));
    for key in ["jwk", "jwks", "pem"] {
        let token = keys.issue(key, &["--claims", "claims"]);
        keys.write("token", marked(&token));
        let mark_in_an_argument = marked(&token);
        keys.0.ended(&[&VERIFY[..], &[key, &mark_in_an_argument]].concat()).exits(0);
        keys.shell(&format!("bearerbench token verify --key {key} < token")).exits(0);
        let read = keys.shell("bearerbench token inspect --json < token").exits(0).stdout;
        assert_eq!(serde_json::from_str::<Value>(&read).expect("JSON")["claims"]["tenant"], 7);
    }
    // What a shell of another system writes has the mark too, and is no UTF-8.
    let utf16: Vec<u8> = marked("{}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    keys.write("utf16", utf16);
    keys.verify_refused("utf16", &["UTF-16", "iconv"]);
}

#[test]
fn a_lifetime_is_whole_seconds_and_no_token_is_dead_when_it_is_made() {
    let keys = Keys::new();
    keys.write("key", keys.made("HS256").to_string());
    let issue = |more: &[&str]| keys.0.refused(&[&ISSUE[..], &["key"], more].concat()).exits(2);
    for lifetime in ["500ms", "1500ms", "999ns", "0s", "1m 1us"] {
        issue(&["--lifetime", lifetime]).says(&["--lifetime", "whole seconds, one at least"]);
    }
    issue(&["--lifetime", "soon"]).says(&["--lifetime"]);
    issue(&["--lifetime", "1m", "--now", "1000", "--not-before", "1060"])
        .says(&["--not-before", "never be valid"]);
    issue(&["--now", "1969-12-31T23:59:59Z"]).says(&["--now", "seconds since 1970"]);
    let token = keys.issue("key", &["--lifetime", "1s", "--now", "1000"]);
    let verify = |now: &str| keys.0.ended(&[&VERIFY[..], &["key", "--now", now, &token]].concat());
    verify("1000").exits(0);
    verify("1001").exits(1);
}
