//! Binds tokens to the keys of those who ask for them (RFC 9449 section 5), or to their certificates (RFC 8705 section 3).

use crate::auth::authorization_server::{AuthorizationServer, Client, IssueError, Issued};
use crate::auth::token::dpop::ProofVerifier;
use crate::auth::token::{CertificateFault, Confirmation, SenderFault};

/// What tokens are bound to.
pub enum TokenBinding {
    /// The key that a proof is signed with; this decides on those for the token endpoint.
    Key(Box<ProofVerifier>),
    /// The certificate of the connection by which they are asked for.
    Certificate,
}

impl AuthorizationServer {
    /// The same, which binds every token in this way, if in any.
    #[must_use]
    pub fn binding_by(mut self, binding: Option<TokenBinding>) -> Self {
        self.binding = binding;
        self
    }

    /// The algorithm that proofs must be signed with, if any are asked for.
    pub fn proof_algorithm(&self) -> Option<&'static str> {
        match &self.binding {
            Some(TokenBinding::Key(proofs)) => Some(proofs.algorithm()),
            Some(TokenBinding::Certificate) | None => None,
        }
    }

    /// Whether it binds tokens to certificates.
    pub fn binds_to_certificates(&self) -> bool {
        matches!(self.binding, Some(TokenBinding::Certificate))
    }

    /// What a token is bound to, by all proofs that came with a request for it to the token endpoint, or by the certificate of its
    /// connection; `None` if it is bound to nothing.
    pub fn confirmation<'a>(
        &self,
        method: &str,
        proofs: impl IntoIterator<Item = &'a str>,
        certificate: Option<&Confirmation>,
    ) -> Result<Option<Confirmation>, SenderFault> {
        match &self.binding {
            None => Ok(None),
            Some(TokenBinding::Key(verifier)) => {
                let proof = verifier.verify(method, proofs, None, self.clock.now())?;
                Ok(Some(Confirmation::of_key(proof.thumbprint)))
            }
            Some(TokenBinding::Certificate) => {
                Ok(Some(certificate.ok_or(CertificateFault::Missing)?.clone()))
            }
        }
    }

    /// Issues a token by the client credentials grant (RFC 6749 section 4.4) that is bound to nobody's key.
    pub async fn issue(&self, client: &Client) -> Result<Issued, IssueError> {
        self.issue_bound(client, None).await
    }
}
