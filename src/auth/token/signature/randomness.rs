//! Randomness for libraries that ask for a generator of `rand_core` 0.6, which `fn-dsa` passes on to its users.

use std::num::NonZeroU32;

use aws_lc_rs::rand;
use fn_dsa::{CryptoRng, RngCore, RngError};

/// A generator whose bytes a function fills in; it says whether it could.
pub(super) struct Generator<F>(pub(super) F);

/// The generator that every key and signature here is made with, so that libraries compare.
pub(super) fn system() -> Generator<impl FnMut(&mut [u8]) -> bool> {
    Generator(|bytes: &mut [u8]| rand::fill(bytes).is_ok())
}

impl<F: FnMut(&mut [u8]) -> bool> RngCore for Generator<F> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.try_fill_bytes(bytes).expect("a system without randomness can make no key and no signature");
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), RngError> {
        if (self.0)(bytes) { Ok(()) } else { Err(RngError::from(NonZeroU32::MIN)) }
    }
}

impl<F: FnMut(&mut [u8]) -> bool> CryptoRng for Generator<F> {}
