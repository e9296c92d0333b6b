//! What goes wrong at the endpoints, in the words of RFC 6749 section 5.2.

use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::{IntoResponse, Json, Response};
use serde_json::json;

use crate::auth::token::SenderFault;

/// Errors in the words of RFC 6749 section 5.2.
pub(super) enum Refusal {
    InvalidClient,
    InvalidRequest(&'static str),
    UnsupportedGrantType,
    InvalidScope,
    InvalidGrant(String),
    InvalidTarget,
    /// RFC 9449 section 5; a certificate is missing.
    NotProven(SenderFault),
    /// The server's own trouble.
    Unavailable(String),
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
                let known = "only client_credentials and refresh_token".to_owned();
                (StatusCode::BAD_REQUEST, "unsupported_grant_type", known)
            }
            Self::InvalidScope => {
                (StatusCode::BAD_REQUEST, "invalid_scope", "more than the client may have".to_owned())
            }
            Self::InvalidTarget => (
                StatusCode::BAD_REQUEST,
                "invalid_target",
                "tokens are not exchanged for that audience".into(),
            ),
            Self::InvalidGrant(why) => (StatusCode::BAD_REQUEST, "invalid_grant", why),
            Self::NotProven(SenderFault::Proof(fault)) => {
                (StatusCode::BAD_REQUEST, "invalid_dpop_proof", fault.to_string())
            }
            Self::NotProven(SenderFault::Certificate(fault)) => {
                let place =
                    "tokens are bound to certificates: ask at the token_endpoint of mtls_endpoint_aliases";
                (StatusCode::BAD_REQUEST, "invalid_request", format!("{fault}; {place} in the metadata"))
            }
            Self::Unavailable(why) => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", why),
        };
        (status, Json(json!({ "error": error, "error_description": description }))).into_response()
    }
}
