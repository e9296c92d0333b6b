//! Why a token is refused.

use std::fmt;

/// The first check that a token did not pass. The texts go into a `WWW-Authenticate` header (RFC 6750 section 3):
/// no quotes, no backslashes, and nothing that the token itself says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Larger than any header that should reach this far.
    #[error("the token is too large")]
    TooLarge,
    /// No compact JWS (RFC 7515 section 7.1).
    #[error("the token is not three parts joined by dots")]
    NotThreeParts,
    /// Padding, white space, another character, or stray bits at the end (RFC 7515 section 2).
    #[error("the {0} of the token cannot be read as base64url without padding")]
    NotBase64Url(Section),
    /// No JSON object in UTF-8, something behind it, or nesting too deep.
    #[error("the {0} of the token cannot be read as a JSON object")]
    NotJson(Section),
    /// A member stands there more than once (RFC 7515 section 4, RFC 7519 section 4), however it is spelled.
    #[error("a member of the {0} of the token stands there twice")]
    Twice(Section),
    /// A member is of another type than its standard says.
    #[error("{1} in the {0} of the token has a wrong form")]
    WrongForm(Section, &'static str),
    /// A required member is not there.
    #[error("{1} is missing in the {0} of the token")]
    Lacks(Section, &'static str),
    /// `crit` names extensions that must be understood; none is (RFC 7515 section 4.1.11).
    #[error("the token asks for an extension by crit")]
    Critical,
    /// `typ` is not `at+jwt` (RFC 9068 section 4).
    #[error("the token is of another type")]
    WrongType,
    /// No `kid`, and more than one key that it could be.
    #[error("the token does not name its key, and there are several")]
    UnnamedKey,
    /// The authorization server publishes no such key.
    #[error("the token is signed with an unknown key")]
    UnknownKey,
    /// `alg` in the header is not the algorithm of the key (RFC 8725 section 3.1).
    #[error("the algorithm of the token is not that of its key")]
    WrongAlgorithm,
    /// The signature does not fit.
    #[error("the signature of the token is invalid")]
    BadSignature,
    /// `iss` is another authorization server.
    #[error("the token comes from another issuer")]
    WrongIssuer,
    /// `aud` does not name this resource server.
    #[error("the token is meant for another audience")]
    WrongAudience,
    /// `exp` has passed.
    #[error("the token expired")]
    Expired,
    /// `nbf` is to come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The token is good, but not for this.
    #[error("the token lacks the scope")]
    InsufficientScope,
    /// The authorization server says `"active": false` (RFC 7662 section 2.2), or lists it as revoked.
    #[error("the token is not active")]
    Inactive,
    /// Its place is not in the status list that was fetched, or in another list (Token Status List section 8.3).
    #[error("the status list says nothing of the token")]
    NoStatus,
    /// The authorization server could not be asked. Nothing is known of the token.
    #[error("the authorization server cannot be asked")]
    Undecided,
}

/// A part of a compact JWS (RFC 7515 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// The first.
    Header,
    /// The second.
    Claims,
    /// The third.
    Signature,
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Claims => "claims",
            Self::Signature => "signature",
        })
    }
}
