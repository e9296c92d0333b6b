//! Refresh tokens: each is used once, brings the next one, and gives its whole grant away when it is used again.

use std::sync::Arc;
use std::time::Duration;

use super::{AuthorizationServer, Client, IssueError, Issued};
use crate::auth::store::{Grant, Record, RefreshToken, StoreError};
use crate::auth::token::scope::is_within;
use crate::auth::token::{Claims, Confirmation, TokenId, opaque};

/// Why no token was issued for a refresh token.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// It does not count: never issued, issued to another client, revoked or expired.
    #[error("the refresh token is unknown, expired, revoked or issued to another client")]
    Refused,
    /// Somebody has used it before: one of the two is a thief, and nobody knows which.
    #[error("the refresh token was used before, so that everything issued for it is revoked")]
    Reused,
    /// More than was allowed at the beginning.
    #[error("the grant does not allow that scope")]
    Scope,
    /// The next token was not issued.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuthorizationServer {
    /// Issues an access token and the next refresh token in the place of this one (RFC 6749 section 6). Of those who use one refresh token
    /// a single one is served, and with the second use its grant is revoked (RFC 9700 section 4.14.2): access tokens too, as far as those who
    /// accept them learn of it. A client that never got its answer is the second one too, and needs a new grant.
    pub async fn refresh(
        &self,
        client: &Client,
        refresh_token: &str,
        scope: Option<&str>,
        cnf: Option<Confirmation>,
    ) -> Result<Issued, RefreshError> {
        let presented = TokenId::of(refresh_token);
        let grant = self.grant_of(presented).await?.filter(|(_, grant)| grant.client_id == client.id);
        let (id, grant) = grant.ok_or(RefreshError::Refused)?;
        if grant.is_revoked || self.clock.now() >= grant.expiry {
            return Err(RefreshError::Refused);
        }
        if grant.current != presented {
            return self.reused(id).await;
        }
        let scope = scope.unwrap_or(&grant.scope);
        if !is_within(scope, &grant.scope) {
            return Err(RefreshError::Scope);
        }
        let (access, issued) = self.access_token(client, scope, cnf).await?;
        let next = opaque::mint();
        let current = TokenId::of(&next);
        let record = RefreshToken { grant: id, kept_until: grant.kept_until };
        self.store.put(current, Record::Refresh(record)).await?;
        let now = self.clock.now();
        let rotate = |known: Option<&Record>| {
            let known = counting(known, presented)?;
            let mut rotated = Grant { current, ..known.clone() };
            rotated.access.retain(|(_, claims)| now < claims.exp + self.grace);
            rotated.access.push((access, Arc::clone(&issued.claims)));
            Some(Record::Grant(Arc::new(rotated)))
        };
        // Nobody was given the two tokens yet: if another was first, they are forgotten.
        match self.store.update(id, &rotate).await? {
            Some(Record::Grant(known)) if known.is_revoked => Err(RefreshError::Refused),
            Some(Record::Grant(known)) if known.current != presented => self.reused(id).await,
            Some(Record::Grant(_)) => Ok(Issued { refresh_token: Some(next), ..issued }),
            Some(_) | None => Err(RefreshError::Refused),
        }
    }

    async fn reused(&self, grant: TokenId) -> Result<Issued, RefreshError> {
        self.revoke_grant(grant).await?;
        Err(RefreshError::Reused)
    }

    /// Opens a grant with an access token that was just issued, and tells its first refresh token.
    pub(super) async fn open_grant(
        &self,
        client: &Client,
        access: (TokenId, Arc<Claims>),
        lasts: Duration,
    ) -> Result<String, StoreError> {
        let (id, refresh_token) = (TokenId::of(&opaque::mint()), opaque::mint());
        let (current, expiry) = (TokenId::of(&refresh_token), self.clock.now() + lasts);
        let (client_id, scope) = (client.id.clone(), client.scope.clone());
        // The last access token may be issued at the end.
        let kept_until = expiry + (client.lifetime + self.grace);
        let (access, is_revoked) = (vec![access], false);
        let grant = Grant { client_id, scope, current, access, is_revoked, expiry, kept_until };
        self.store.put(id, Record::Grant(Arc::new(grant))).await?;
        self.store.put(current, Record::Refresh(RefreshToken { grant: id, kept_until })).await?;
        Ok(refresh_token)
    }

    /// The grant that a refresh token belongs to, and its name.
    pub(super) async fn grant_of(
        &self,
        refresh_token: TokenId,
    ) -> Result<Option<(TokenId, Arc<Grant>)>, StoreError> {
        let Some(Record::Refresh(token)) = self.store.find(refresh_token).await? else { return Ok(None) };
        Ok(match self.store.find(token.grant).await? {
            Some(Record::Grant(grant)) => Some((token.grant, grant)),
            Some(_) | None => None,
        })
    }
}

/// A grant whose refresh token is this one.
fn counting(known: Option<&Record>, refresh_token: TokenId) -> Option<&Grant> {
    match known {
        Some(Record::Grant(grant)) if !grant.is_revoked && grant.current == refresh_token => Some(grant),
        Some(_) | None => None,
    }
}
