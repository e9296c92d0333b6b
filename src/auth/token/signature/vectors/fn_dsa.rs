//! FN-DSA has no peers yet: the known answers of its author are repeated, so that at least this build does what he meant.

use fn_dsa::{
    DomainContext, HASH_ID_RAW, KeyPairGenerator as _, SHA3_256, SHAKE256, SigningKey as _,
    VerifyingKey as _, sign_key_size, signature_size, vrfy_key_size,
};

use super::bytes;
use crate::auth::token::signature::fn_dsa::{Degree, Degree512, Degree1024};
use crate::auth::token::signature::randomness::Generator;
use crate::auth::token::signature::{Conformance, every_variant};

#[test]
fn the_authors_known_answers_come_out() {
    let answer = "71009cd3bc68f5061608ab541e9ae27ba0263c42fad97c112825075176d539d0";
    assert_eq!(answer_of::<Degree512>(), bytes(answer));
    let answer = "51bec3b8ca2565a94b2f1ad7bdc5f3844170495f235b8ea87fdae7e6d3b9dcb6";
    assert_eq!(answer_of::<Degree1024>(), bytes(answer));
}

/// As the tests of `fn-dsa` 0.4.0 define it: SHA3-256 of both keys and a signature that come from one short seed.
fn answer_of<D: Degree>() -> Vec<u8> {
    let mut seeds = SHAKE256::new();
    seeds.inject(&[u8::try_from(D::LOGN).unwrap(), 0, 0, 0, 0]);
    seeds.flip();
    let (mut private, mut public) = (vec![0; sign_key_size(D::LOGN)], vec![0; vrfy_key_size(D::LOGN)]);
    let mut signature = vec![0; signature_size(D::LOGN)];
    let (mut of_keys, mut of_signature) = (vec![0; 32], vec![0; 40]);
    seeds.extract(&mut of_keys);
    seeds.extract(&mut of_signature);
    D::Generator::default().keygen(D::LOGN, &mut given(of_keys), &mut private, &mut public);
    let context = DomainContext(b"domain");
    let mut key = D::Private::decode(&private).unwrap();
    let signed = key.sign(&mut given(of_signature), &context, &HASH_ID_RAW, b"message", &mut signature);
    assert!(signed.is_some());
    assert!(D::Public::decode(&public).unwrap().verify(&signature, &context, &HASH_ID_RAW, b"message"));
    let mut hash = SHA3_256::new();
    for part in [private, public, signature] {
        hash.update(&part);
    }
    hash.digest().to_vec()
}

/// A generator that gives these bytes and no more.
fn given(bytes: Vec<u8>) -> Generator<impl FnMut(&mut [u8]) -> bool> {
    let mut rest = bytes.into_iter();
    Generator(move |wanted: &mut [u8]| {
        wanted.iter_mut().all(|byte| {
            rest.next().is_some_and(|next| {
                *byte = next;
                true
            })
        })
    })
}

#[test]
fn fn_dsa_is_not_called_conforming_before_its_standard_is_published() {
    for scheme in every_variant().filter(|scheme| scheme.alg().starts_with("FN-DSA")) {
        assert!(matches!(scheme.facts().conformance, Conformance::Unverified { .. }), "{scheme}");
    }
}
