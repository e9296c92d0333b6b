//! The table of endpoints: route, counter and entry in the metadata come from the row.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::routing::{MethodRouter, get, post};
use serde_json::{Value, json};

use super::endpoints;
use crate::auth::authorization_server::{AuthorizationServer, Publication};
use crate::testbed::revocation_events;

/// An endpoint that every authorization server has.
struct Row {
    path: &'static str,
    /// What it is called in the metadata (RFC 8414 section 2), if it stands there: `token` for `token_endpoint`.
    name: Option<&'static str>,
    /// Its method and handler.
    route: fn() -> MethodRouter<Called>,
}

/// Every endpoint but the documents, whose rows are the publications of the server.
static ENDPOINTS: &[Row] = &[
    Row { path: TOKEN, name: Some("token"), route: || post(endpoints::token) },
    Row { path: "/introspect", name: Some("introspection"), route: || post(endpoints::introspect) },
    Row { path: "/revoke", name: Some("revocation"), route: || post(endpoints::revoke) },
    Row { path: "/token-exchange", name: Some("token_exchange"), route: || post(endpoints::exchange) },
    Row { path: "/split-token", name: Some("split_token"), route: || post(endpoints::split_token) },
    Row {
        path: revocation_events::PATH,
        name: Some("revocation_events"),
        route: || get(endpoints::revocation_events),
    },
    Row { path: "/.well-known/oauth-authorization-server", name: None, route: || get(endpoints::metadata) },
    Row { path: "/bench/calls", name: None, route: || get(endpoints::calls) },
    Row { path: MANY_TOKENS, name: None, route: || post(endpoints::tokens) },
];

/// A server with a counter for each row.
struct Counted {
    server: Arc<AuthorizationServer>,
    /// Of the endpoints, then of the documents.
    calls: Vec<AtomicU64>,
    /// Those of the calls of [`TOKEN`] that had a token refreshed.
    refreshes: AtomicU64,
    /// The base URL for clients with certificates, if there is one.
    mutual: Option<String>,
}

/// Where clients of the bench are issued many tokens at once.
pub(in crate::testbed) const MANY_TOKENS: &str = "/bench/tokens";
/// Where clients are issued tokens.
const TOKEN: &str = "/token";
/// Where they have them refreshed: the same place, but counted by itself, since API requests are what they do that for.
const REFRESH: &str = "/token refresh_token";

/// A row of a server, as its handler gets it: with the call counted.
#[derive(Clone)]
pub(super) struct Called {
    counted: Arc<Counted>,
    row: usize,
}

/// The routes of a server, which clients with certificates reach at `mutual`, if anywhere.
pub(super) fn routes(server: impl Into<Arc<AuthorizationServer>>, mutual: Option<String>) -> Router {
    let server = server.into();
    let rows = ENDPOINTS.len() + server.publications().len();
    let calls = (0..rows).map(|_| AtomicU64::new(0)).collect();
    let counted = Arc::new(Counted { server, calls, refreshes: AtomicU64::new(0), mutual });
    let called = |row| Called { counted: Arc::clone(&counted), row };
    let mut router = Router::new();
    for (row, endpoint) in ENDPOINTS.iter().enumerate() {
        router = router.route(endpoint.path, (endpoint.route)().with_state(called(row)));
    }
    for (row, publication) in (ENDPOINTS.len()..).zip(counted.server.publications()) {
        router = router.route(publication.path(), get(endpoints::document).with_state(called(row)));
    }
    router
}

impl Called {
    pub(super) fn server(&self) -> &AuthorizationServer {
        &self.counted.server
    }

    /// The document that the row is about.
    pub(super) fn publication(&self) -> &dyn Publication {
        &*self.server().publications()[self.row - ENDPOINTS.len()]
    }

    /// What the server says of itself (RFC 8414 section 2).
    pub(super) fn metadata(&self) -> Value {
        let issuer = self.server().issuer();
        let mut metadata = json!({
            "issuer": issuer,
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials", "refresh_token"],
        });
        for Row { path, name, .. } in ENDPOINTS {
            if let Some(name) = name {
                metadata[format!("{name}_endpoint")] = format!("{issuer}{path}").into();
                metadata[format!("{name}_endpoint_auth_methods_supported")] = json!(["client_secret_basic"]);
            }
        }
        if let Some(alg) = self.server().proof_algorithm() {
            // RFC 9449 section 5.1.
            metadata["dpop_signing_alg_values_supported"] = json!([alg]);
        }
        if self.server().binds_to_certificates() {
            // RFC 8705 section 3.3.
            metadata["tls_client_certificate_bound_access_tokens"] = true.into();
        }
        if let Some(base) = &self.counted.mutual {
            // RFC 8705 section 5.
            metadata["mtls_endpoint_aliases"] = json!({ "token_endpoint": format!("{base}{TOKEN}") });
        }
        if let Some(alg) = self.server().signing_algorithm() {
            // RFC 9701 section 7.
            metadata["introspection_signing_alg_values_supported"] = json!([alg]);
        }
        for publication in self.server().publications() {
            metadata[publication.metadata_member()] = format!("{issuer}{}", publication.path()).into();
        }
        metadata
    }

    /// The call is one that has a token refreshed.
    pub(super) fn count_refresh(&self) {
        self.counted.refreshes.fetch_add(1, Ordering::Relaxed);
    }

    /// How often each path was called since the beginning; what the bench itself asks is no call.
    pub(super) fn calls(&self) -> BTreeMap<&str, u64> {
        let endpoints = ENDPOINTS.iter().map(|row| row.path);
        let documents = self.server().publications().iter().map(|publication| publication.path());
        let calls = self.counted.calls.iter().map(|calls| calls.load(Ordering::Relaxed));
        // Read before the calls that they are among.
        let refreshes = self.counted.refreshes.load(Ordering::Relaxed);
        let calls = endpoints.chain(documents).zip(calls).filter(|(path, _)| !path.starts_with("/bench/"));
        let mut calls: BTreeMap<&str, u64> = calls.collect();
        if refreshes > 0 {
            calls.entry(TOKEN).and_modify(|calls| *calls = calls.saturating_sub(refreshes));
            calls.insert(REFRESH, refreshes);
        }
        calls
    }
}

impl FromRequestParts<Self> for Called {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, row: &Self) -> Result<Self, Infallible> {
        row.counted.calls[row.row].fetch_add(1, Ordering::Relaxed);
        Ok(row.clone())
    }
}
