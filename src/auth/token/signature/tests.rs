//! What every signature scheme promises, in every form of it.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{PublicKey, PublicKeyComponents};

use super::*;
use crate::auth::token::jwks::{KeyMaterial, PrivateMembers};

/// Two keys of every variant, made once: some take a second.
fn two_keys(scheme: &Part<dyn SignatureScheme>) -> (PrivateJwk, PrivateJwk) {
    static MADE: LazyLock<Mutex<HashMap<String, (PrivateJwk, PrivateJwk)>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap();
    let two = || (scheme.generate().unwrap(), scheme.generate().unwrap());
    made.entry(scheme.to_string()).or_insert_with(two).clone()
}

/// Every form of every scheme that proves something, which a control does not.
fn every_proof() -> impl Iterator<Item = Part<dyn SignatureScheme>> {
    every_variant().filter(|scheme| scheme.facts().status != Status::Control)
}

/// A key as another process sees it: text, and text again.
fn published(key: &Jwk) -> Jwk {
    serde_json::from_str(&serde_json::to_string(key).unwrap()).unwrap()
}

fn kept(key: &PrivateJwk) -> PrivateJwk {
    serde_json::from_str(&serde_json::to_string(key).unwrap()).unwrap()
}

#[test]
fn what_a_key_signs_its_published_half_verifies_and_nothing_else() {
    for scheme in every_proof() {
        let (key, stranger) = two_keys(&scheme);
        let signer = scheme.signer(&kept(&key)).unwrap();
        let stranger = scheme.verifier(&published(&stranger.public)).unwrap();
        let verifier = scheme.verifier(&published(&key.public)).unwrap();
        let signature = signer.sign(b"message").unwrap();
        assert!(verifier.verifies(b"message", &signature), "{scheme}");
        let longest = scheme.facts().signature_bytes as usize;
        assert!((longest - 8..=longest).contains(&signature.len()), "{scheme}: {} bytes", signature.len());
        assert!(!verifier.verifies(b"massage", &signature), "{scheme}: another message");
        assert!(!stranger.verifies(b"message", &signature), "{scheme}: another key");
        assert!(!verifier.verifies(b"message", &signature[1..]), "{scheme}: too short");
        assert!(!verifier.verifies(b"message", b""), "{scheme}: empty");
        for at in [0, signature.len() / 2, signature.len() - 1] {
            let mut flipped = signature.clone();
            flipped[at] ^= 1;
            assert!(!verifier.verifies(b"message", &flipped), "{scheme}: bit of byte {at} flipped");
        }
    }
}

/// The length of a public key in the form of its standard; of RSA an `RSAPublicKey` (RFC 8017 appendix A.1.1).
fn public_key_bytes(material: &KeyMaterial) -> usize {
    match material {
        KeyMaterial::EllipticCurve { x, y, .. } => 1 + x.len() + y.len(),
        KeyMaterial::OctetKeyPair { x: public, .. } | KeyMaterial::AlgorithmKeyPair { public } => {
            public.len()
        }
        KeyMaterial::Rsa { n, e } => {
            let der = PublicKeyComponents { n: &**n, e: &**e }.as_der().unwrap();
            PublicKey::from_der(der.as_ref()).unwrap().as_ref().len()
        }
        KeyMaterial::Octets { .. } | KeyMaterial::Nothing => 0,
    }
}

#[test]
fn public_keys_are_as_long_as_the_facts_say() {
    for scheme in every_variant() {
        let (key, _) = two_keys(&scheme);
        let bytes = scheme.facts().public_key_bytes as usize;
        assert_eq!(public_key_bytes(&key.public.material), bytes, "{scheme}");
    }
}

#[test]
fn a_scheme_takes_no_key_of_another_one() {
    for scheme in every_variant() {
        let key = published(&two_keys(&scheme).0.public);
        assert_eq!(key.alg, scheme.alg());
        for other in every_variant().filter(|other| other.alg() != scheme.alg()) {
            assert!(other.verifier(&key).is_err(), "{other} takes a key of {scheme}");
        }
    }
}

