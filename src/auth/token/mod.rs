//! Bearer tokens: what they say, how they are named, why they are refused.

pub mod base64url;
mod claims;
mod confirmation;
pub mod dpop;
mod groups;
pub mod jwks;
pub mod jwt;
mod object;
pub mod opaque;
pub mod pem;
mod rejection;
pub mod scope;
mod sender_fault;
pub mod signature;
mod stated;
pub mod status_list;
mod time;
mod written;

use std::hash::{Hash, Hasher};

use aws_lc_rs::digest;

pub use claims::{Audience, Claims, Policy, StatusReference, TokenStatus};
pub use confirmation::Confirmation;
pub use groups::Groups;
pub use rejection::{Rejection, Section};
pub use sender_fault::{CertificateFault, SenderFault};
pub use stated::StatedClaims;
pub use time::{UnixTime, WallClock};
pub use written::WrittenObject;

/// What a store or a cache knows a token by: the SHA-256 of its text (opaque) or of its `jti` (JWT),
/// so that a stolen table holds no usable token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenId([u8; 32]);

/// By a part of it: it is a hash already, and 32 bytes take maps longer than 8.
impl Hash for TokenId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.first_bits());
    }
}

impl TokenId {
    /// The name of the token that is this text, or that has it as its `jti`.
    pub fn of(text: &str) -> Self {
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        Self(digest.as_ref().try_into().expect("SHA-256 is 32 bytes long"))
    }

    /// The hash.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A number of its own from 0 to below 1, uniform over tokens.
    pub fn uniform(self) -> f64 {
        let [a, b, c, d, ..] = self.0;
        f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0)
    }

    /// A part of it that is as good as random: of a million tokens two have the same once in 37 million times.
    pub fn first_bits(&self) -> u64 {
        u64::from_le_bytes(*self.0.first_chunk().expect("32 bytes are more than 8"))
    }

    /// The hash in base64url, as servers ask each other for a token without sending it.
    pub fn to_base64url(self) -> String {
        base64url::encode(self.0)
    }

    /// What that says; `None` if it is no hash.
    pub fn from_base64url(text: &str) -> Option<Self> {
        base64url::decode(text).ok()?.try_into().ok().map(Self)
    }
}
