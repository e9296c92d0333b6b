//! Authorization servers in memory that count what they are asked, or lie.

use std::future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;

use super::context;
use crate::auth::architecture::Context;
use crate::auth::authorization_server::AuthorizationServer;
use crate::auth::future::BoxFuture;
use crate::auth::issuer::{Document, ExchangeKind, Introspection, Issuer, RevocationStream, Unreachable};
use crate::auth::revocation_event::EventId;

/// An authorization server in memory that counts what it is asked.
pub(super) struct Counting {
    pub(super) server: AuthorizationServer,
    pub(super) introspections: AtomicU64,
    /// Fetches of documents.
    pub(super) fetches: AtomicU64,
    /// Streams of revocations that were asked for.
    pub(super) subscriptions: AtomicU64,
    /// Whether it is gone: nothing can be asked or fetched, and streams break.
    pub(super) down: Arc<AtomicBool>,
    /// Whether fetches do not end, as nobody goes on with them, and streams are silent.
    pub(super) stuck: Arc<AtomicBool>,
}

impl Issuer for Counting {
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        self.introspections.fetch_add(1, Ordering::Relaxed);
        if self.down.load(Ordering::Relaxed) {
            return Box::pin(async { Err(Unreachable("down".to_owned())) });
        }
        Issuer::introspect(&self.server, token)
    }

    fn introspect_signed<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<String, Unreachable>> {
        self.introspections.fetch_add(1, Ordering::Relaxed);
        if self.down.load(Ordering::Relaxed) {
            return Box::pin(async { Err(Unreachable("down".to_owned())) });
        }
        Issuer::introspect_signed(&self.server, token)
    }

    fn exchange<'a>(
        &'a self,
        token: &'a str,
        how: ExchangeKind<'a>,
    ) -> BoxFuture<'a, Result<Option<String>, Unreachable>> {
        self.introspections.fetch_add(1, Ordering::Relaxed);
        if self.down.load(Ordering::Relaxed) {
            return Box::pin(async { Err(Unreachable("down".to_owned())) });
        }
        Issuer::exchange(&self.server, token, how)
    }

    fn fetch<'a>(
        &'a self,
        path: &'a str,
        known: Option<&'a str>,
        most_bytes: usize,
    ) -> BoxFuture<'a, Result<Option<Arc<Document>>, Unreachable>> {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        if self.down.load(Ordering::Relaxed) {
            return Box::pin(async { Err(Unreachable("down".to_owned())) });
        }
        if self.stuck.load(Ordering::Relaxed) {
            return Box::pin(future::pending());
        }
        self.server.fetch(path, known, most_bytes)
    }

    fn subscribe(
        &self,
        last: Option<EventId>,
        heartbeat: Duration,
    ) -> BoxFuture<'_, Result<RevocationStream, Unreachable>> {
        self.subscriptions.fetch_add(1, Ordering::Relaxed);
        let (down, stuck) = (Arc::clone(&self.down), Arc::clone(&self.stuck));
        Box::pin(async move {
            if down.load(Ordering::Relaxed) {
                return Err(Unreachable("down".to_owned()));
            }
            let stream = Issuer::subscribe(&self.server, last, heartbeat).await?;
            let heard = stream.then(move |pushed| {
                let (down, stuck) = (Arc::clone(&down), Arc::clone(&stuck));
                async move {
                    if stuck.load(Ordering::Relaxed) {
                        future::pending::<()>().await;
                    }
                    if down.load(Ordering::Relaxed) { Err(Unreachable("down".to_owned())) } else { pushed }
                }
            });
            Ok(heard.boxed())
        })
    }
}

/// The same authorization server, but for one document that somebody has changed on its way.
pub(super) struct Forging {
    issuer: Arc<Counting>,
    path: &'static str,
    /// What comes in the place of that document, if anything does.
    pub(super) document: Mutex<Option<Vec<u8>>>,
}

impl Forging {
    pub(super) fn of(issuer: &Arc<Counting>, path: &'static str, document: Option<Vec<u8>>) -> Arc<Self> {
        Arc::new(Self { issuer: Arc::clone(issuer), path, document: Mutex::new(document) })
    }

    /// What a validator beside it works with.
    pub(super) fn context(self: &Arc<Self>) -> Context {
        Context { issuer: Arc::clone(self) as _, ..context(&self.issuer) }
    }
}

impl Issuer for Forging {
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        self.issuer.introspect(token)
    }

    fn exchange<'a>(
        &'a self,
        token: &'a str,
        how: ExchangeKind<'a>,
    ) -> BoxFuture<'a, Result<Option<String>, Unreachable>> {
        self.issuer.exchange(token, how)
    }

    fn fetch<'a>(
        &'a self,
        path: &'a str,
        known: Option<&'a str>,
        most_bytes: usize,
    ) -> BoxFuture<'a, Result<Option<Arc<Document>>, Unreachable>> {
        let forged = self.document.lock().unwrap().clone().filter(|_| path == self.path);
        let Some(forged) = forged else { return self.issuer.fetch(path, known, most_bytes) };
        let document = Document { bytes: forged.into(), entity_tag: None };
        Box::pin(async { Ok(Some(Arc::new(document))) })
    }

    fn subscribe(
        &self,
        last: Option<EventId>,
        heartbeat: Duration,
    ) -> BoxFuture<'_, Result<RevocationStream, Unreachable>> {
        self.issuer.subscribe(last, heartbeat)
    }
}
