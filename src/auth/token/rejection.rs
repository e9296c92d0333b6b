//! Why a token is refused.

/// The first check that a token did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No compact JWS, or claims that are no RFC 9068 claims.
    #[error("the token is malformed")]
    Malformed,
    /// Larger than any header that should reach this far.
    #[error("the token is too large")]
    TooLarge,
    /// `typ` is not `at+jwt` (RFC 9068 section 4).
    #[error("the token is of another type")]
    WrongType,
    /// The authorization server publishes no such key.
    #[error("the token is signed with an unknown key")]
    UnknownKey,
    /// `alg` in the header is not the algorithm of the key (RFC 8725 section 3.1).
    #[error("the algorithm of the token is not that of its key")]
    WrongAlgorithm,
    /// The signature does not fit.
    #[error("the signature of the token is invalid")]
    BadSignature,
    /// `exp` has passed.
    #[error("the token expired")]
    Expired,
    /// `iss` is another authorization server.
    #[error("the token comes from another issuer")]
    WrongIssuer,
    /// `aud` does not name this resource server.
    #[error("the token is meant for another audience")]
    WrongAudience,
    /// The authorization server says `"active": false` (RFC 7662 section 2.2).
    #[error("the token is not active")]
    Inactive,
    /// The token is good, but not for this.
    #[error("the token lacks the scope")]
    InsufficientScope,
    /// The authorization server could not be asked. Nothing is known of the token.
    #[error("the authorization server cannot be asked")]
    Undecided,
}
