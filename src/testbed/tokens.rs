//! The tokens of a trial: issued by the authorization server, and made bad where they should be.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::auth::authorization_server::signature_of;
use crate::auth::token::jwt::{self, SigningKey, stated_claims};
use crate::auth::token::signature::{KeyError, SignatureScheme, SigningError};
use crate::auth::token::{Audience, Claims, Groups, Policy, UnixTime, WallClock, opaque};
use crate::design::TokenFormat;
use crate::observation::ReadableClaims;
use crate::plan::{BadKind, Pool, TokenClass};
use crate::registry::Part;
use crate::testbed::authorization_server::MOST_TOKENS;
use crate::testbed::client::{CallError, Client};
use crate::testbed::desk::{Desk, Fate, SuppliedToken};
use crate::testbed::issued::Issued;
use crate::testbed::spec::{ClientSpec, Credentials};
use crate::testbed::token_owner::TokenOwner;

/// The audience and the scope that the resource servers of the test bed ask for.
pub(super) const AUDIENCE: &str = "https://api.example/";
pub(super) const SCOPE: &str = "read";

/// When the tokens of a trial were issued; they themselves are handed on as they come.
#[derive(Clone, Debug)]
pub struct TokenSupply {
    /// When the issuing of the first began.
    pub issued: Issued,
    /// When the issuing of those that will be revoked began.
    pub watched_issued: Issued,
    /// How many of the bad tokens cannot be read as the JWTs that clients hold, in the order of the plan's mix.
    pub unreadable: Vec<u32>,
}

