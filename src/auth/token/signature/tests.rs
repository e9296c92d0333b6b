//! What every signature scheme promises.

use super::*;
use crate::registry::Choice;

fn schemes() -> impl Iterator<Item = crate::registry::Part<dyn SignatureScheme>> {
    SIGNATURE_SCHEMES
        .entries
        .iter()
        .map(|entry| SIGNATURE_SCHEMES.resolve(Choice::named(entry.name)).unwrap())
}

/// The key as another process sees it: text, and text again.
fn published(key: &Jwk) -> Jwk {
    serde_json::from_str(&serde_json::to_string(key).unwrap()).unwrap()
}

#[test]
fn what_a_key_signs_its_published_half_verifies_and_nothing_else() {
    for scheme in schemes() {
        let (signer, stranger) = (scheme.generate().unwrap(), scheme.generate().unwrap());
        let verifier = scheme.verifier(&published(signer.public_key())).unwrap();
        let signature = signer.sign(b"message").unwrap();
        assert!(verifier.verifies(b"message", &signature), "{scheme}");
        assert!(!verifier.verifies(b"massage", &signature), "{scheme}: another message");
        assert!(!verifier.verifies(b"message", &stranger.sign(b"message").unwrap()), "{scheme}: another key");
        assert!(!verifier.verifies(b"message", &signature[1..]), "{scheme}: too short");
        assert!(!verifier.verifies(b"message", b""), "{scheme}: empty");
        for at in [0, signature.len() / 2, signature.len() - 1] {
            let mut flipped = signature.clone();
            flipped[at] ^= 1;
            assert!(!verifier.verifies(b"message", &flipped), "{scheme}: bit of byte {at} flipped");
        }
    }
}

#[test]
fn a_scheme_takes_no_key_of_another_one() {
    for scheme in schemes() {
        let key = published(scheme.generate().unwrap().public_key());
        assert_eq!(key.alg, scheme.alg());
        for other in schemes().filter(|other| other.alg() != scheme.alg()) {
            assert!(other.verifier(&key).is_err(), "{other} takes a key of {scheme}");
        }
    }
}

#[test]
fn keys_are_named_by_their_thumbprint_so_that_two_never_share_a_name() {
    for scheme in schemes() {
        let (one, two) = (scheme.generate().unwrap(), scheme.generate().unwrap());
        assert_ne!(one.public_key().kid, two.public_key().kid, "{scheme}");
        assert_eq!(one.public_key().kid.len(), 43, "SHA-256 in base64url");
    }
}
