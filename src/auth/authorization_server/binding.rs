//! Binds tokens to the keys of those who ask for them (RFC 9449 section 5).

use crate::auth::authorization_server::{AuthorizationServer, Client, IssueError, Issued};
use crate::auth::token::Confirmation;
use crate::auth::token::dpop::{ProofFault, ProofVerifier};

impl AuthorizationServer {
    /// The same, which binds every token to the key that its client proves to have; `proofs` decides on those for the token endpoint.
    #[must_use]
    pub fn binding_by(mut self, proofs: Option<ProofVerifier>) -> Self {
        self.proofs = proofs;
        self
    }

    /// The algorithm that proofs must be signed with, if any are asked for.
    pub fn proof_algorithm(&self) -> Option<&'static str> {
        self.proofs.as_ref().map(ProofVerifier::algorithm)
    }

    /// The key that a token is bound to, by all proofs that came with a request for it to the token endpoint; `None` if none is asked for.
    pub fn confirmation<'a>(
        &self,
        method: &str,
        proofs: impl IntoIterator<Item = &'a str>,
    ) -> Result<Option<Confirmation>, ProofFault> {
        let Some(verifier) = &self.proofs else { return Ok(None) };
        let proof = verifier.verify(method, proofs, None, self.clock.now())?;
        Ok(Some(Confirmation::of_key(proof.thumbprint)))
    }

    /// Issues a token by the client credentials grant (RFC 6749 section 4.4) that is bound to nobody's key.
    pub async fn issue(&self, client: &Client) -> Result<Issued, IssueError> {
        self.issue_bound(client, None).await
    }
}
