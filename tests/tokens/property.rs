//! What holds for any text at all. The fuzz target (`fuzz/fuzz_targets/token.rs`) includes this very file.

use std::sync::LazyLock;
use std::time::Duration;

use aws_lc_rs::hmac;
use bearerbench::auth::token::jwks::{Jwk, JwkSet, KeyMaterial};
use bearerbench::auth::token::jwt::{Asked, KeyRing, Trust};
use bearerbench::auth::token::{Policy, Rejection, UnixTime, base64url};
use serde_json::Value;

/// Known to the attacker of these texts, so that they get past the signature.
pub(crate) const SECRET: &[u8; 32] = b"known to everybody for this test";
/// When the texts are looked at.
pub(crate) const NOW: u64 = 2_000_000_000;
/// The header that takes a payload furthest.
const HEADER: &str = r#"{"alg":"HS256","typ":"at+jwt"}"#;

fn ring(secret: &[u8]) -> KeyRing {
    let key = Jwk::new("HS256", KeyMaterial::Octets { k: secret.into() });
    KeyRing::new(&JwkSet::default(), &Trust { shared_key: Some(key), scheme: None })
}

fn verdict(ring: &KeyRing, token: &str) -> Result<(), Rejection> {
    let policy = Policy {
        issuer: "https://as.example".to_owned(),
        audience: "https://api.example/".to_owned(),
        scope: "read".to_owned(),
    };
    let now = UnixTime::from_secs(NOW);
    let verdict = ring.verify(token, &policy, now, Duration::ZERO).map(drop);
    let Policy { issuer, audience, scope } = &policy;
    let (issuer, audience, scope) = (Some(&**issuer), Some(&**audience), Some(&**scope));
    let asked = Asked { typ: None, issuer, audience, scope, now, leeway: Duration::ZERO };
    assert_eq!(
        ring.examine(token, &asked).rejection(),
        verdict.err(),
        "the list of all checks disagrees: {token}"
    );
    verdict
}

/// Never panics; accepts nothing without a signature; and what it accepts with one, a lenient reader of JSON reads alike.
pub(crate) fn holds(token: &str) {
    static UNKNOWN: LazyLock<KeyRing> = LazyLock::new(|| {
        let mut secret = [0; 32];
        aws_lc_rs::rand::fill(&mut secret).expect("the system gives randomness");
        ring(&secret)
    });
    static KNOWN: LazyLock<KeyRing> = LazyLock::new(|| ring(SECRET));
    let rejection = verdict(&UNKNOWN, token).expect_err("nobody knows the secret");
    // Fit for a header (RFC 6750 section 3), whatever the token says.
    let words = rejection.to_string();
    assert!(words.chars().all(|c| matches!(c, ' '..='~') && c != '"' && c != '\\'), "{words}");
    let mut parts = token.split('.');
    let (header, payload) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    for header in [header, &base64url::encode(HEADER)] {
        let message = format!("{header}.{payload}");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), message.as_bytes());
        let signed = format!("{message}.{}", base64url::encode(tag));
        if verdict(&KNOWN, &signed).is_ok() {
            assert_header(&read(header));
            assert_claims(&read(payload));
        }
    }
}

fn read(part: &str) -> Value {
    use base64::Engine as _;
    let bytes =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).expect("another decoder agrees");
    serde_json::from_slice(&bytes).expect("another reader agrees")
}

fn assert_header(header: &Value) {
    assert_eq!(header["alg"], "HS256", "{header}");
    assert!(header.get("crit").is_none(), "{header}");
    let typ = header["typ"].as_str().expect("a type").to_lowercase();
    assert!(typ == "at+jwt" || typ == "application/at+jwt", "{header}");
}

fn assert_claims(claims: &Value) {
    assert_eq!(claims["iss"], "https://as.example", "{claims}");
    let audience = &claims["aud"];
    let named = |name: &Value| name == "https://api.example/";
    assert!(named(audience) || audience.as_array().is_some_and(|list| list.iter().any(named)), "{claims}");
    assert!(claims["exp"].as_f64().expect("a date") > NOW as f64, "{claims}");
    assert!(claims.get("nbf").is_none_or(|nbf| nbf.as_f64().expect("a date") <= NOW as f64), "{claims}");
    let scopes = claims["scope"].as_str().expect("a text");
    assert!(scopes.split(' ').any(|scope| scope == "read"), "{claims}");
    for required in ["sub", "client_id", "jti"] {
        assert!(claims[required].is_string(), "{claims}");
    }
}
