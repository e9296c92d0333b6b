//! JWTs in the place of what clients hold: what gateways ask for, to pass it on.

use std::sync::Arc;

use super::{AuthorizationServer, Issued, JwtError, Minting};
use crate::auth::store::{Record, StoreError};
use crate::auth::token::scope::is_within;
use crate::auth::token::{Audience, Claims, TokenId, opaque};

impl AuthorizationServer {
    /// The JWT that means what this token does, signed now, or the token itself if it is one; `None` if it is not active.
    pub async fn introspect_as_jwt(&self, token: &str) -> Result<Option<String>, JwtError> {
        let signing = self.minting.signing().ok_or(JwtError::NoKey)?;
        let Some(claims) = self.active(token).await? else { return Ok(None) };
        Ok(Some(match &self.minting {
            Minting::Jwt(_) => token.to_owned(),
            Minting::Opaque | Minting::Phantom(_) => signing.key.sign(&claims)?,
            Minting::Split(_) => format!("{}.{token}", signing.key.header_and_claims(&claims)),
        }))
    }

    /// What stands before the signature that has this hash, if clients hold signatures and this one is active.
    pub async fn header_and_claims(&self, signature: TokenId) -> Result<Option<String>, StoreError> {
        let Minting::Split(signing) = &self.minting else { return Ok(None) };
        Ok(match self.store.find(signature).await? {
            Some(Record::Issued(claims)) if self.clock.now() < claims.exp => {
                Some(signing.key.header_and_claims(&claims))
            }
            Some(_) | None => None,
        })
    }

    /// The JWT that has this signature, if clients hold signatures and this one is active.
    pub(super) async fn joined(&self, signature: &str) -> Result<Option<String>, JwtError> {
        let rest = self.header_and_claims(TokenId::of(signature)).await?;
        Ok(rest.map(|rest| format!("{rest}.{signature}")))
    }

    /// A JWT for another audience in the place of this token (RFC 8693), with the same expiry, and this scope or the same; `None` if the
    /// token is not active.
    pub async fn exchange(
        &self,
        client_id: &str,
        token: &str,
        audience: &str,
        scope: Option<&str>,
    ) -> Result<Option<Issued>, JwtError> {
        let signing = self.minting.signing().ok_or(JwtError::NoKey)?;
        if !self.exchanges_for.iter().any(|allowed| allowed == audience) {
            return Err(JwtError::Target);
        }
        let Some(subject) = self.active(token).await? else { return Ok(None) };
        let scope = scope.unwrap_or(&subject.scope);
        if !is_within(scope, &subject.scope) {
            return Err(JwtError::Scope);
        }
        let claims = Arc::new(Claims {
            aud: Audience::one(audience),
            client_id: client_id.to_owned(),
            scope: scope.to_owned(),
            iat: self.clock.now(),
            jti: opaque::mint(),
            // It is the gateway's, which does not sign its requests.
            cnf: None,
            ..(*subject).clone()
        });
        Ok(Some(Issued { token: signing.key.sign(&claims)?, claims, refresh_token: None }))
    }
}
