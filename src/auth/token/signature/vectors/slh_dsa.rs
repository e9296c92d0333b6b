//! SLH-DSA against the examples of its draft, and its two implementations against each other.

use crate::auth::token::base64url::{decode, encode};
use crate::auth::token::jwks::PrivateJwk;
use crate::auth::token::signature::slh_dsa::{ParameterSet, SigningKey, fips205, rust_crypto};
use crate::auth::token::signature::{Conformance, every_variant};

/// draft-ietf-cose-sphincs-plus-10 appendix B, made by CIRCL and checked by go-slh-dsa: the parameter set, the name of
/// the key, the private key, which holds the public one, and the beginning of the signature. That begins with the
/// randomizer, a hash of key and message; nothing else could be made of the same key without chance.
const EXAMPLES: [(ParameterSet, &str, &str, &str); 2] = [
    (
        ParameterSet::Sha2Small,
        "slh-dsa-sha2-128s-kid",
        "P1d2M4reQEEt09DkH_hmBUPH5mb12TZkfdp6rs2oXjmDHSYmLJWnKQZRp2I6JmQaXPjlAQXhaDtlSspnzER1ag",
        "2nQtiOl7qpaB3wpmbQCWL6KupUUaUh4tXhf8VeOI2HmDBDgpz4U_KHlIjc_Z4vVTV-b-k3eRqN4kfv-vQZPMynk3",
    ),
    (
        ParameterSet::Sha2Fast,
        "slh-dsa-sha2-128f-kid",
        "xK3wSzOMhAAx-UW_cj4VeaItS8oe8T_VPHle5tzytYZyOhoZQi9-eEYxrhQIvYSiA95g19KKRovltEe0RNdjYA",
        "7oNheTXZKl8evu2aC8IYcxsRJbH2_xN25OXHCXi4ph5cX92iAVlNWhqLpyBQvse2FqMiRYZvpSnyNs4-RPV9ZF50",
    ),
];

type Preparing = fn(ParameterSet, &[u8]) -> Option<Box<dyn SigningKey>>;

#[test]
fn the_examples_of_the_draft_come_out_and_both_libraries_accept_them() {
    for (set, kid, private, beginning) in EXAMPLES {
        let header = format!(r#"{{"alg":"{}","kid":"{kid}"}}"#, set.alg());
        let input = format!("{}.{}", encode(header), encode("fake"));
        let private = decode(private).unwrap();
        let key = PrivateJwk::akp(set.alg(), &private[32..], private.as_slice());
        let deterministic = private[32..48].try_into().unwrap();
        let sign = |signing_key: Preparing| {
            signing_key(set, &private).unwrap().sign(input.as_bytes(), &deterministic).unwrap()
        };
        let signature = sign(fips205::signing_key);
        assert!(signature.starts_with(&decode(beginning).unwrap()), "{}", set.alg());
        // A small signature takes this library seconds in a build without optimisation, since all of it is generic.
        if set == ParameterSet::Sha2Fast || !cfg!(debug_assertions) {
            assert!(sign(rust_crypto::signing_key) == signature, "{}", set.alg());
        }
        for scheme in every_variant().filter(|scheme| scheme.alg() == set.alg()) {
            let verifier = scheme.verifier(&key.public).unwrap();
            assert!(verifier.verifies(input.as_bytes(), &signature), "{scheme}");
            // Every part of a signature counts: the randomizer, FORS and each layer of the hypertree.
            for at in (0..signature.len()).step_by(1_024) {
                let mut forged = signature.clone();
                forged[at] ^= 1;
                assert!(!verifier.verifies(input.as_bytes(), &forged), "{scheme}: byte {at}");
            }
            assert!(matches!(scheme.facts().conformance, Conformance::Conforming { .. }));
        }
    }
}

#[test]
fn a_private_key_that_does_not_hold_its_public_one_is_refused() {
    for (set, _, private, _) in EXAMPLES {
        let private = decode(private).unwrap();
        for scheme in every_variant().filter(|scheme| scheme.alg() == set.alg()) {
            let mut public = private[32..].to_vec();
            public[0] ^= 1;
            assert!(scheme.signer(&PrivateJwk::akp(set.alg(), &public, private.as_slice())).is_err());
            assert!(scheme.signer(&PrivateJwk::akp(set.alg(), &private[32..], &private[1..])).is_err());
        }
    }
}
