//! Why a sender is not believed.

/// The first check of RFC 9449 section 4.3 that a request did not pass. The texts go into a `WWW-Authenticate` header: no quotes, no
/// backslashes, and nothing that the request itself says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    /// There is none.
    #[error("the request carries no proof")]
    Missing,
    /// There must be one.
    #[error("the request carries more than one proof")]
    Several,
    /// No compact JWS of two JSON objects, or one with an extension that must be understood.
    #[error("the proof is no JWT that can be read")]
    Malformed,
    /// `typ` is not `dpop+jwt`.
    #[error("the proof is of another type")]
    Type,
    /// `alg` is none that is accepted; a symmetric one never is.
    #[error("the algorithm of the proof is not accepted here")]
    Algorithm,
    /// `jwk` is missing, or no key for `alg`.
    #[error("the proof names no key for its algorithm")]
    Key,
    /// `jwk` is a secret.
    #[error("the key in the proof is not a public one")]
    SecretKey,
    /// A claim that must be there is not.
    #[error("{0} is missing in the proof")]
    Lacks(&'static str),
    /// `htm` is another method.
    #[error("the proof is for another method")]
    Method,
    /// `htu` is another resource.
    #[error("the proof is for another resource")]
    Resource,
    /// `iat` is too long ago, or to come.
    #[error("the proof was not made just now")]
    Date,
    /// `ath` is not the hash of the token that was sent.
    #[error("the proof is for another token")]
    Token,
    /// The signature does not fit the key.
    #[error("the signature of the proof is invalid")]
    Signature,
    /// The server asks for a nonce, and this is none that still counts (RFC 9449 section 9).
    #[error("the proof needs a fresh nonce of this server")]
    Nonce,
    /// The same `jti` was there before.
    #[error("the proof was used before")]
    Replayed,
    /// The token is bound to no key, so that whoever stole it could prove as much (RFC 9449 section 7.1).
    #[error("the token is not bound to a key")]
    Unbound,
    /// The token is bound to another key than that of the proof.
    #[error("the token is bound to another key")]
    OtherKey,
    /// The token is bound to a key, and nobody proved to have it (RFC 9449 section 7.2).
    #[error("the token is bound to a key, which was not proven")]
    Unproven,
}

impl ProofFault {
    /// The error code of the challenge (RFC 9449 sections 7.1 and 9, RFC 6750 section 3.1).
    pub fn code(self) -> &'static str {
        match self {
            Self::Unbound | Self::OtherKey | Self::Unproven => "invalid_token",
            Self::Nonce => "use_dpop_nonce",
            _ => "invalid_dpop_proof",
        }
    }
}
