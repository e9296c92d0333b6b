//! Signature schemes as a run would record them: facts as published, times of about the size that was once measured.

#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive numbers")]

use std::collections::BTreeMap;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::design::Design;
use crate::observation::{
    Batches, Conformance, ReadableClaims, Round, Signature, SignatureTimes, Status, Subject,
};
use crate::wire::Http;

/// A subject of `scenarios/signatures.toml`.
pub(crate) struct Scheme {
    pub(crate) name: &'static str,
    library: &'static str,
    post_quantum: bool,
    status: Status,
    source: &'static str,
    conformance: Conformance,
    /// Public key and signature in bytes, characters of a token.
    sizes: [u32; 3],
    /// Key generation, signing and verification in microseconds.
    pub(crate) micros: [f64; 3],
}

const RFC_7518: (Status, &str) = (Status::Standard, "RFC 7518");
const RFC_9964: (Status, &str) = (Status::Standard, "RFC 9964");
const SPHINCS: (Status, &str) = (Status::Draft, "draft-ietf-cose-sphincs-plus");
const FALCON: (Status, &str) = (Status::Draft, "draft-ietf-cose-falcon");
const COMPOSITE: (Status, &str) = (Status::Draft, "draft-ietf-jose-pq-composite-sigs");
const ROUND_3: (Status, &str) = (Status::Superseded, "Dilithium round 3");

