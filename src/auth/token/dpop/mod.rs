//! Proofs of possession: a sender signs each request with the key that its token is bound to (`DPoP`, RFC 9449).

mod fault;
mod nonces;
mod proof;
mod proof_key;
mod replays;
#[cfg(test)]
mod tests;
mod uri;
mod verifier;

pub use fault::ProofFault;
pub use proof_key::{ProofKey, ToProve};
pub use verifier::{AcceptedProof, ProofCounts, ProofRules, ProofVerifier};

/// The header with the proof of a request (RFC 9449 section 4.1).
pub const PROOF_HEADER: &str = "dpop";

/// The header with a nonce of the server (RFC 9449 section 8.2).
pub const NONCE_HEADER: &str = "dpop-nonce";

/// The scheme of the `Authorization` header (RFC 9449 section 7.1), and the `token_type` (section 5).
pub const SCHEME: &str = "DPoP";

/// The media type of a proof (RFC 9449 section 4.2).
const TYPE: &str = "dpop+jwt";
