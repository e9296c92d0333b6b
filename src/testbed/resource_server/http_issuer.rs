//! The authorization server as a resource server reaches it: over HTTP, by pooled connections.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::header::ETAG;
use hyper::{StatusCode, Uri};
use tokio::sync::Semaphore;

use crate::auth::future::BoxFuture;
use crate::auth::issuer::{
    Document, ExchangeKind, Introspection, Issuer, PATIENCE, RevocationStream, SIGNED_INTROSPECTION,
    Unreachable,
};
use crate::auth::revocation_event::EventId;
use crate::testbed::client::{CallError, Client, uri};
use crate::testbed::exchange::{ExchangeRequestForm, is_about_the_token, jwt};
use crate::testbed::resource_server::heard::HeardLog;
use crate::testbed::resource_server::troubles::{Troubles, chain};
use crate::testbed::revocation_events;
use crate::testbed::spec::Credentials;

/// Asks over HTTP.
pub(super) struct HttpIssuer {
    client: Client,
    issuer: String,
    introspect: Uri,
    authorization: String,
    /// One for each connection that there may be.
    connections: Semaphore,
    fetches: AtomicU64,
    failed_fetches: AtomicU64,
    troubles: Troubles,
    heard: HeardLog,
}

/// How often documents were fetched.
#[derive(Clone, Copy)]
pub(super) struct FetchCounts {
    /// All fetches that were begun.
    pub(super) all: u64,
    /// Those that brought nothing that can be used.
    pub(super) failed: u64,
}

/// As many calls of a server may be under way at once; more wait, and fail when they have waited too long. Without a limit a slow authorization
/// server has as many connections from each resource server as requests come within its time-out.
pub const MOST_CALLS: usize = 256;

impl HttpIssuer {
    pub(super) fn new(issuer: &str, credentials: &Credentials) -> Result<Self, Unreachable> {
        Ok(Self {
            client: Client::default(),
            issuer: issuer.to_owned(),
            introspect: uri(issuer, "/introspect").map_err(unreachable)?,
            authorization: credentials.header(),
            connections: Semaphore::new(MOST_CALLS),
            fetches: AtomicU64::new(0),
            failed_fetches: AtomicU64::new(0),
            troubles: Troubles::default(),
            heard: HeardLog::default(),
        })
    }

    pub(super) fn fetch_counts(&self) -> FetchCounts {
        FetchCounts {
            all: self.fetches.load(Ordering::Relaxed),
            failed: self.failed_fetches.load(Ordering::Relaxed),
        }
    }

    /// What was pushed, and when.
    pub(super) fn heard(&self) -> &HeardLog {
        &self.heard
    }

    fn fetch_failed(&self, why: &Unreachable) {
        self.failed_fetches.fetch_add(1, Ordering::Relaxed);
        self.troubles.tell(why);
    }
}

