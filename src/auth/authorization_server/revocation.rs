//! Revocation (RFC 7009): of a token, or of everything that was issued for a refresh token.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{AuthorizationServer, Client};
use crate::auth::revocation_event::RevocationEvent;
use crate::auth::store::{Grant, Record, RevokedToken, StoreError};
use crate::auth::token::{Claims, TokenId};

/// Why a token was not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// It was issued to another client (RFC 7009 section 2.1).
    #[error("the token was issued to another client")]
    OfAnotherClient,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuthorizationServer {
    /// Makes a token of this client worthless (RFC 7009). When this is done, no later introspection says active.
    /// A token that is worthless already, or was never one, needs nothing; one of another client is refused. With a refresh token, also one
    /// that was used, its whole grant is revoked; with an access token that one alone.
    pub async fn revoke(&self, client: &Client, token: &str) -> Result<(), RevokeError> {
        if let Some((id, grant)) = self.grant_of(TokenId::of(token)).await? {
            return if grant.client_id == client.id {
                Ok(self.revoke_grant(id).await?)
            } else {
                Err(RevokeError::OfAnotherClient)
            };
        }
        match self.find(token).await? {
            None => Ok(()),
            Some((_, claims)) if claims.client_id != client.id => Err(RevokeError::OfAnotherClient),
            Some((id, claims)) => Ok(self.revoke_access_token(id, TokenId::of(token), &claims).await?),
        }
    }

    /// Makes everything that was issued for a grant worthless. When this is done, no later introspection says active.
    pub(super) async fn revoke_grant(&self, grant: TokenId) -> Result<(), StoreError> {
        let end = |known: Option<&Record>| {
            let Some(Record::Grant(known)) = known else { return None };
            let ended = Grant { is_revoked: true, ..(**known).clone() };
            (!known.is_revoked).then(|| Record::Grant(Arc::new(ended)))
        };
        let Some(Record::Grant(known)) = self.store.update(grant, &end).await? else { return Ok(()) };
        // Also if somebody else has ended it: maybe that one is not this far.
        let now = self.clock.now();
        for (id, claims) in known.access.iter().filter(|(_, claims)| now < claims.exp + self.grace) {
            self.revoke_access_token(*id, *id, claims).await?;
        }
        Ok(())
    }

    /// Revokes a token by its name in the store. `text` is what resource servers that know it by its text call it; where the store does not
    /// know that, they are told by its `jti`.
    async fn revoke_access_token(
        &self,
        id: TokenId,
        text: TokenId,
        claims: &Claims,
    ) -> Result<(), StoreError> {
        let expiry = claims.exp + self.grace;
        let idx = claims.status.as_ref().map(|status| status.status_list.idx);
        let (jti, revoked) = (Arc::<str>::from(&*claims.jti), self.clock.now());
        let event = RevocationEvent { jti: Arc::clone(&jti), token: text, exp: expiry };
        let token = RevokedToken { jti, idx, revoked, expiry };
        // Of one that was revoked before, the first date counts.
        let is_revoked = |known: Option<&Record>| matches!(known, Some(Record::Revoked(_)));
        let end = |known: Option<&Record>| (!is_revoked(known)).then(|| Record::Revoked(token.clone()));
        let known = self.store.update(id, &end).await?;
        if !is_revoked(known.as_ref()) {
            self.revocations.fetch_add(1, Ordering::Release);
            // Last: whoever follows and asks has an answer that knows of all that was pushed before.
            self.feed.publish(event);
        }
        Ok(())
    }
}
