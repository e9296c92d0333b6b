//! One compact-JWS path for every signature scheme (RFC 7515, RFC 8725, RFC 9068), and a peer to compare it with.

mod check;
mod examination;
mod header;
mod key_ring;
mod keys;
mod library;
mod signing;
pub mod size;

pub use check::{CHECKS, CheckOutcome, CheckReport, TokenCheck};
pub use examination::{Asked, Examination, named_key, readable_claims, stated_claims, stated_expiry};
pub use key_ring::KeyRing;
pub(super) use key_ring::TokenParts;
pub use keys::Trust;
pub use library::LibraryRing;
pub use signing::SigningKey;

pub use crate::auth::token::signature::{AnotherBackEnd, BackEnd};

/// The media type of an access token (RFC 9068 section 2.1).
const TYPE: &str = "at+jwt";

/// Larger than every token that a signature scheme with claims of common size makes; refused before any work.
pub const MAX_CHARACTERS: usize = 64 * 1024;

#[cfg(test)]
mod tests;
