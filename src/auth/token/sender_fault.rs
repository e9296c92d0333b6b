//! Why a request does not show that its token is the sender's, in whichever way tokens are bound.

use crate::auth::token::dpop::ProofFault;

/// Why it does not. The texts go into a `WWW-Authenticate` header: no quotes, no backslashes, and nothing that the request itself says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SenderFault {
    /// By what is signed for it (RFC 9449).
    #[error(transparent)]
    Proof(#[from] ProofFault),
    /// By the certificate of its connection (RFC 8705).
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
}

/// Why the certificate of a connection does not show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// The client presented none.
    #[error("the client has presented no certificate on this connection")]
    Missing,
    /// The token is bound to no certificate, so that it would be anybody's who stole it.
    #[error("the token is not bound to a certificate")]
    Unbound,
    /// The token is bound to another certificate, or otherwise.
    #[error("the token is bound to something else than the certificate of this connection")]
    Other,
}

impl SenderFault {
    /// The error code of the challenge; RFC 8705 section 3 has one for all that is about certificates.
    pub fn code(self) -> &'static str {
        match self {
            Self::Proof(fault) => fault.code(),
            Self::Certificate(_) => "invalid_token",
        }
    }
}
