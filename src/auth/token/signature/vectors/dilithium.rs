//! What separates Dilithium from ML-DSA, and Wycheproof's ML-DSA-44 vectors put to Dilithium2.

use super::Tally;
use super::ml_dsa::{context, verify_vectors};
use crate::auth::token::jwks::{Jwk, PrivateJwk};
use crate::auth::token::signature::ml_dsa::ParameterSet;
use crate::auth::token::signature::{Conformance, SignatureScheme, Status, every_variant, resolve};
use crate::registry::Part;

fn dilithium(level: u8) -> Part<dyn SignatureScheme> {
    resolve(&format!("X-PQClean-Dilithium{level}"), toml::Table::new())
}

/// The same public key under the name of the other algorithm.
fn renamed(key: &PrivateJwk, alg: &str) -> Jwk {
    Jwk::new(alg, key.public.material.clone())
}

fn conforming(alg: &str) -> Vec<Part<dyn SignatureScheme>> {
    let all = every_variant().filter(|scheme| scheme.alg() == alg);
    all.filter(|scheme| matches!(scheme.facts().conformance, Conformance::Conforming { .. })).collect()
}

#[test]
fn a_dilithium3_signature_is_refused_as_ml_dsa_65() {
    let key = dilithium(3).generate().unwrap();
    let signer = dilithium(3).signer(&key).unwrap();
    assert!(conforming("ML-DSA-65").len() >= 4);
    for prefix in [&b""[..], &[0, 0]] {
        let signature = signer.sign(&[prefix, b"message"].concat()).unwrap();
        for scheme in every_variant().filter(|scheme| scheme.alg() == "ML-DSA-65") {
            let verifier = scheme.verifier(&renamed(&key, "ML-DSA-65")).unwrap();
            assert!(!verifier.verifies(b"message", &signature), "{scheme}");
        }
    }
}

#[test]
fn a_dilithium2_signature_is_one_of_ml_dsa_44_only_with_two_zeros_before_the_message() {
    let key = dilithium(2).generate().unwrap();
    let signer = dilithium(2).signer(&key).unwrap();
    let (plain, with_zeros) = (signer.sign(b"message").unwrap(), signer.sign(b"\0\0message").unwrap());
    assert!(conforming("ML-DSA-44").len() >= 4);
    for scheme in conforming("ML-DSA-44") {
        let verifier = scheme.verifier(&renamed(&key, "ML-DSA-44")).unwrap();
        assert!(verifier.verifies(b"message", &with_zeros), "{scheme}");
        assert!(!verifier.verifies(b"message", &plain), "{scheme}");
    }
}

#[test]
fn dilithium2_carries_the_mark_that_wycheproof_gives_it_as_ml_dsa_44() {
    let (scheme, mut tally) = (dilithium(2), Tally::default());
    for group in verify_vectors(ParameterSet::MlDsa44).test_groups {
        let material =
            crate::auth::token::jwks::KeyMaterial::AlgorithmKeyPair { public: group.pubkey[..].into() };
        let verifier = scheme.verifier(&Jwk::new(scheme.alg(), material));
        for test in &group.tests {
            // FIPS 204 algorithm 3, step 5. No message stands for a context that is too long.
            let context = context(test.ctx.as_ref());
            let message =
                u8::try_from(context.len()).map(|length| [&[0, length], context, &test.msg].concat());
            let accepted = verifier
                .as_ref()
                .is_ok_and(|verifier| message.is_ok_and(|message| verifier.verifies(&message, &test.sig)));
            tally.count(test.result, accepted);
        }
    }
    assert_eq!(tally.cases, 180);
    let mark = scheme.facts().conformance;
    tally.agrees_with(mark);
}

#[test]
fn no_level_of_dilithium_is_shown_as_better_than_another() {
    let trusted = [2, 3, 5].map(|level| dilithium(level).facts().conformance.is_trusted());
    assert!(trusted.iter().all(|trusted| *trusted == trusted_at_level_2()), "{trusted:?}");
    for level in [2, 3, 5] {
        assert!(matches!(dilithium(level).facts().status, Status::Superseded(_)));
    }
}

fn trusted_at_level_2() -> bool {
    dilithium(2).facts().conformance.is_trusted()
}
