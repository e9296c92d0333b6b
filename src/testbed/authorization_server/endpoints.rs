//! What answers at the endpoints: RFC 6749 (`/token`), RFC 7662, RFC 7009, RFC 8414, revocations as they
//! happen, and the published documents.

use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, Extension, Form};
use axum::http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, PRAGMA};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Json, Response, Sse};
use serde::Deserialize;
use serde_json::json;

use super::mutual::PresentedCertificate;
use super::refusal::Refusal;
use super::table::Called;
use crate::auth::authorization_server::{Client, Issued, JwtError, RefreshError, RevokeError};
use crate::auth::issuer::SIGNED_INTROSPECTION;
use crate::auth::revocation_event::EventId;
use crate::auth::token::dpop::{PROOF_HEADER, SCHEME};
use crate::auth::token::{Confirmation, TokenId, scope};
use crate::plan::REVOKED_HEADER;
use crate::testbed::exchange::{ACCESS_TOKEN, JWT, SPLIT_TOKEN, TOKEN_EXCHANGE};
use crate::testbed::revocation_events::{self, LAST_EVENT_ID};
use crate::testbed::spec::Credentials;
use crate::units::Stamp;

#[derive(Deserialize)]
pub(super) struct TokenRequest {
    grant_type: Option<String>,
    refresh_token: Option<String>,
    scope: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ManyTokens {
    number: usize,
}

/// As many tokens are issued at once at most.
pub(in crate::testbed) const MOST_TOKENS: usize = 1_000;

#[derive(Deserialize)]
pub(super) struct AboutToken {
    token: Option<String>,
}

/// RFC 8693 section 2.1.
#[derive(Deserialize)]
pub(super) struct ExchangeRequest {
    grant_type: Option<String>,
    subject_token: Option<String>,
    subject_token_type: Option<String>,
    audience: Option<String>,
    scope: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct AboutSignature {
    /// The SHA-256 of the signature in base64url.
    hash: Option<String>,
}

pub(super) async fn token(
    called: Called,
    connection: Option<Extension<ConnectInfo<PresentedCertificate>>>,
    headers: HeaderMap,
    form: Result<Form<TokenRequest>, FormRejection>,
) -> Result<Response, Refusal> {
    let client = authenticated(&called, &headers)?;
    let Form(request) = form?;
    let proofs = headers.get_all(PROOF_HEADER).iter().map(|proof| proof.to_str().unwrap_or_default());
    let certificate = connection.as_ref().and_then(|Extension(ConnectInfo(shown))| shown.0.as_deref());
    let bound_to = || {
        let cnf = called.server().confirmation(Method::POST.as_str(), proofs, certificate);
        cnf.map_err(Refusal::NotProven)
    };
    match request.grant_type.as_deref() {
        Some("client_credentials") => {}
        Some("refresh_token") => return refresh(&called, client, &request, bound_to()?).await,
        // RFC 6749 section 3.2: a parameter without a value is one that is not there.
        Some("") | None => return Err(Refusal::InvalidRequest("grant_type is missing")),
        Some(_) => return Err(Refusal::UnsupportedGrantType),
    }
    let mut asked = request.scope.iter().flat_map(|scope| scope.split_whitespace());
    if !asked.all(|word| scope::names(&client.scope, word)) {
        return Err(Refusal::InvalidScope);
    }
    let cnf = bound_to()?;
    let token_type = token_type(cnf.as_ref());
    let issued = called.server().issue_bound(client, cnf).await;
    let issued = issued.map_err(|error| Refusal::Unavailable(error.to_string()))?;
    Ok(token_answer(client, &issued, token_type))
}

/// Many tokens at once, as a list: what the bench has issued before a load.
pub(super) async fn tokens(
    called: Called,
    headers: HeaderMap,
    form: Result<Form<ManyTokens>, FormRejection>,
) -> Result<Response, Refusal> {
    let client = authenticated(&called, &headers)?;
    let Form(ManyTokens { number }) = form?;
    if number > MOST_TOKENS {
        return Err(Refusal::InvalidRequest("at most 1000 tokens are issued at once"));
    }
    let issued = called.server().issue_many(client, number).await;
    let issued = issued.map_err(|error| Refusal::Unavailable(error.to_string()))?;
    let tokens: Vec<&str> = issued.iter().map(|issued| &*issued.token).collect();
    Ok(([(CACHE_CONTROL, "no-store")], Json(tokens)).into_response())
}

/// The next tokens in the place of a refresh token (RFC 6749 section 6).
async fn refresh(
    called: &Called,
    client: &Client,
    request: &TokenRequest,
    cnf: Option<Confirmation>,
) -> Result<Response, Refusal> {
    called.count_refresh();
    let token_type = token_type(cnf.as_ref());
    let token = request.refresh_token.as_deref().filter(|token| !token.is_empty());
    let token = token.ok_or(Refusal::InvalidRequest("refresh_token is missing"))?;
    let scope = request.scope.as_deref().filter(|scope| !scope.is_empty());
    match called.server().refresh(client, token, scope, cnf).await {
        Ok(issued) => Ok(token_answer(client, &issued, token_type)),
        Err(error @ (RefreshError::Refused | RefreshError::Reused)) => {
            Err(Refusal::InvalidGrant(error.to_string()))
        }
        Err(RefreshError::Scope) => Err(Refusal::InvalidScope),
        Err(error @ (RefreshError::Issue(_) | RefreshError::Store(_))) => {
            Err(Refusal::Unavailable(error.to_string()))
        }
    }
}

/// RFC 9449 section 5; what is bound to a certificate is sent as any bearer token is.
fn token_type(cnf: Option<&Confirmation>) -> &'static str {
    if cnf.is_some_and(|cnf| cnf.jkt.is_some()) { SCHEME } else { "Bearer" }
}

/// RFC 6749 section 5.1.
fn token_answer(client: &Client, issued: &Issued, token_type: &str) -> Response {
    let mut answer = json!({
        "access_token": issued.token,
        "token_type": token_type,
        "expires_in": client.lifetime.as_secs().saturating_sub(client.age.as_secs()),
        "scope": issued.claims.scope,
    });
    if let Some(token) = &issued.refresh_token {
        answer["refresh_token"] = token.as_str().into();
    }
    ([(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")], Json(answer)).into_response()
}

pub(super) async fn introspect(
    called: Called,
    headers: HeaderMap,
    form: Result<Form<AboutToken>, FormRejection>,
) -> Result<Response, Refusal> {
    let client = authenticated(&called, &headers)?;
    let Form(request) = form?;
    let token = request.token.ok_or(Refusal::InvalidRequest("token is missing"))?;
    let not_kept = [(CACHE_CONTROL, "no-store")];
    if wants_nothing_but(SIGNED_INTROSPECTION, &headers) {
        let jwt = called.server().introspect_signed(&client.id, &token).await;
        let jwt = jwt.map_err(|error| Refusal::Unavailable(error.to_string()))?;
        return Ok((not_kept, [(CONTENT_TYPE, SIGNED_INTROSPECTION)], jwt).into_response());
    }
    if wants_nothing_but(JWT, &headers) {
        let jwt = called.server().introspect_as_jwt(&token).await;
        let jwt = jwt.map_err(|error| Refusal::Unavailable(error.to_string()))?;
        return Ok(match jwt {
            Some(jwt) => (not_kept, [(CONTENT_TYPE, JWT)], jwt).into_response(),
            None => (StatusCode::NO_CONTENT, not_kept).into_response(),
        });
    }
    let answer = called.server().introspect(&token).await;
    let answer = answer.map_err(|error| Refusal::Unavailable(error.to_string()))?;
    Ok((not_kept, Json(answer)).into_response())
}

/// Whether an answer of this media type is the only one that is taken (RFC 9110 section 12.5.1): whoever takes anything gets JSON.
fn wants_nothing_but(media_type: &str, headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).is_some_and(|accepted| accepted == media_type)
}

/// A token for one audience in the place of another token (RFC 8693).
pub(super) async fn exchange(
    called: Called,
    headers: HeaderMap,
    form: Result<Form<ExchangeRequest>, FormRejection>,
) -> Result<Response, Refusal> {
    let client = authenticated(&called, &headers)?;
    let Form(request) = form?;
    if request.grant_type.as_deref() != Some(TOKEN_EXCHANGE) {
        return Err(Refusal::UnsupportedGrantType);
    }
    let (Some(token), Some(audience)) = (&request.subject_token, &request.audience) else {
        return Err(Refusal::InvalidRequest("expected a subject_token and an audience"));
    };
    if request.subject_token_type.as_deref() != Some(ACCESS_TOKEN) {
        return Err(Refusal::InvalidRequest("the subject_token_type is not that of an access token"));
    }
    let exchanged = called.server().exchange(&client.id, token, audience, request.scope.as_deref()).await;
    let issued = exchanged.map_err(|error| match error {
        JwtError::Scope => Refusal::InvalidScope,
        JwtError::Target => Refusal::InvalidTarget,
        error => Refusal::Unavailable(error.to_string()),
    })?;
    let issued = issued.ok_or(Refusal::InvalidRequest("the subject_token is not active"))?;
    let answer = json!({
        "access_token": issued.token,
        "issued_token_type": ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": issued.claims.exp.secs().saturating_sub(issued.claims.iat.secs()),
        "scope": issued.claims.scope,
    });
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// Header and claims of a split token, or 204 if it is not active.
pub(super) async fn split_token(
    called: Called,
    headers: HeaderMap,
    form: Result<Form<AboutSignature>, FormRejection>,
) -> Result<Response, Refusal> {
    authenticated(&called, &headers)?;
    let Form(request) = form?;
    let hash = request.hash.as_deref().and_then(TokenId::from_base64url);
    let hash = hash.ok_or(Refusal::InvalidRequest("hash is missing, or no SHA-256 in base64url"))?;
    let rest = called.server().header_and_claims(hash).await;
    let rest = rest.map_err(|error| Refusal::Unavailable(error.to_string()))?;
    let not_kept = [(CACHE_CONTROL, "no-store")];
    Ok(match rest {
        Some(rest) => (not_kept, [(CONTENT_TYPE, SPLIT_TOKEN)], rest).into_response(),
        None => (StatusCode::NO_CONTENT, not_kept).into_response(),
    })
}

pub(super) async fn revoke(
    called: Called,
    headers: HeaderMap,
    form: Result<Form<AboutToken>, FormRejection>,
) -> Result<impl IntoResponse, Refusal> {
    let client = authenticated(&called, &headers)?;
    let Form(request) = form?;
    let token = request.token.ok_or(Refusal::InvalidRequest("token is missing"))?;
    match called.server().revoke(client, &token).await {
        // Stamped here, where it happens: whoever asked may hear of it late.
        Ok(()) => Ok([(REVOKED_HEADER, Stamp::now().nanos().to_string())]),
        Err(error @ RevokeError::OfAnotherClient) => Err(Refusal::InvalidGrant(error.to_string())),
        Err(RevokeError::Store(error)) => Err(Refusal::Unavailable(error.to_string())),
    }
}

/// The revocations as they happen, for as long as the client stays. An id that is none of this server's is one that it does not keep.
pub(super) async fn revocation_events(
    called: Called,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Refusal> {
    authenticated(&called, &headers)?;
    let heartbeat = revocation_events::heartbeat(uri.query().unwrap_or_default());
    let heartbeat = heartbeat.ok_or(Refusal::InvalidRequest("heartbeat is no number of milliseconds"))?;
    let last = headers.get(LAST_EVENT_ID).and_then(|id| EventId::parse(id.to_str().ok()?));
    let pushed = called.server().feed().follow(last, heartbeat);
    Ok(Sse::new(revocation_events::write(pushed)).into_response())
}

/// A published document, or 304 for whoever has it already (RFC 9110 section 13.1.2).
pub(super) async fn document(called: Called, headers: HeaderMap) -> Result<Response, Refusal> {
    let publication = called.publication();
    let document = publication.document(called.server()).await;
    let document = document.map_err(|error| Refusal::Unavailable(error.to_string()))?;
    let media_type = [(CONTENT_TYPE, publication.media_type())];
    let Some(tag) = &document.entity_tag else {
        return Ok((media_type, document.bytes.clone()).into_response());
    };
    let tagged = [(ETAG, tag.clone()), (CACHE_CONTROL, "no-cache".to_owned())];
    if is_known(tag, &headers) {
        return Ok((StatusCode::NOT_MODIFIED, tagged).into_response());
    }
    Ok((tagged, media_type, document.bytes.clone()).into_response())
}

fn is_known(tag: &str, headers: &HeaderMap) -> bool {
    let lists = headers.get_all(IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

pub(super) async fn metadata(called: Called) -> impl IntoResponse {
    Json(called.metadata())
}

pub(super) async fn calls(called: Called) -> Response {
    Json(called.calls()).into_response()
}

fn authenticated<'a>(called: &'a Called, headers: &HeaderMap) -> Result<&'a Client, Refusal> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credentials = value.and_then(Credentials::from_header).ok_or(Refusal::InvalidClient)?;
    let client = called.server().authenticate(&credentials.client_id, &credentials.client_secret);
    client.ok_or(Refusal::InvalidClient)
}
