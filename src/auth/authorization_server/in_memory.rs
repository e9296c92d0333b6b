//! The authorization server, asked without HTTP.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;

use crate::auth::authorization_server::AuthorizationServer;
use crate::auth::future::BoxFuture;
use crate::auth::issuer::{Document, ExchangeKind, Introspection, Issuer, RevocationStream, Unreachable};
use crate::auth::revocation_event::EventId;

/// The client that asks.
pub const IN_MEMORY_CLIENT: &str = "gateway";

impl Issuer for AuthorizationServer {
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        Box::pin(async move {
            AuthorizationServer::introspect(self, token).await.map_err(|error| Unreachable(error.to_string()))
        })
    }

    fn introspect_signed<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<String, Unreachable>> {
        Box::pin(async move {
            let jwt = AuthorizationServer::introspect_signed(self, IN_MEMORY_CLIENT, token).await;
            jwt.map_err(|error| Unreachable(error.to_string()))
        })
    }

    fn exchange<'a>(
        &'a self,
        token: &'a str,
        how: ExchangeKind<'a>,
    ) -> BoxFuture<'a, Result<Option<String>, Unreachable>> {
        Box::pin(async move {
            let jwt = match how {
                ExchangeKind::Introspection => self.introspect_as_jwt(token).await,
                ExchangeKind::Split => self.joined(token).await,
                ExchangeKind::Token { audience, scope } => {
                    let exchanged =
                        AuthorizationServer::exchange(self, IN_MEMORY_CLIENT, token, audience, scope).await;
                    exchanged.map(|exchanged| exchanged.map(|issued| issued.token))
                }
            };
            jwt.map_err(|error| Unreachable(error.to_string()))
        })
    }

    fn fetch<'a>(
        &'a self,
        path: &'a str,
        known: Option<&'a str>,
        most_bytes: usize,
    ) -> BoxFuture<'a, Result<Option<Arc<Document>>, Unreachable>> {
        Box::pin(async move {
            let publication = self.publications.iter().find(|publication| publication.path() == path);
            let publication =
                publication.ok_or_else(|| Unreachable(format!("nothing is published at {path}")))?;
            let document =
                publication.document(self).await.map_err(|error| Unreachable(error.to_string()))?;
            if known.is_some() && document.entity_tag.as_deref() == known {
                return Ok(None);
            }
            let bytes = document.bytes.len();
            if bytes > most_bytes {
                return Err(Unreachable(format!(
                    "a document of {bytes} bytes, expected at most {most_bytes}"
                )));
            }
            Ok(Some(document))
        })
    }

    fn subscribe(
        &self,
        last: Option<EventId>,
        heartbeat: Duration,
    ) -> BoxFuture<'_, Result<RevocationStream, Unreachable>> {
        let stream = self.feed.follow(last, heartbeat).map(Ok).boxed();
        Box::pin(async { Ok(stream) })
    }
}
