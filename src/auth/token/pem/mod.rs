//! Keys as PEM (RFC 7468), the form that openssl and most libraries keep them in: SPKI, PKCS#8 and their forerunners.

mod algorithm;
mod block;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use block::{PemBlock, blocks};
pub use read::read;
pub use write::{private, public};

/// A text that is no key, or a key that has no PEM form. Tells nothing that stands in a block but names.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PemError(String);