const fn scheme(
    name: &'static str,
    library: &'static str,
    post_quantum: bool,
    (status, source): (Status, &'static str),
    sizes: [u32; 3],
    micros: [f64; 3],
) -> Scheme {
    let conformance = match status {
        Status::Standard => Conformance::Conforming,
        _ => Conformance::Unverified,
    };
    Scheme { name, library, post_quantum, status, source, conformance, sizes, micros }
}

/// What `scenarios/signatures.toml` compares, and what its measurement would be like.
pub(crate) fn schemes() -> Vec<Scheme> {
    let mut schemes = vec![
        scheme("none", "bearerbench", false, (Status::Control, ""), [0, 0, 628], [0.05, 0.04, 0.02]),
        scheme("HS256", "aws-lc-rs", true, RFC_7518, [0, 32, 671], [0.46, 0.63, 0.63]),
        scheme("HS384", "aws-lc-rs", true, RFC_7518, [0, 48, 692], [0.5, 0.9, 0.9]),
        scheme("HS512", "aws-lc-rs", true, RFC_7518, [0, 64, 714], [0.5, 0.9, 0.91]),
        scheme("RS256 2048", "aws-lc-rs", false, RFC_7518, [270, 256, 970], [78e3, 336.0, 18.3]),
        scheme("RS256 3072", "aws-lc-rs", false, RFC_7518, [398, 384, 1_140], [280e3, 911.0, 38.7]),
        scheme("RS256 4096", "aws-lc-rs", false, RFC_7518, [526, 512, 1_311], [900e3, 1_900.0, 66.0]),
        scheme("PS256 2048", "aws-lc-rs", false, RFC_7518, [270, 256, 970], [78e3, 334.0, 19.0]),
        scheme("ES256", "aws-lc-rs", false, RFC_7518, [65, 64, 714], [12.0, 20.0, 67.0]),
        scheme("ES384", "aws-lc-rs", false, RFC_7518, [97, 96, 756], [57.0, 88.0, 220.0]),
        scheme(
            "Ed25519",
            "aws-lc-rs",
            false,
            (Status::Standard, "RFC 9864"),
            [32, 64, 714],
            [9.0, 11.0, 40.5],
        ),
        scheme("ML-DSA-44", "aws-lc-rs", true, RFC_9964, [1_312, 2_420, 3_860], [32.0, 87.0, 31.9]),
        scheme("ML-DSA-65", "aws-lc-rs", true, RFC_9964, [1_952, 3_309, 5_045], [54.0, 146.0, 52.6]),
        scheme("ML-DSA-87", "aws-lc-rs", true, RFC_9964, [2_592, 4_627, 6_803], [84.0, 185.0, 82.0]),
        scheme("ML-DSA-65 libcrux", "libcrux", true, RFC_9964, [1_952, 3_309, 5_045], [70.0, 190.0, 80.0]),
        scheme(
            "ML-DSA-65 pqcrypto",
            "pqcrypto-mldsa",
            true,
            RFC_9964,
            [1_952, 3_309, 5_045],
            [40.0, 100.0, 38.0],
        ),
        scheme("SLH-DSA-128s", "slh-dsa", true, SPHINCS, [32, 7_856, 11_119], [24e3, 185e3, 185.0]),
        scheme("SLH-DSA-128f", "slh-dsa", true, SPHINCS, [32, 17_088, 23_428], [379.0, 8.9e3, 542.0]),
        scheme("FN-DSA-512", "fn-dsa", true, FALCON, [897, 666, 1_522], [2.3e3, 228.0, 13.4]),
        scheme("FN-DSA-1024", "fn-dsa", true, FALCON, [1_793, 1_280, 2_343], [13e3, 450.0, 24.3]),
        scheme("X-PQClean-Dilithium2", "pqcrypto", true, ROUND_3, [1_312, 2_420, 3_870], [28.0, 80.0, 29.0]),
        scheme("X-PQClean-Dilithium3", "pqcrypto", true, ROUND_3, [1_952, 3_309, 5_055], [48.0, 130.0, 46.0]),
        scheme("X-PQClean-Dilithium5", "pqcrypto", true, ROUND_3, [2_592, 4_627, 6_813], [75.0, 160.0, 75.0]),
        scheme("ML-DSA-44-ES256", "ml-dsa", true, COMPOSITE, [1_377, 2_484, 3_950], [90.0, 190.0, 140.0]),
        scheme("ML-DSA-65-ES256", "ml-dsa", true, COMPOSITE, [2_017, 3_373, 5_135], [120.0, 260.0, 165.0]),
        scheme("ML-DSA-87-ES384", "ml-dsa", true, COMPOSITE, [2_689, 4_723, 6_940], [220.0, 420.0, 360.0]),
    ];
    for scheme in &mut schemes {
        if scheme.library.starts_with("pqcrypto") {
            scheme.conformance = Conformance::NonConforming;
        }
    }
    schemes
}

/// The scheme of the quickstart's subject `name`.
pub(super) fn named(name: &str) -> Scheme {
    schemes().into_iter().find(|scheme| scheme.name == name).expect("one of the list")
}

impl Scheme {
    /// What is known of it.
    pub(super) fn facts(&self) -> Signature {
        let alg = self.name.split(' ').next().expect("a split has a first part");
        let words = match self.conformance {
            Conformance::Conforming => "conforming (Wycheproof)",
            Conformance::NonConforming => {
                "NOT conforming (Wycheproof: 127 forgeries accepted, 3 valid refused)"
            }
            Conformance::Unverified => "no peer vectors (a draft)",
        };
        Signature {
            alg: alg.to_owned(),
            library: self.library.to_owned(),
            post_quantum: self.post_quantum,
            status: self.status,
            source: self.source.to_owned(),
            conformance: self.conformance,
            conformance_in_words: words.to_owned(),
            public_key_bytes: self.sizes[0],
            signature_bytes: self.sizes[1],
            key_set_entry_bytes: (self.sizes[0] > 0).then(|| u64::from(self.sizes[0]) * 4 / 3 + 110),
        }
    }

    /// A subject that verifies its tokens locally.
    pub(super) fn subject(&self, position: u32) -> Subject {
        let characters = u64::from(self.sizes[2]);
        Subject {
            name: self.name.to_owned(),
            position,
            parts: BTreeMap::new(),
            architecture: "jwt".to_owned(),
            token_format: None,
            signature: Some(self.facts().alg),
            scheme: Some(self.facts()),
            store: "memory".to_owned(),
            http: Http::Http1,
            wire: None,
            extra_claims_bytes: 0,
            thresholds: Vec::new(),
            design: Design::verifying(Duration::ZERO, Duration::from_mins(5)),
            token_characters: Some([characters, characters, characters + 2]),
            readable_claims: Some(ReadableClaims { members: 8, bytes: 236 }),
            proof_characters: None,
            handshake_bytes: None,
        }
    }

    /// How long its operations took.
    pub(super) fn times(&self) -> SignatureTimes {
        let mut random = ChaCha8Rng::seed_from_u64(self.sizes[2].into());
        let [keygen, sign, verify] = self.micros;
        // Rejection sampling: a lattice signature takes as many attempts as it takes.
        let retries = if self.name.contains("ML-DSA") || self.name.contains("Dilithium") { 1.0 } else { 0.0 };
        let batch = |micros: f64| (10.0 / micros).ceil().max(1.0) as u32;
        let batches =
            Batches { generate: 1, sign: batch(sign), verify: batch(verify), validate: batch(verify + 4.0) };
        let count = |micros: f64| (15_000.0 / micros).clamp(1.0, 300.0) as usize;
        let rounds = (0..8).map(|_| {
            let mut round = Round::default();
            let mut near = |micros: f64, batch: u32| {
                let noise = 1.0 + 0.06 * random.random::<f64>();
                (micros * 1e3 * noise * f64::from(batch)) as u64
            };
            (0..count(keygen)).for_each(|_| round.generate.record(near(keygen, 1)));
            (0..count(verify)).for_each(|_| round.verify.record(near(verify, batches.verify)));
            (0..count(verify))
                .for_each(|_| round.validate.record(near(verify * 1.05 + 3.0, batches.validate)));
            for _ in 0..count(sign) {
                let attempts = 0.4 - 0.8 * retries * random.random::<f64>().max(1e-3).ln();
                let factor = if retries > 0.0 { attempts } else { 1.0 + 0.06 * random.random::<f64>() };
                round.sign.record((sign * 1e3 * factor * f64::from(batches.sign)) as u64);
            }
            round
        });
        SignatureTimes { batches, rounds: rounds.collect() }
    }
}
