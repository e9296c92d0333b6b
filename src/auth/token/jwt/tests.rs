//! Tokens that must be refused, and peers that must agree.

use base64::Engine as _;
use serde_json::json;

use super::*;
use crate::auth::token::Audience;
use crate::auth::token::signature::SignatureScheme;
use crate::registry::Part;

const NOW: UnixTime = UnixTime::from_secs(1_000_000);

fn claims() -> Claims {
    Claims {
        iss: "https://as.example".into(),
        sub: "client".into(),
        aud: Audience::one("https://api.example/"),
        client_id: "client".into(),
        scope: "read write".into(),
        iat: NOW,
        exp: NOW + Duration::from_mins(1),
        jti: "1".into(),
    }
}

fn policy() -> Policy {
    Policy {
        issuer: "https://as.example".into(),
        audience: "https://api.example/".into(),
        scope: "read".into(),
    }
}

fn signer(alg: &str) -> Box<dyn Signer> {
    Part::<dyn SignatureScheme>::named(alg).unwrap().generate().unwrap()
}

fn verify(signer: &dyn Signer, token: &str) -> Result<Claims, Rejection> {
    KeyRing::from_set(&JwkSet::of(signer.public_key())).verify(token, &policy(), NOW, Duration::ZERO)
}

/// A token with this header and payload, rightly signed.
fn forged(signer: &dyn Signer, header: &serde_json::Value, payload: &[u8]) -> String {
    let message =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(payload));
    let signature = signer.sign(message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn a_token_says_after_verification_what_was_signed() {
    for entry in SIGNATURE_SCHEMES.entries {
        let signer = signer(entry.name);
        let token = sign(signer.as_ref(), &claims()).unwrap();
        assert_eq!(verify(signer.as_ref(), &token), Ok(claims()), "{}", entry.name);
    }
}

#[test]
fn headers_that_lie_are_refused_although_the_signature_fits() {
    let signer = signer("ES256");
    let kid = &signer.public_key().kid;
    let payload = serde_json::to_vec(&claims()).unwrap();
    let cases = [
        (json!({"alg": "none", "kid": kid, "typ": "at+jwt"}), Rejection::WrongAlgorithm),
        (json!({"alg": "None", "kid": kid, "typ": "at+jwt"}), Rejection::WrongAlgorithm),
        (json!({"alg": "HS256", "kid": kid, "typ": "at+jwt"}), Rejection::WrongAlgorithm),
        (json!({"alg": "ML-DSA-65", "kid": kid, "typ": "at+jwt"}), Rejection::WrongAlgorithm),
        (json!({"alg": "ES256", "kid": "another", "typ": "at+jwt"}), Rejection::UnknownKey),
        (json!({"alg": "ES256", "typ": "at+jwt"}), Rejection::UnknownKey),
        (json!({"alg": "ES256", "kid": kid, "typ": "JWT"}), Rejection::WrongType),
        (json!({"alg": "ES256", "kid": kid}), Rejection::WrongType),
        (json!({"alg": "ES256", "kid": kid, "typ": "at+jwt", "crit": ["exp"]}), Rejection::Malformed),
        (json!({"kid": kid, "typ": "at+jwt"}), Rejection::Malformed),
        (json!([1]), Rejection::Malformed),
    ];
    for (header, rejection) in cases {
        assert_eq!(
            verify(signer.as_ref(), &forged(signer.as_ref(), &header, &payload)),
            Err(rejection),
            "{header}"
        );
    }
    let header =
        json!({"alg": "ES256", "kid": kid, "typ": "application/AT+JWT", "jku": "https://evil.example"});
    assert!(
        verify(signer.as_ref(), &forged(signer.as_ref(), &header, &payload)).is_ok(),
        "unused members are ignored"
    );
}

#[test]
fn claims_that_do_not_fit_are_refused() {
    let signer = signer("ES256");
    let cases = [
        (Claims { iss: "https://other.example".into(), ..claims() }, Rejection::WrongIssuer),
        (Claims { aud: Audience::one("https://other.example/"), ..claims() }, Rejection::WrongAudience),
        (Claims { exp: NOW, ..claims() }, Rejection::Expired),
        (Claims { scope: "write reading".into(), ..claims() }, Rejection::InsufficientScope),
    ];
    for (claims, rejection) in cases {
        let token = sign(signer.as_ref(), &claims).unwrap();
        assert_eq!(verify(signer.as_ref(), &token), Err(rejection));
    }
}

#[test]
fn texts_that_are_no_tokens_are_refused() {
    let signer = signer("ES256");
    let token = sign(signer.as_ref(), &claims()).unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let cases = [
        String::new(),
        "..".to_owned(),
        parts[0].to_owned(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{token}."),
        format!("{token}=="),
        format!(".{token}"),
        format!("{}..{}", parts[0], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        token.replace('.', ":"),
        "\u{fc}".repeat(10),
    ];
    for text in cases {
        assert!(verify(signer.as_ref(), &text).is_err(), "{text}");
    }
    assert_eq!(verify(signer.as_ref(), &"a.".repeat(1 << 20)), Err(Rejection::TooLarge));
}

#[test]
fn jsonwebtoken_reads_our_tokens_and_we_read_its() {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};

    let ours = signer("ES256");
    let token =
        sign(ours.as_ref(), &Claims { exp: UnixTime::from_secs(u64::from(u32::MAX)), ..claims() }).unwrap();
    let jwk = serde_json::to_value(ours.public_key()).unwrap();
    let key =
        DecodingKey::from_ec_components(jwk["x"].as_str().unwrap(), jwk["y"].as_str().unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&["https://api.example/"]);
    validation.set_issuer(&["https://as.example"]);
    let read = jsonwebtoken::decode::<Claims>(&token, &key, &validation).unwrap();
    assert_eq!(read.claims.jti, "1");

    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    let jwk = Jwk::new(
        "ES256",
        crate::auth::token::jwks::KeyMaterial::EllipticCurve {
            crv: "P-256".into(),
            x: URL_SAFE_NO_PAD.encode(&point[1..33]),
            y: URL_SAFE_NO_PAD.encode(&point[33..]),
        },
    );
    let header =
        Header { typ: Some("at+jwt".into()), kid: Some(jwk.kid.clone()), ..Header::new(Algorithm::ES256) };
    let der = pair.to_pkcs8v1().unwrap();
    let theirs = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_ec_der(der.as_ref())).unwrap();
    let ring = KeyRing::from_set(&JwkSet::of(&jwk));
    assert_eq!(ring.verify(&theirs, &policy(), NOW, Duration::ZERO), Ok(claims()));
}
