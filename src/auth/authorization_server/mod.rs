//! The authorization server itself, without HTTP: issues, introspects, revokes, publishes keys.

mod batch;
mod binding;
mod grants;
mod in_memory;
mod inside;
mod minting;
mod publication;
mod revocation;
mod revocation_document;
mod revocation_feed;
mod signed_answers;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::auth::issuer::Introspection;
use crate::auth::store::{Record, RevokedToken, StoreError, TokenStore};
use crate::auth::token::jwks::JwkSet;
use crate::auth::token::signature::SigningError;
use crate::auth::token::{
    Audience, Claims, Confirmation, Groups, StatusReference, TokenId, TokenStatus, UnixTime, WallClock,
    opaque,
};

pub use binding::TokenBinding;
pub use grants::RefreshError;
pub use in_memory::IN_MEMORY_CLIENT;
pub use minting::{JwtError, Minting, Signing, signature_of};
pub use publication::{KEY_SET_PATH, Publication, PublicationError};
pub use revocation::RevokeError;
pub use revocation_document::RevocationDocument;
pub use revocation_feed::RevocationFeed;

/// Issues tokens to its clients and answers for them.
pub struct AuthorizationServer {
    issuer: String,
    clients: HashMap<String, Client>,
    minting: Minting,
    store: Arc<dyn TokenStore>,
    publications: Vec<Box<dyn Publication>>,
    /// Where its status list is, if it publishes one.
    status_list: Option<String>,
    /// For whom it exchanges tokens.
    exchanges_for: Vec<String>,
    /// How long after its expiry a revoked token is remembered: the longest that a publication asks for.
    grace: Duration,
    /// What it binds tokens to, if to anything.
    binding: Option<TokenBinding>,
    revocations: AtomicU64,
    feed: RevocationFeed,
    clock: WallClock,
}

/// A confidential client (RFC 6749 section 2.1), and what the tokens issued to it say.
#[derive(Clone, Debug)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: String,
    /// Whom its tokens are meant for.
    pub audience: String,
    /// What its tokens allow, separated by spaces.
    pub scope: String,
    /// How long its tokens live.
    pub lifetime: Duration,
    /// How long it may have each refreshed (RFC 6749 section 6), if it may.
    pub refreshes_for: Option<Duration>,
    /// How far in the past its tokens are dated: more than the lifetime makes expired tokens for tests.
    pub age: Duration,
    /// The groups that its tokens name.
    pub groups: Groups,
}

/// A token just issued.
#[derive(Debug)]
pub struct Issued {
    /// The token.
    pub token: String,
    /// What it says.
    pub claims: Arc<Claims>,
    /// What brings the next one, if the client may have it refreshed.
    pub refresh_token: Option<String>,
}

