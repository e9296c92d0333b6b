//! Introspection answers that are signed (RFC 9701).

use super::{AuthorizationServer, PublicationError};
use crate::auth::issuer::SIGNED_INTROSPECTION_TYPE;

impl AuthorizationServer {
    /// Tells a client what a token means, in a JWT for nobody else. The audience of the token is not compared with who asks: it is the
    /// resource server that knows its own.
    pub async fn introspect_signed(&self, client_id: &str, token: &str) -> Result<String, PublicationError> {
        let answer = self.introspect(token).await?;
        let payload = answer.to_payload(&self.issuer, client_id, self.clock.now());
        self.sign_as(SIGNED_INTROSPECTION_TYPE, &payload)
    }

    /// The algorithm that it signs with, if it signs.
    pub fn signing_algorithm(&self) -> Option<&str> {
        self.minting.signing().map(|signing| &*signing.key.public().alg)
    }
}