#[test]
fn keys_are_named_by_their_thumbprint_so_that_two_never_share_a_name() {
    for scheme in every_proof() {
        let (one, two) = two_keys(&scheme);
        assert_ne!(one.public.kid, two.public.kid, "{scheme}");
        assert_eq!(one.public.kid.len(), 43, "SHA-256 in base64url");
    }
}

#[test]
fn what_one_library_signs_every_other_form_of_the_scheme_verifies() {
    for scheme in every_variant() {
        let (key, _) = two_keys(&scheme);
        let signature = scheme.signer(&key).unwrap().sign(b"message").unwrap();
        for other in every_variant().filter(|other| other.alg() == scheme.alg()) {
            let verifier = other.verifier(&published(&key.public)).unwrap();
            assert!(verifier.verifies(b"message", &signature), "signed by {scheme}, verified by {other}");
            let signature = other.signer(&kept(&key)).unwrap().sign(b"message").unwrap();
            let verifier = scheme.verifier(&key.public).unwrap();
            assert!(verifier.verifies(b"message", &signature), "signed by {other}, verified by {scheme}");
        }
    }
}

#[test]
fn a_key_whose_halves_do_not_belong_together_signs_nothing() {
    for scheme in every_proof().filter(|scheme| scheme.facts().public_key_bytes > 0) {
        let (one, two) = two_keys(&scheme);
        let mixed = PrivateJwk { public: one.public.clone(), private: two.private };
        assert!(scheme.signer(&mixed).is_err(), "{scheme}");
        let lacking = PrivateJwk { public: one.public, private: PrivateMembers::default() };
        assert!(matches!(scheme.signer(&lacking), Err(KeyError::NotPrivate { .. })), "{scheme}");
    }
}

#[test]
fn the_default_form_of_a_scheme_is_listed_first_and_no_form_twice() {
    for entry in SIGNATURE_SCHEMES.entries {
        let forms = resolve(entry.name, toml::Table::new()).variants();
        assert_eq!(forms[0], toml::Table::new(), "{}", entry.name);
        for (at, form) in forms.iter().enumerate() {
            assert!(!forms[..at].contains(form), "{} {form}", entry.name);
        }
    }
}

#[test]
fn a_control_is_never_published_and_takes_only_what_is_unsigned() {
    let controls = every_variant().filter(|scheme| scheme.facts().status == Status::Control);
    for scheme in controls {
        let (key, _) = two_keys(&scheme);
        assert!(!key.public.material.is_public(), "{scheme}");
        let verifier = scheme.verifier(&key.public).unwrap();
        assert!(verifier.verifies(b"message", b""), "{scheme}");
        assert!(!verifier.verifies(b"message", b"x"), "{scheme}");
    }
}

#[test]
fn a_key_size_or_a_library_that_is_not_offered_is_told_with_those_that_are() {
    let check = |kind: &str, name: &str, value: toml::Value, expected: &str| {
        let settings = toml::Table::from_iter([(name.to_owned(), value)]);
        let error = SIGNATURE_SCHEMES.resolve(Choice { kind: kind.to_owned(), settings }).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check("RS256", "bits", 1024.into(), "1024 bits; expected 2048, 3072 or 4096");
    check("RS256", "library", "rust-crypto".into(), "expected one of `aws-lc-rs`, `jsonwebtoken-aws-lc-rs`");
    check("HS256", "library", "openssl".into(), "expected one of `aws-lc-rs`, `rust-crypto`");
    check("ES256", "bits", 2048.into(), "unknown field `bits`, expected `library`");
}

#[test]
fn a_library_that_cannot_make_keys_is_not_said_to_make_them() {
    for scheme in every_variant() {
        let library = scheme.facts().library;
        let other_makes_them = library.starts_with("jsonwebtoken") || library == "pqcrypto-mldsa";
        assert_eq!(scheme.makes_keys(), !other_makes_them, "{scheme}");
    }
}
