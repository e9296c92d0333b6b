//! Composites against the examples of their draft.

use super::bytes;
use crate::auth::token::base64url::encode;
use crate::auth::token::jwks::PrivateJwk;
use crate::auth::token::signature::composite::{
    MlDsa44Es256, MlDsa65Es256, MlDsa87Es384, Pair, representative,
};
use crate::auth::token::signature::ml_dsa::{Parameters as _, libcrux};
use crate::auth::token::signature::{Conformance, Status, every_variant};

/// draft-ietf-jose-pq-composite-sigs-05 appendix A.1. The seed is zeros and d is 1, so that the point is the generator.
struct Example {
    thumbprint: &'static str,
    /// The generator of P-256 (SEC 2 section 2.4.2) or P-384 (section 2.5.1).
    point: &'static str,
    /// What stands before and after d.
    around_d: (&'static str, &'static str),
    /// How the ML-DSA half begins: a hash of all that it signs.
    ml_dsa: &'static str,
    ecdsa: &'static str,
}

const P256_GENERATOR: &str = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
    4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
const P256_KEY: (&str, &str) = ("30310201010420", "a00a06082a8648ce3d030107");

fn check<P: Pair>(example: &Example) {
    let set = P::MlDsa::SET;
    let header = format!(r#"{{"alg":"{}","kid":"{}"}}"#, P::ALG, example.thumbprint);
    let payload = encode("It's a dangerous business, Frodo, going out your door.");
    let input = format!("{}.{payload}", encode(header));
    let (ml_dsa_public, key) = libcrux::signing_key(set, &[0; 32], P::LABEL.as_bytes()).unwrap();
    let mut signature = key.sign(&representative::<P>(input.as_bytes()), &[0; 32]).unwrap();
    assert!(signature.starts_with(&bytes(example.ml_dsa)), "{}", P::ALG);
    signature.extend(bytes(example.ecdsa));

    let point = bytes(example.point);
    let mut d = vec![0; point.len() / 2];
    *d.last_mut().unwrap() = 1;
    let private = [&[0; 32], &bytes(example.around_d.0)[..], &d, &bytes(example.around_d.1)].concat();
    let key = PrivateJwk::akp(P::ALG, &[ml_dsa_public, point].concat(), private);
    assert_eq!(key.public.kid, example.thumbprint);
    for scheme in every_variant().filter(|scheme| scheme.alg() == P::ALG) {
        let verifier = scheme.verifier(&key.public).unwrap();
        assert!(verifier.verifies(input.as_bytes(), &signature), "{scheme}");
        let signed = scheme.signer(&key).unwrap().sign(input.as_bytes()).unwrap();
        assert!(verifier.verifies(input.as_bytes(), &signed), "{scheme}");
        assert!(matches!(scheme.facts().conformance, Conformance::Conforming { .. }));
    }
}

#[test]
fn the_examples_of_the_draft_come_out_and_every_library_accepts_them() {
    check::<MlDsa44Es256>(&Example {
        thumbprint: "bJ8aA7ZIsHYNGb4GVaIxupyHLmFNuU1jThxqAXK0Sio",
        point: P256_GENERATOR,
        around_d: P256_KEY,
        ml_dsa: "9f8946f6a92244c92d46907050ed94fc6e663fbb64d557fb9cd5ffd0e5f7f7c3",
        ecdsa: "3045022100e8c0af4ee83c391aa41a3277da1a69bde98b2e28db5f2e43c1d2142828e7544b022013192d254d1cd362c0\
                e1bc4ad9cfe39598265192a335dba8de0bffb5ecccb0ae",
    });
    check::<MlDsa65Es256>(&Example {
        thumbprint: "RKckYpZD-Fj494Q4vaeNmq6c3mqg_EhLkiUOo5mhNYE",
        point: P256_GENERATOR,
        around_d: P256_KEY,
        ml_dsa: "1b3a61b7044763d2a0345d14ab1b5000ec29cf683d100cdfe3af461ff44f8427",
        ecdsa: "3046022100f2ee6c0964fed84c7850659e426548d1f81c39453e9912c6242472851c424f710221009813d221e8940b0469\
                696178172f60b202e961dfd66203fe7b6e6657077b1029",
    });
    check::<MlDsa87Es384>(&Example {
        thumbprint: "yH7Hzh-v4jQOca8n6vLtFOG31o0pT2MDZD5FtvQ7Reg",
        point: "04aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7\
                3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
        around_d: ("303e0201010430", "a00706052b81040022"),
        ml_dsa: "1abfa6da68f8e1b94513c188db1c56768277fc0c06e32b0f355561d206a75e44",
        ecdsa: "3065023010b19b007562706e06cbb056f9d262c2e2a70ec805b00b007273b709354ace931f227d0c18486229adcdb062167d\
                7ef0023100d04bb19c5883bf28f4ccfaa52f17b788440fa6b88e7aa2173a49a79f334761e8f13add3c781e616a5aae129cda\
                b3618d",
    });
}

#[test]
fn neither_half_of_a_composite_counts_alone_and_der_has_one_form() {
    check_halves::<MlDsa44Es256>();
    check_halves::<MlDsa65Es256>();
    check_halves::<MlDsa87Es384>();
}

fn check_halves<P: Pair>() {
    for scheme in every_variant().filter(|scheme| scheme.alg() == P::ALG) {
        let (key, stranger) = (scheme.generate().unwrap(), scheme.generate().unwrap());
        let verifier = scheme.verifier(&key.public).unwrap();
        let sign = |key| scheme.signer(key).unwrap().sign(b"message").unwrap();
        let (own, foreign) = (sign(&key), sign(&stranger));
        let border = P::MlDsa::SET.signature_bytes() as usize;
        let ((own_ml_dsa, own_ecdsa), (foreign_ml_dsa, foreign_ecdsa)) =
            (own.split_at(border), foreign.split_at(border));
        let accepts = |ml_dsa: &[u8], ecdsa: &[u8]| verifier.verifies(b"message", &[ml_dsa, ecdsa].concat());
        assert!(accepts(own_ml_dsa, own_ecdsa), "{scheme}");
        assert!(!accepts(own_ml_dsa, foreign_ecdsa), "{scheme}: foreign ECDSA");
        assert!(!accepts(foreign_ml_dsa, own_ecdsa), "{scheme}: foreign ML-DSA");
        assert!(!accepts(own_ml_dsa, b""), "{scheme}: ML-DSA alone");
        assert!(!accepts(own_ml_dsa, &[own_ecdsa, &[0]].concat()), "{scheme}: a byte too many");
        // BER allows the long form of a length, DER does not.
        let long_form = [&own_ecdsa[..1], &[0x81], &own_ecdsa[1..]].concat();
        assert!(!accepts(own_ml_dsa, &long_form), "{scheme}: BER");
    }
}

#[test]
fn a_private_key_of_other_halves_or_in_another_form_is_refused() {
    for scheme in every_variant().filter(|scheme| scheme.facts().status == DRAFT) {
        let (key, other) = (scheme.generate().unwrap(), scheme.generate().unwrap());
        let (private, foreign) = (private(&key), private(&other));
        let signer = |private: Vec<u8>| {
            let mut key = key.clone();
            key.private.akp = Some(private.into());
            scheme.signer(&key)
        };
        assert!(signer(private.clone()).is_ok(), "{scheme}");
        assert!(signer([&private[..32], &foreign[32..]].concat()).is_err(), "{scheme}: foreign ECDSA");
        assert!(signer([&foreign[..32], &private[32..]].concat()).is_err(), "{scheme}: foreign ML-DSA");
        assert!(signer([&private[..], &[0]].concat()).is_err(), "{scheme}: a byte too many");
        assert!(signer(private[..private.len() - 1].to_vec()).is_err(), "{scheme}: a byte too few");
        assert!(signer(private[..32].to_vec()).is_err(), "{scheme}: the seed alone");
    }
}

const DRAFT: Status = Status::Draft("draft-ietf-jose-pq-composite-sigs-05");

fn private(key: &PrivateJwk) -> Vec<u8> {
    key.private.akp.as_ref().unwrap().expose().to_vec()
}
