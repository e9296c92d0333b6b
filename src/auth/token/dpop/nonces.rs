//! Nonces that a server gives out and knows again without keeping any (RFC 9449 section 9).

use std::time::Duration;

use aws_lc_rs::{hmac, rand};

use crate::auth::token::{UnixTime, base64url};

/// Makes and knows the nonces of one server. Each counts during the slot that it was made in and during the next.
#[derive(Debug)]
pub(super) struct Nonces {
    key: hmac::Key,
    slot: u64,
}

/// Whether a nonce counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NonceAge {
    /// It is the one that is given out now.
    Current,
    /// It was given out before that one.
    Former,
    /// It is none, or of long ago.
    Unknown,
}

/// Half of the 256 bits: nobody has the time to guess as many.
const BYTES: usize = 16;

impl Nonces {
    /// A nonce counts for `slot`, in whole seconds, at the least, and for twice that at the most.
    pub(super) fn new(slot: Duration) -> Self {
        let mut secret = [0; 32];
        rand::fill(&mut secret).expect("the system gives randomness");
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &secret), slot: slot.as_secs().max(1) }
    }

    /// The one that is given out now.
    pub(super) fn current(&self, now: UnixTime) -> String {
        self.of(now.secs() / self.slot)
    }

    pub(super) fn age(&self, nonce: &str, now: UnixTime) -> NonceAge {
        let slot = now.secs() / self.slot;
        if nonce == self.of(slot) {
            NonceAge::Current
        } else if slot.checked_sub(1).is_some_and(|former| nonce == self.of(former)) {
            NonceAge::Former
        } else {
            NonceAge::Unknown
        }
    }

    fn of(&self, slot: u64) -> String {
        base64url::encode(&hmac::sign(&self.key, &slot.to_be_bytes()).as_ref()[..BYTES])
    }
}
