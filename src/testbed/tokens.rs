//! The tokens of a trial: issued by the authorization server, and made bad where they should be.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::Uri;
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::auth::token::jwt::SigningKey;
use crate::auth::token::signature::{KeyError, SignatureScheme, SigningError};
use crate::auth::token::{Audience, Claims, Policy, UnixTime, WallClock, opaque};
use crate::plan::{BAD_KINDS, Pool};
use crate::registry::Part;
use crate::testbed::client::{CallError, Client, uri};
use crate::testbed::issued::Issued;
use crate::testbed::spec::{ClientSpec, Credentials};

/// The audience and the scope that the resource servers of the test bed ask for.
pub(super) const AUDIENCE: &str = "https://api.example/";
pub(super) const SCOPE: &str = "read";

/// The tokens of a trial.
#[derive(Clone, Debug)]
pub struct TokenSupply {
    /// Good ones.
    pub live: Vec<String>,
    /// Bad ones, by what is bad about them.
    pub bad: Vec<(&'static str, Vec<String>)>,
    /// Good ones that will be revoked.
    pub watched: Vec<String>,
    /// When the issuing of the first began.
    pub issued: Issued,
    /// When the issuing of those that will be revoked began.
    pub watched_issued: Issued,
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

/// A client of the authorization server from which tokens of one kind come.
pub(super) struct Registration {
    id: &'static str,
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

    pub(super) fn spec(&self, lifetime: Duration) -> ClientSpec {
        // A dated token is a day past its end whatever its lifetime.
        let age = if self.age.is_zero() { Duration::ZERO } else { lifetime + self.age };
        ClientSpec {
            credentials: self.credentials(),
            audience: self.audience.to_owned(),
            scope: SCOPE.to_owned(),
            lifetime,
            age,
        }
    }
}

/// How many tokens were issued so far, for those who watch.
pub type Count = Arc<AtomicU64>;

/// How many tokens a trial has issued and signed.
pub fn needed(pool: &Pool, watched: usize) -> u64 {
    // Three of the five kinds of bad tokens are signed ones of their own.
    u64::from(pool.live) + 3 * u64::from(pool.bad_per_kind) + watched as u64
}

/// Asks the authorization server at `issuer` for every token of the trial.
pub(super) async fn supply(
    client: &Client,
    issuer: &str,
    scheme: Option<Part<dyn SignatureScheme>>,
    pool: &Pool,
    watched: usize,
    so_far: &Count,
) -> Result<TokenSupply, SupplyError> {
    let begun = Issued::now();
    let some = pool.bad_per_kind as usize;
    let from_client = |from: &Registration, count| {
        issue(client.clone(), issuer.to_owned(), from.credentials(), count, Arc::clone(so_far))
    };
    let live = from_client(&GOOD, pool.live as usize).await?;
    let bad = [
        from_client(&LATE, some).await?,
        (0..some).map(|_| garbage()).collect(),
        from_client(&ELSEWHERE, some).await?,
        live.iter().cycle().take(some).map(|token| tampered(token)).collect(),
        unknown(issuer, scheme, some, so_far).await?,
    ];
    let watched_issued = Issued::now();
    Ok(TokenSupply {
        issued: begun,
        watched_issued,
        watched: from_client(&GOOD, watched).await?,
        bad: BAD_KINDS.into_iter().zip(bad).collect(),
        live,
    })
}

/// Requests under way at once: enough to keep the authorization server busy, few enough that the last of them
/// does not wait for longer than the client's patience where a signature takes a fifth of a second.
const AT_ONCE: usize = 8;

async fn issue(
    client: Client,
    issuer: String,
    credentials: Credentials,
    count: usize,
    so_far: Count,
) -> Result<Vec<String>, SupplyError> {
    let endpoint = uri(&issuer, "/token").expect("the issuer is a URL");
    let mut tasks = JoinSet::new();
    for share in 0..AT_ONCE {
        let count = count / AT_ONCE + usize::from(share < count % AT_ONCE);
        let (client, endpoint, authorization) = (client.clone(), endpoint.clone(), credentials.header());
        let so_far = Arc::clone(&so_far);
        tasks.spawn(async move {
            let mut tokens = Vec::with_capacity(count);
            for _ in 0..count {
                tokens.push(issue_one(&client, &endpoint, &authorization).await?);
                so_far.fetch_add(1, Ordering::Relaxed);
            }
            Ok(tokens)
        });
    }
    let shares: Result<Vec<_>, SupplyError> = tasks.join_all().await.into_iter().collect();
    Ok(shares?.into_iter().flatten().collect())
}

/// The part of a token answer that is needed (RFC 6749 section 5.1).
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
}

async fn issue_one(client: &Client, endpoint: &Uri, authorization: &str) -> Result<String, SupplyError> {
    let answer = client.post(endpoint, authorization, "grant_type=client_credentials".to_owned()).await?;
    let answer: TokenAnswer = serde_json::from_slice(&answer)?;
    Ok(answer.access_token)
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

/// What the resource servers of the test bed ask of every token.
pub(super) fn policy(issuer: &str) -> Policy {
    Policy { issuer: issuer.to_owned(), audience: AUDIENCE.to_owned(), scope: SCOPE.to_owned() }
}

/// Claims like those of a live token.
pub(super) fn claims(issuer: &str, iat: UnixTime) -> Claims {
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
    }
}

/// Tokens in the right form that another server issued. Signing may take long: a thread of its own does it.
async fn unknown(
    issuer: &str,
    scheme: Option<Part<dyn SignatureScheme>>,
    count: usize,
    so_far: &Count,
) -> Result<Vec<String>, SupplyError> {
    let Some(scheme) = scheme else { return Ok((0..count).map(|_| opaque::mint()).collect()) };
    let (issuer, so_far) = (issuer.to_owned(), Arc::clone(so_far));
    let signing = tokio::task::spawn_blocking(move || {
        let stranger = SigningKey::generate(&*scheme)?;
        let iat = WallClock::system().now();
        let tokens = (0..count).map(|_| {
            so_far.fetch_add(1, Ordering::Relaxed);
            stranger.sign(&claims(&issuer, iat))
        });
        Ok(tokens.collect::<Result<_, _>>()?)
    });
    signing.await.expect("a library that does not sign says so")
}