/// No tokens.
#[derive(Debug, thiserror::Error)]
pub enum SupplyError {
    /// The authorization server did not issue one.
    #[error("no token was issued")]
    Call(#[from] CallError),
    /// Its answer was not one of RFC 6749 section 5.1.
    #[error("the answer of the token endpoint lacks an access token")]
    Answer(#[from] serde_json::Error),
    /// No key for the tokens of a stranger.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No signature for them.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

impl SupplyError {
    /// Whether the authorization server has answered that it will not, rather than not at all.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Call(CallError::Status { status, .. }) if status.is_client_error())
    }
}

/// A client of the authorization server from which tokens of one kind come.
pub(super) struct Registration {
    pub(super) id: &'static str,
    audience: &'static str,
    age: Duration,
}

/// Its tokens are good.
pub(super) const GOOD: Registration = Registration { id: "load", audience: AUDIENCE, age: Duration::ZERO };
/// Its tokens are meant for somebody else.
pub(super) const ELSEWHERE: Registration =
    Registration { id: "elsewhere", audience: "https://other.example/", age: Duration::ZERO };
/// Its tokens expired, by more than any leeway, before they were issued.
pub(super) const LATE: Registration =
    Registration { id: "late", audience: AUDIENCE, age: Duration::from_hours(24) };

impl Registration {
    pub(super) fn credentials(&self) -> Credentials {
        Credentials { client_id: self.id.to_owned(), client_secret: format!("secret of {}", self.id) }
    }

    pub(super) fn spec(&self, lifetime: Duration, extra_claims: u32) -> ClientSpec {
        // A dated token is a day past its end whatever its lifetime.
        let age = if self.age.is_zero() { Duration::ZERO } else { lifetime + self.age };
        ClientSpec {
            credentials: self.credentials(),
            audience: self.audience.to_owned(),
            scope: SCOPE.to_owned(),
            lifetime,
            refreshes_for: None,
            age,
            extra_claims,
        }
    }
}

/// How many tokens were issued so far, for those who watch.
pub type Count = Arc<AtomicU64>;

/// How many tokens a trial has issued and signed.
pub fn needed(pool: &Pool, watched: usize) -> u64 {
    let is_signed = |kind: &BadKind| match kind {
        BadKind::Expired | BadKind::WrongAudience | BadKind::Unknown | BadKind::Revoked => true,
        BadKind::Garbage | BadKind::Tampered => false,
    };
    let kinds = pool.mix.iter().filter(|(kind, _)| is_signed(kind)).count() as u64;
    u64::from(pool.live) + kinds * u64::from(pool.bad_per_kind) + watched as u64
}

/// An authorization server, as those see it who need tokens.
pub(super) struct Source<'a> {
    pub(super) client: &'a Client,
    /// Its URL.
    pub(super) issuer: &'a str,
    /// What its clients hold.
    pub(super) outside: TokenFormat,
    /// What its tokens are signed with; nothing for opaque ones.
    pub(super) scheme: Option<Part<dyn SignatureScheme>>,
    /// Bytes by which groups make its tokens larger.
    pub(super) extra_claims: u32,
    /// Whose they are.
    pub(super) owner: &'a TokenOwner,
    /// Whether many are issued at once: those that a program of others keeps, which takes each by itself slowly.
    pub(super) together: bool,
    /// Counts the tokens as they come.
    pub(super) so_far: &'a Count,
}

/// Takes tokens, class after class.
pub type Sink<'a> = dyn FnMut(TokenClass, SuppliedToken) + 'a;

/// Hands every token of the trial to `sink`: the valid ones, the bad ones in the order of the plan's mix, the watched ones.
pub(super) async fn supply(
    source: &Source<'_>,
    pool: &Pool,
    watched: usize,
    sink: &mut Sink<'_>,
) -> Result<TokenSupply, SupplyError> {
    let issued = Issued::now();
    let some = pool.bad_per_kind as usize;
    let to_alter = if pool.mix.iter().any(|(kind, _)| *kind == BadKind::Tampered) { some } else { 0 };
    let mut altered = Vec::new();
    source
        .issue(&GOOD, Fate::Kept, pool.live as usize, |token| {
            if altered.len() < to_alter {
                altered.push(tampered(&token.text));
            }
            sink(TokenClass::Valid, token);
        })
        .await?;
    let mut unreadable = vec![0; pool.mix.len()];
    for (number, (kind, _)) in pool.mix.iter().enumerate() {
        let mut bad = |token: SuppliedToken| {
            unreadable[number] += u32::from(is_unreadable(source.outside, &token.text));
            sink(TokenClass::Bad(number), token);
        };
        match kind {
            BadKind::Expired => source.issue(&LATE, Fate::Kept, some, bad).await?,
            BadKind::Garbage => (0..some).for_each(|_| bad(garbage().into())),
            BadKind::WrongAudience => source.issue(&ELSEWHERE, Fate::Kept, some, bad).await?,
            BadKind::Tampered => {
                altered.iter().cycle().take(some).for_each(|token| bad(token.clone().into()));
            }
            BadKind::Unknown => source.unknown(some, bad).await?,
            BadKind::Revoked => source.issue(&GOOD, Fate::Revoked, some, bad).await?,
        }
    }
    let watched_issued = Issued::now();
    source.issue(&GOOD, Fate::Kept, watched, |token| sink(TokenClass::Watched, token)).await?;
    Ok(TokenSupply { issued, watched_issued, unreadable })
}

/// Requests under way at once: enough to keep the authorization server busy, few enough that the last of them
/// does not wait for longer than the client's patience where a signature takes a fifth of a second.
const AT_ONCE: usize = 8;
/// Tokens that may wait to be taken.
const WAITING: usize = 64;

impl Source<'_> {
    /// Has `count` tokens issued to a client, and hands on each of them.
    async fn issue(
        &self,
        from: &Registration,
        fate: Fate,
        count: usize,
        mut each: impl FnMut(SuppliedToken),
    ) -> Result<(), SupplyError> {
        if self.together && fate == Fate::Kept {
            return self.issue_together(from, count, each).await;
        }
        let (sender, mut issued) = mpsc::channel(WAITING);
        let mut tasks = JoinSet::new();
        for share in 0..AT_ONCE {
            let count = count / AT_ONCE + usize::from(share < count % AT_ONCE);
            let desk = Desk::at(self.client.clone(), self.issuer, from, self.owner.clone());
            let sender = sender.clone();
            tasks.spawn(async move {
                for _ in 0..count {
                    let token = desk.issue(fate).await;
                    // After a failure nobody takes tokens any more.
                    if sender.send(token).await.is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        while let Some(token) = issued.recv().await {
            each(token?);
            self.so_far.fetch_add(1, Ordering::Relaxed);
        }
        tasks.join_all().await;
        Ok(())
    }

    async fn issue_together(
        &self,
        from: &Registration,
        count: usize,
        mut each: impl FnMut(SuppliedToken),
    ) -> Result<(), SupplyError> {
        let desk = Desk::at(self.client.clone(), self.issuer, from, TokenOwner::Anybody);
        for begin in (0..count).step_by(MOST_TOKENS) {
            for token in desk.issue_many(MOST_TOKENS.min(count - begin)).await? {
                each(token.into());
                self.so_far.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Tokens in the right form that another server issued. Signing may take long: a thread of its own does it.
    async fn unknown(&self, count: usize, mut each: impl FnMut(SuppliedToken)) -> Result<(), SupplyError> {
        let Some(scheme) = self.scheme.clone() else {
            (0..count).for_each(|_| each(opaque::mint().into()));
            return Ok(());
        };
        let (issuer, outside) = (self.issuer.to_owned(), self.outside);
        let groups = Groups::filling(self.extra_claims);
        let cnf = self.owner.confirmation();
        let (sender, mut signed) = mpsc::channel(WAITING);
        let signing = tokio::task::spawn_blocking(move || {
            let stranger = SigningKey::generate(&*scheme)?;
            let iat = WallClock::system().now();
            for _ in 0..count {
                let claims = claims(&issuer, iat, groups.clone());
                let jwt = stranger.sign(&Claims { cnf: cnf.clone(), ..claims })?;
                let token = match outside {
                    TokenFormat::Signature => signature_of(&jwt).to_owned(),
                    TokenFormat::Opaque | TokenFormat::Jwt => jwt,
                };
                if sender.blocking_send(token).is_err() {
                    break;
                }
            }
            Ok(())
        });
        while let Some(token) = signed.recv().await {
            each(token.into());
            self.so_far.fetch_add(1, Ordering::Relaxed);
        }
        signing.await.expect("a library that does not sign says so")
    }
}

/// What a client can read of the claims of a token.
pub fn readable_claims(token: &str) -> ReadableClaims {
    let (members, bytes) = jwt::readable_claims(token);
    ReadableClaims { members, bytes }
}

/// The form that asks to revoke a token (RFC 7009 section 2.1).
pub(super) fn revocation(token: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish()
}

/// Nothing that any server issued, in characters that a bearer token may have (RFC 6750 section 2.1).
fn garbage() -> String {
    format!("garbage~{}==", opaque::mint())
}

/// A good token with one character changed: of a JWT the middle is its claims or its signature.
fn tampered(token: &str) -> String {
    let middle = token.len() / 2;
    let swapped = if token.as_bytes()[middle] == b'A' { 'B' } else { 'A' };
    token[..middle].chars().chain([swapped]).chain(token[middle + 1..].chars()).collect()
}

/// Whether this cannot be read as the JWT that clients hold.
fn is_unreadable(outside: TokenFormat, token: &str) -> bool {
    outside == TokenFormat::Jwt && stated_claims(token).is_err()
}

/// What the resource servers of the test bed ask of every token.
pub(super) fn policy(issuer: &str) -> Policy {
    Policy { issuer: issuer.to_owned(), audience: AUDIENCE.to_owned(), scope: SCOPE.to_owned() }
}

/// Claims like those of a live token.
pub(super) fn claims(issuer: &str, iat: UnixTime, groups: Groups) -> Claims {
    Claims {
        iss: issuer.to_owned(),
        sub: GOOD.id.to_owned(),
        aud: Audience::one(AUDIENCE),
        client_id: GOOD.id.to_owned(),
        scope: SCOPE.to_owned(),
        iat,
        nbf: None,
        exp: iat + Duration::from_hours(1),
        jti: opaque::mint(),
        status: None,
        groups,
        cnf: None,
    }
}
