//! The authorization server as a resource server reaches it: over HTTP, by pooled connections.

use std::error::Error;
use std::iter;
use std::time::Duration;

use hyper::Uri;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use crate::auth::future::BoxFuture;
use crate::auth::issuer::{Introspection, Issuer, Unreachable};
use crate::auth::token::jwks::JwkSet;
use crate::testbed::client::{Client, uri};
use crate::testbed::spec::Credentials;

/// Asks over HTTP.
pub(super) struct HttpIssuer {
    client: Client,
    introspect: Uri,
    jwks: Uri,
    authorization: String,
    /// One for each connection that there may be.
    connections: Semaphore,
}

/// As many calls may be under way at once; more wait, and fail when they have waited too long. Without a limit a slow authorization
/// server has as many connections from each resource server as requests come within its time-out.
const CONNECTIONS: usize = 256;

/// How long an answer may take: then the request fails rather than its caller waits. Spring Security waits 30 s.
const PATIENCE: Duration = Duration::from_secs(5);

impl HttpIssuer {
    pub(super) fn new(issuer: &str, credentials: &Credentials) -> Result<Self, Unreachable> {
        let endpoint = |path| uri(issuer, path).map_err(unreachable);
        Ok(Self {
            client: Client::default(),
            introspect: endpoint("/introspect")?,
            jwks: endpoint("/jwks")?,
            authorization: credentials.header(),
            connections: Semaphore::new(CONNECTIONS),
        })
    }
}

impl Issuer for HttpIssuer {
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        Box::pin(async move {
            let form = form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
            parsed(async {
                let _connection = self.connections.acquire().await.expect("it is never closed");
                self.client.post(&self.introspect, &self.authorization, form).await
            })
            .await
        })
    }

    fn key_set(&self, most_bytes: usize) -> BoxFuture<'_, Result<JwkSet, Unreachable>> {
        Box::pin(parsed(self.client.get_at_most(&self.jwks, most_bytes)))
    }
}

async fn parsed<T: DeserializeOwned>(
    answer: impl Future<Output = Result<hyper::body::Bytes, crate::testbed::client::CallError>>,
) -> Result<T, Unreachable> {
    let bytes = tokio::time::timeout(PATIENCE, answer).await.map_err(unreachable)?.map_err(unreachable)?;
    serde_json::from_slice(&bytes).map_err(unreachable)
}

fn unreachable(error: impl Error) -> Unreachable {
    let causes = iter::successors(error.source(), |&cause| cause.source());
    Unreachable(causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}")))
}
