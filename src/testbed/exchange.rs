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
