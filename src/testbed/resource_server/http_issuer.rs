//! The authorization server as a resource server reaches it: over HTTP, by pooled connections.

use std::error::Error;
use std::iter;
use std::time::Duration;

use hyper::Uri;
use serde::de::DeserializeOwned;

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
}

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
        })
    }
}

impl Issuer for HttpIssuer {
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        Box::pin(async move {
            let form = form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
            parsed(self.client.post(&self.introspect, &self.authorization, form)).await
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