impl Issuer for HttpIssuer {
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        Box::pin(async move {
            let form = about(token);
            let answer = in_time(async {
                let _connection = self.connections.acquire().await.expect("it is never closed");
                self.client.post(&self.introspect, &self.authorization, form).await.map_err(unreachable)
            })
            .await;
            let said = answer.and_then(|json| Introspection::from_json(&json));
            said.inspect_err(|why| self.troubles.tell(why))
        })
    }

    fn introspect_signed<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<String, Unreachable>> {
        Box::pin(async move {
            let form = about(token);
            let answer = in_time(async {
                let _connection = self.connections.acquire().await.expect("it is never closed");
                let answer =
                    self.client.post_for(&self.introspect, &self.authorization, SIGNED_INTROSPECTION, form);
                answer.await.map_err(unreachable)
            })
            .await;
            // No content is no JWT.
            let jwt =
                answer.and_then(|jwt| String::from_utf8(jwt.unwrap_or_default().into()).map_err(unreachable));
            jwt.inspect_err(|why| self.troubles.tell(why))
        })
    }

    fn disbelieved(&self, why: &Unreachable) {
        self.troubles.tell(why);
    }

    fn exchange<'a>(
        &'a self,
        token: &'a str,
        how: ExchangeKind<'a>,
    ) -> BoxFuture<'a, Result<Option<String>, Unreachable>> {
        Box::pin(async move {
            let ExchangeRequestForm { path, media_type, form } = ExchangeRequestForm::of(token, how);
            let uri = uri(&self.issuer, path).map_err(unreachable)?;
            let answer = in_time(async {
                let _connection = self.connections.acquire().await.expect("it is never closed");
                match self.client.post_for(&uri, &self.authorization, media_type, form).await {
                    Err(CallError::Status { status: StatusCode::BAD_REQUEST, body, .. })
                        if matches!(how, ExchangeKind::Token { .. }) && is_about_the_token(&body) =>
                    {
                        Ok(None)
                    }
                    Err(error) if is_refusal(&error) => Err(not_for_this_gateway(&error)),
                    answer => answer.map_err(unreachable),
                }
            })
            .await;
            let jwt = answer.and_then(|answer| answer.map(|answer| jwt(&answer, token, how)).transpose());
            jwt.inspect_err(|why| self.troubles.tell(why))
        })
    }

    fn fetch<'a>(
        &'a self,
        path: &'a str,
        known: Option<&'a str>,
        most_bytes: usize,
    ) -> BoxFuture<'a, Result<Option<Arc<Document>>, Unreachable>> {
        Box::pin(async move {
            self.fetches.fetch_add(1, Ordering::Relaxed);
            let uri = uri(&self.issuer, path).map_err(unreachable)?;
            let answer = in_time(async {
                let answer = self.client.get_unless(&uri, known, most_bytes).await;
                answer.map_err(
                    |error| if is_not_found(&error) { unpublished(&uri) } else { unreachable(error) },
                )
            })
            .await;
            let answer = answer.inspect_err(|why| self.fetch_failed(why))?;
            Ok(answer.map(|(headers, bytes)| {
                let entity_tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
                Arc::new(Document { bytes, entity_tag })
            }))
        })
    }

    fn unreadable(&self, why: &Unreachable) {
        self.fetch_failed(why);
    }

    fn subscribe(
        &self,
        last: Option<EventId>,
        heartbeat: Duration,
    ) -> BoxFuture<'_, Result<RevocationStream, Unreachable>> {
        Box::pin(async move {
            let uri = uri(&self.issuer, &revocation_events::path(heartbeat)).map_err(unreachable)?;
            let last = last.map(|id| id.to_string());
            let following = self.client.follow(&uri, &self.authorization, last.as_deref());
            let body = in_time(async { following.await.map_err(unreachable) }).await?;
            Ok(self.heard.of(revocation_events::read(body)))
        })
    }

    fn channel_broke(&self, why: &Unreachable) {
        self.troubles.tell(why);
    }
}

/// A question about a token (RFC 7662 section 2.1).
fn about(token: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish()
}

async fn in_time<T>(answer: impl Future<Output = Result<T, Unreachable>>) -> Result<T, Unreachable> {
    tokio::time::timeout(PATIENCE, answer).await.map_err(unreachable)?
}

fn is_not_found(error: &CallError) -> bool {
    matches!(error, CallError::Status { status: StatusCode::NOT_FOUND, .. })
}

fn is_refusal(error: &CallError) -> bool {
    matches!(error, CallError::Status { status, .. } if status.is_client_error())
}

/// The authorization server gives this gateway no token for any: nothing is said of the one that was sent.
fn not_for_this_gateway(error: &CallError) -> Unreachable {
    Unreachable(format!(
        "{error}; that is no word about the token: check the client of this gateway and what it asks for, and that the \
         authorization server was started with `--serves` and this architecture"
    ))
}

/// What an authorization server of this program publishes beside its keys, it must be told.
fn unpublished(uri: &Uri) -> Unreachable {
    Unreachable(format!(
        "nothing is published at {uri} (404 Not Found); start `serve authorization-server` with `--serves` and the architecture \
         of this resource server"
    ))
}

fn unreachable(error: impl Error) -> Unreachable {
    Unreachable(chain(&error))
}
