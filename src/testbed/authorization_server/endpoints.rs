//! The endpoints: RFC 6749 (`/token`), RFC 7662, RFC 7009, RFC 7517, RFC 8414.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State as Shared};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, PRAGMA, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use serde::Deserialize;
use serde_json::json;

use super::{Calls, State};
use crate::auth::authorization_server::{Client, RevokeError};
use crate::plan::REVOKED_HEADER;
use crate::testbed::spec::Credentials;
use crate::units::Stamp;

#[derive(Deserialize)]
pub(super) struct TokenRequest {
    grant_type: Option<String>,
    scope: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct AboutToken {
    token: Option<String>,
}

/// Errors in the words of RFC 6749 section 5.2.
pub(super) enum Refusal {
    InvalidClient,
    InvalidRequest(&'static str),
    UnsupportedGrantType,
    InvalidScope,
    InvalidGrant,
    /// The server's own trouble.
    Unavailable(String),
}

pub(super) async fn token(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    form: Result<Form<TokenRequest>, FormRejection>,
) -> Result<Response, Refusal> {
    count(&state.counters.issued);
    let client = authenticated(&state, &headers)?;
    let Form(request) = form?;
    match request.grant_type.as_deref() {
        Some("client_credentials") => {}
        // RFC 6749 section 3.2: a parameter without a value is one that is not there.
        Some("") | None => return Err(Refusal::InvalidRequest("grant_type is missing")),
        Some(_) => return Err(Refusal::UnsupportedGrantType),
    }
    let allowed = |scope: &str| client.scope.split(' ').any(|own| own == scope);
    if !request.scope.iter().flat_map(|scope| scope.split_whitespace()).all(allowed) {
        return Err(Refusal::InvalidScope);
    }
    let issued = state.server.issue(client).await.map_err(|error| Refusal::Unavailable(error.to_string()))?;
    let answer = json!({
        "access_token": issued.token,
        "token_type": "Bearer",
        "expires_in": client.lifetime.as_secs().saturating_sub(client.age.as_secs()),
        "scope": issued.claims.scope,
    });
    Ok(([(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")], Json(answer)).into_response())
}

pub(super) async fn introspect(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    form: Result<Form<AboutToken>, FormRejection>,
) -> Result<Response, Refusal> {
    count(&state.counters.introspections);
    authenticated(&state, &headers)?;
    let Form(request) = form?;
    let token = request.token.ok_or(Refusal::InvalidRequest("token is missing"))?;
    let answer = state.server.introspect(&token).await;
    let answer = answer.map_err(|error| Refusal::Unavailable(error.to_string()))?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

pub(super) async fn revoke(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    form: Result<Form<AboutToken>, FormRejection>,
) -> Result<impl IntoResponse, Refusal> {
    count(&state.counters.revoked);
    let client = authenticated(&state, &headers)?;
    let Form(request) = form?;
    let token = request.token.ok_or(Refusal::InvalidRequest("token is missing"))?;
    match state.server.revoke(client, &token).await {
        // Stamped here, where it happens: whoever asked may hear of it late.
        Ok(()) => Ok([(REVOKED_HEADER, Stamp::now().nanos().to_string())]),
        Err(RevokeError::OfAnotherClient) => Err(Refusal::InvalidGrant),
        Err(RevokeError::Store(error)) => Err(Refusal::Unavailable(error.to_string())),
    }
}

pub(super) async fn jwks(Shared(state): Shared<Arc<State>>) -> impl IntoResponse {
    count(&state.counters.key_sets);
    Json(state.server.key_set())
}

pub(super) async fn metadata(Shared(state): Shared<Arc<State>>) -> impl IntoResponse {
    let issuer = state.server.issuer();
    Json(json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/token"),
        "introspection_endpoint": format!("{issuer}/introspect"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic"],
    }))
}

pub(super) async fn calls(Shared(state): Shared<Arc<State>>) -> impl IntoResponse {
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let counters = &state.counters;
    Json(Calls {
        introspections: read(&counters.introspections),
        key_sets: read(&counters.key_sets),
        issued: read(&counters.issued),
        revoked: read(&counters.revoked),
    })
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn authenticated<'a>(state: &'a State, headers: &HeaderMap) -> Result<&'a Client, Refusal> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credentials = value.and_then(Credentials::from_header).ok_or(Refusal::InvalidClient)?;
    let client = state.server.authenticate(&credentials.client_id, &credentials.client_secret);
    client.ok_or(Refusal::InvalidClient)
}

impl From<FormRejection> for Refusal {
    fn from(_: FormRejection) -> Self {
        Self::InvalidRequest("expected a form that has every parameter once")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error, description) = match self {
            Self::InvalidClient => {
                let body = Json(json!({ "error": "invalid_client" }));
                let challenge = [(WWW_AUTHENTICATE, "Basic realm=\"bearerbench\"")];
                return (StatusCode::UNAUTHORIZED, challenge, body).into_response();
            }
            Self::InvalidRequest(what) => (StatusCode::BAD_REQUEST, "invalid_request", what.to_owned()),
            Self::UnsupportedGrantType => {
                (StatusCode::BAD_REQUEST, "unsupported_grant_type", "only client_credentials".to_owned())
            }
            Self::InvalidScope => {
                (StatusCode::BAD_REQUEST, "invalid_scope", "more than the client may have".to_owned())
            }
            Self::InvalidGrant => (
                StatusCode::BAD_REQUEST,
                "invalid_grant",
                "the token was issued to another client".to_owned(),
            ),
            Self::Unavailable(why) => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", why),
        };
        (status, Json(json!({ "error": error, "error_description": description }))).into_response()
    }
}
