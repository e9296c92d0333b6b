//! Hedged signing (FIPS 204 section 3.4) for the libraries that leave the randomness to their caller.

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::auth::token::signature::{Signer, SigningError};

/// The `rnd` of FIPS 204 algorithm 2; all zeros makes signing deterministic.
pub(in crate::auth::token::signature) type Randomness = [u8; 32];

/// A private key with a context, which signs by the randomness it is given.
pub(in crate::auth::token::signature) trait SigningKey:
    Send + Sync
{
    fn sign(&self, message: &[u8], randomness: &Randomness) -> Option<Vec<u8>>;
}

/// A public key in its standard's form, and the private one.
pub(in crate::auth::token::signature) type KeyPair = (Vec<u8>, Box<dyn SigningKey>);

/// Signs with fresh randomness each time. It comes from one source for every library, so that they compare.
pub(in crate::auth::token::signature) struct Hedged {
    pub(in crate::auth::token::signature) alg: &'static str,
    pub(in crate::auth::token::signature) key: Box<dyn SigningKey>,
}

impl Signer for Hedged {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let failed = SigningError(self.alg);
        let mut randomness = Zeroizing::new(Randomness::default());
        if rand::fill(&mut *randomness).is_err() {
            return Err(failed);
        }
        self.key.sign(message, &randomness).ok_or(failed)
    }
}
