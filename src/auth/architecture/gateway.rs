//! What gateways have in common: they ask the authorization server for the token that goes inside, and keep its answers as
//! `introspection-cached` does.

use std::sync::Arc;
use std::time::Duration;

use crate::auth::architecture::introspection_cached::Cached;
use crate::auth::architecture::{Architecture, Context, NotReady, TokenValidator};
use crate::auth::future::BoxFuture;
use crate::auth::issuer::{Document, ExchangeKind, Introspection, Issuer, RevocationStream, Unreachable};
use crate::auth::revocation_event::EventId;

/// A validator with the settings of `introspection-cached` that asks in this way.
pub(super) fn asking<A: Ask>(
    cache: &Cached,
    ask: A,
    context: Context,
) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
    let issuer = Arc::new(Asking { server: Arc::clone(&context.issuer), ask });
    cache.validator(Context { issuer, ..context })
}

/// How the authorization server is asked about a token.
pub(super) trait Ask: Send + Sync + 'static {
    /// What is said of it, with the token that goes inside.
    fn ask<'a>(
        &'a self,
        server: &'a dyn Issuer,
        token: &'a str,
    ) -> BoxFuture<'a, Result<Introspection, Unreachable>>;
}

/// The authorization server, asked in another way whenever it is asked about a token.
struct Asking<A> {
    server: Arc<dyn Issuer>,
    ask: A,
}

impl<A: Ask> Issuer for Asking<A> {
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        self.ask.ask(&*self.server, token)
    }

    fn exchange<'a>(
        &'a self,
        token: &'a str,
        how: ExchangeKind<'a>,
    ) -> BoxFuture<'a, Result<Option<String>, Unreachable>> {
        self.server.exchange(token, how)
    }

    fn fetch<'a>(
        &'a self,
        path: &'a str,
        known: Option<&'a str>,
        most_bytes: usize,
    ) -> BoxFuture<'a, Result<Option<Arc<Document>>, Unreachable>> {
        self.server.fetch(path, known, most_bytes)
    }

    fn unreadable(&self, why: &Unreachable) {
        self.server.unreadable(why);
    }

    fn subscribe(
        &self,
        last: Option<EventId>,
        heartbeat: Duration,
    ) -> BoxFuture<'_, Result<RevocationStream, Unreachable>> {
        self.server.subscribe(last, heartbeat)
    }

    fn channel_broke(&self, why: &Unreachable) {
        self.server.channel_broke(why);
    }
}
