//! How a gateway asks for the token that goes inside, on the wire.

use std::fmt;

use serde::Deserialize;

use crate::auth::issuer::{ExchangeKind, Unreachable};
use crate::auth::token::TokenId;

/// What an introspection answer is that is a JWT (RFC 7519 section 10.3.1).
pub(super) const JWT: &str = "application/jwt";
/// What header and claims are without their signature: nothing that has a type of its own.
pub(super) const SPLIT_TOKEN: &str = "text/plain";
/// The grant type (RFC 8693 section 2.1).
pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The type of a token (RFC 8693 section 3).
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A question, as it is sent.
pub(super) struct ExchangeRequestForm {
    pub(super) path: &'static str,
    /// What is taken for an answer.
    pub(super) media_type: &'static str,
    pub(super) form: String,
}

impl ExchangeRequestForm {
    /// Asks for the token that goes inside in the place of this one.
    pub(super) fn of(token: &str, how: ExchangeKind<'_>) -> Self {
        match how {
            ExchangeKind::Introspection => {
                Self { path: "/introspect", media_type: JWT, form: form([("token", token)]) }
            }
            ExchangeKind::Split => {
                let hash = TokenId::of(token).to_base64url();
                Self { path: "/split-token", media_type: SPLIT_TOKEN, form: form([("hash", &*hash)]) }
            }
            ExchangeKind::Token { audience, scope } => {
                let asked = [
                    ("grant_type", TOKEN_EXCHANGE),
                    ("subject_token", token),
                    ("subject_token_type", ACCESS_TOKEN),
                    ("audience", audience),
                ];
                let scope = scope.map(|scope| ("scope", scope));
                let form = form(asked.into_iter().chain(scope));
                Self { path: "/token-exchange", media_type: "application/json", form }
            }
        }
    }
}

fn form<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish()
}

/// The part of an answer to a token exchange that is needed (RFC 8693 section 2.2.1).
#[derive(Deserialize)]
struct Exchanged {
    access_token: String,
}

/// A refusal (RFC 6749 section 5.2).
#[derive(Deserialize)]
struct RefusedExchange {
    error: String,
}

/// Whether this refusal is about the token that was to be exchanged: it is not active, or no good otherwise (RFC 8693 section 2.2.2, which
/// says `invalid_request`; others say `invalid_grant`, as of a refresh token). What else a request says is the same for all tokens, so
/// that every other code is about who asks, for whom, and whether they may.
pub(super) fn is_about_the_token(body: &str) -> bool {
    let refused: Option<RefusedExchange> = serde_json::from_str(body).ok();
    refused.is_some_and(|refused| matches!(&*refused.error, "invalid_request" | "invalid_grant"))
}

/// The JWT of an answer.
pub(super) fn jwt(answer: &[u8], token: &str, how: ExchangeKind<'_>) -> Result<String, Unreachable> {
    let unfit = |why: &dyn fmt::Display| Unreachable(format!("the token that goes inside: {why}"));
    let text = || str::from_utf8(answer).map_err(|error| unfit(&error));
    match how {
        ExchangeKind::Introspection => Ok(text()?.to_owned()),
        ExchangeKind::Split => Ok(format!("{}.{token}", text()?)),
        ExchangeKind::Token { .. } => {
            let exchanged: Exchanged = serde_json::from_slice(answer).map_err(|error| unfit(&error))?;
            Ok(exchanged.access_token)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_of_the_token_itself_is_about_the_token() {
        for (body, is_about_it) in [
            (r#"{"error":"invalid_request","error_description":"the subject_token is not active"}"#, true),
            (r#"{"error":"invalid_grant"}"#, true),
            (r#"{"error":"invalid_target"}"#, false),
            (r#"{"error":"invalid_client"}"#, false),
            (r#"{"error":"unauthorized_client"}"#, false),
            (r#"{"error":"unsupported_grant_type"}"#, false),
            (r#"{"error":"invalid_scope"}"#, false),
            (r#"{"error_description":"invalid_request"}"#, false),
            ("invalid_request", false),
            ("", false),
        ] {
            assert_eq!(is_about_the_token(body), is_about_it, "{body}");
        }
    }
}