/// Why no token was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The signature failed.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuthorizationServer {
    /// A server that calls itself `issuer`.
    pub fn new(
        issuer: String,
        clients: impl IntoIterator<Item = Client>,
        minting: Minting,
        store: Arc<dyn TokenStore>,
        clock: WallClock,
    ) -> Self {
        let clients = clients.into_iter().map(|client| (client.id.clone(), client)).collect();
        let publications: Vec<Box<dyn Publication>> = vec![Box::new(publication::PublishedKeys)];
        Self {
            issuer,
            clients,
            minting,
            store,
            publications,
            status_list: None,
            exchanges_for: Vec::new(),
            grace: Duration::ZERO,
            binding: None,
            revocations: AtomicU64::new(0),
            feed: RevocationFeed::default(),
            clock,
        }
    }

    /// Publishes these documents beside its keys; of several with one path the first, which then tells of a token for as long as any
    /// of them asks.
    #[must_use]
    pub fn publishing(mut self, publications: impl IntoIterator<Item = Box<dyn Publication>>) -> Self {
        for publication in publications {
            self.grace = self.grace.max(publication.grace());
            if publication.is_status_list() {
                self.status_list = Some(format!("{}{}", self.issuer, publication.path()));
            }
            if self.publications.iter().all(|known| known.path() != publication.path()) {
                self.publications.push(publication);
            }
        }
        self
    }

    /// The same, which exchanges tokens for these audiences and no others: one that did for any would undo what an audience is for.
    #[must_use]
    pub fn exchanging_for(mut self, audiences: impl IntoIterator<Item = String>) -> Self {
        self.exchanges_for.extend(audiences);
        self
    }

    /// The documents that it publishes, the keys first.
    pub fn publications(&self) -> &[Box<dyn Publication>] {
        &self.publications
    }

    /// The date by its clock.
    pub fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// Its name: the `iss` of its tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The client of that name, if the secret is its own.
    pub fn authenticate(&self, id: &str, secret: &str) -> Option<&Client> {
        let client = self.clients.get(id)?;
        verify_slices_are_equal(client.secret.as_bytes(), secret.as_bytes()).ok()?;
        Some(client)
    }

    /// Issues a token by the client credentials grant (RFC 6749 section 4.4), bound to a key if one is given. It stands for every other grant
    /// too: where refresh tokens are wanted, for one with a person behind it.
    pub async fn issue_bound(
        &self,
        client: &Client,
        cnf: Option<Confirmation>,
    ) -> Result<Issued, IssueError> {
        let (id, issued) = self.access_token(client, &client.scope, cnf).await?;
        let Some(lasts) = client.refreshes_for else { return Ok(issued) };
        let refresh_token = self.open_grant(client, (id, Arc::clone(&issued.claims)), lasts).await?;
        Ok(Issued { refresh_token: Some(refresh_token), ..issued })
    }

    /// Issues a token alone, and tells by what name the store knows it.
    async fn access_token(
        &self,
        client: &Client,
        scope: &str,
        cnf: Option<Confirmation>,
    ) -> Result<(TokenId, Issued), IssueError> {
        let status = self.next_status().await?;
        let (id, issued) = self.minted(client, scope, cnf, status)?;
        if self.keeps_claims() {
            self.store.put(id, Record::Issued(Arc::clone(&issued.claims))).await?;
        }
        Ok((id, issued))
    }

    /// Makes a token that no store knows yet, and its name there.
    fn minted(
        &self,
        client: &Client,
        scope: &str,
        cnf: Option<Confirmation>,
        status: Option<TokenStatus>,
    ) -> Result<(TokenId, Issued), SigningError> {
        let iat = self.clock.now() - client.age;
        let claims = Arc::new(Claims {
            iss: self.issuer.clone(),
            sub: client.id.clone(),
            aud: Audience::one(&*client.audience),
            client_id: client.id.clone(),
            scope: scope.to_owned(),
            iat,
            nbf: None,
            exp: iat + client.lifetime,
            jti: opaque::mint(),
            status,
            groups: client.groups.clone(),
            cnf,
        });
        let token = match &self.minting {
            Minting::Jwt(signing) => {
                let (id, token) = (TokenId::of(&claims.jti), signing.key.sign(&claims)?);
                return Ok((id, Issued { token, claims, refresh_token: None }));
            }
            Minting::Opaque | Minting::Phantom(_) => opaque::mint(),
            Minting::Split(signing) => signature_of(&signing.key.sign(&claims)?).to_owned(),
        };
        Ok((TokenId::of(&token), Issued { token, claims, refresh_token: None }))
    }

    /// Whether the store keeps what tokens say: JWTs say it themselves.
    fn keeps_claims(&self) -> bool {
        !matches!(self.minting, Minting::Jwt(_))
    }

    /// The groups of whom a token speaks for, which are not read from it.
    fn groups_of(&self, claims: &Claims) -> Groups {
        self.clients.get(&claims.sub).map(|client| client.groups.clone()).unwrap_or_default()
    }

    /// A place in the status list that no other token has, where JWTs refer to one.
    async fn next_status(&self) -> Result<Option<TokenStatus>, StoreError> {
        let Some(uri) = self.status_uri() else { return Ok(None) };
        let idx = self.store.take_numbers(1).await?;
        Ok(Some(TokenStatus { status_list: StatusReference { idx, uri: uri.clone() } }))
    }

    /// Where the status list is that its tokens refer to, if they do.
    fn status_uri(&self) -> Option<&String> {
        self.status_list.as_ref().filter(|_| matches!(self.minting, Minting::Jwt(_)))
    }

    /// How many places of its status list were given away.
    pub async fn places(&self) -> Result<u64, StoreError> {
        self.store.take_numbers(0).await
    }

    /// A JWT of a type of its own, signed with the key of the tokens.
    pub fn sign_as(&self, typ: &str, payload: &[u8]) -> Result<String, PublicationError> {
        let signing = self.minting.signing().ok_or(PublicationError::NoKey)?;
        Ok(signing.key.sign_as(typ, payload)?)
    }

    /// Tells what a token means (RFC 7662).
    pub async fn introspect(&self, token: &str) -> Result<Introspection, StoreError> {
        let claims = self.active(token).await?;
        let active = claims.map(|claims| Introspection::Active(Arc::unwrap_or_clone(claims).into()));
        Ok(active.unwrap_or(Introspection::Inactive))
    }

    /// The tokens that were revoked, and that somebody may still accept.
    pub async fn revoked(&self) -> Result<Vec<RevokedToken>, StoreError> {
        let now = self.clock.now();
        let mut revoked = self.store.revoked().await?;
        revoked.retain(|token| now < token.expiry);
        Ok(revoked)
    }

    /// How many tokens it has revoked so far: when that is the same, so are the revoked ones, but for those that expired.
    pub fn revocations(&self) -> u64 {
        self.revocations.load(Ordering::Acquire)
    }

    /// Its revocations as they happen.
    pub fn feed(&self) -> &RevocationFeed {
        &self.feed
    }

    /// The published keys, without what only their owners know; none where nothing is signed.
    pub fn key_set(&self) -> JwkSet {
        let Some(signing) = self.minting.signing() else { return JwkSet::default() };
        let mut keys = vec![signing.key.public()];
        for key in &signing.others {
            // A key that is named twice, or signs already, is published once.
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        JwkSet::of(keys)
    }

    /// The claims of a token that is ours, not revoked, and has not expired.
    async fn active(&self, token: &str) -> Result<Option<Arc<Claims>>, StoreError> {
        let known = self.find(token).await?.map(|(_, claims)| claims);
        Ok(known.filter(|claims| self.clock.now() < claims.exp))
    }

    /// The token's name in the store and its claims, unless it is none of ours or revoked.
    async fn find(&self, token: &str) -> Result<Option<(TokenId, Arc<Claims>)>, StoreError> {
        match &self.minting {
            Minting::Opaque | Minting::Phantom(_) | Minting::Split(_) => {
                let id = TokenId::of(token);
                Ok(match self.store.find(id).await? {
                    Some(Record::Issued(claims)) => Some((id, claims)),
                    Some(_) | None => None,
                })
            }
            Minting::Jwt(signing) => {
                let Ok(mut claims) = signing.keys.authenticate(token) else { return Ok(None) };
                claims.groups = self.groups_of(&claims);
                let id = TokenId::of(&claims.jti);
                let revoked = self.store.find(id).await?.is_some();
                Ok((!revoked).then(|| (id, Arc::new(claims))))
            }
        }
    }
}
