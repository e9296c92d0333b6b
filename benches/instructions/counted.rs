//! The functions whose instructions are counted. They give back what they were given, so that it is not dropped in them.

use std::hint::black_box;

use bearerbench::auth::token::{Claims, Rejection};
use gungraun::Callgrind;
use gungraun::prelude::*;

use crate::cases::gated;
use crate::cases::{Signing, Verification, WholeToken, signing, verification, whole_token};
use crate::fixtures::NOW;

#[library_benchmark]
#[benches::of(iter = 0..gated().len(), setup = verification)]
fn verify(case: Verification) -> (Verification, bool) {
    let accepted = case.verifier.verifies(black_box(&case.message), black_box(&case.signature));
    (case, accepted)
}

#[library_benchmark]
#[benches::of(iter = 0..gated().len(), setup = signing)]
fn sign(case: Signing) -> (Signing, [Vec<u8>; 2]) {
    let [one, another] = &case.messages;
    let sign = |message| case.signer.sign(black_box(message)).expect("it signed before");
    let signatures = [sign(one), sign(another)];
    (case, signatures)
}

#[library_benchmark]
#[benches::of(iter = 0..gated().len(), setup = whole_token)]
fn whole(case: WholeToken) -> (WholeToken, Result<Claims, Rejection>) {
    let decision = case.decide();
    (case, decision)
}

impl WholeToken {
    /// All that a resource server does with a token: parse, find the key, verify, check the claims.
    pub(crate) fn decide(&self) -> Result<Claims, Rejection> {
        self.keys.verify(black_box(&self.token), &self.policy, NOW, std::time::Duration::ZERO)
    }
}

library_benchmark_group!(name = tokens, benchmarks = [verify, sign, whole]);

// A simulated cache would take time and add nothing to the one number that is read.
main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = tokens
);

/// What gungraun takes for the program.
pub(crate) fn run() {
    main();
}
