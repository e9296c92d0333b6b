//! What stands around a token, and its parts as anybody can decode them.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use crate::auth::token::{WrittenObject, base64url};
use crate::cli::token::shown::compact;

/// Ways to present a token, each with its remark.
const SCHEMES: [(&str, &str); 2] = [
    ("bearer ", "\"Bearer \" belongs to the header field Authorization, not to the token"),
    ("dpop ", "\"DPoP \" belongs to the header field Authorization, not to the token"),
];

/// The token in what people take for one, and what they took along.
pub(super) fn undressed(text: &str) -> (String, Option<&'static str>) {
    let behind = |prefix: &str, text: &str| {
        let head = text.get(..prefix.len()).filter(|head| head.eq_ignore_ascii_case(prefix));
        head.map(|_| text[prefix.len()..].trim_start().to_owned())
    };
    let field = behind("authorization:", text);
    for (scheme, remark) in SCHEMES {
        if let Some(token) = behind(scheme, field.as_deref().unwrap_or(text)) {
            return (token, Some(remark));
        }
    }
    match serde_json::from_str(text) {
        Ok(Value::String(token)) => (undressed(&token).0, Some("the quotes do not belong to the token")),
        Ok(Value::Object(members)) => {
            let member = |name: &str| members.get(name).and_then(Value::as_str);
            let signature = members.get("signatures").map_or(&Value::Null, |list| &list[0]);
            let signed = |name: &str| member(name).or_else(|| signature[name].as_str()).unwrap_or_default();
            let join = |names: &[&str]| names.iter().map(|name| signed(name)).collect::<Vec<_>>().join(".");
            let (token, remark) = if let Some(token) = member("access_token") {
                (token.to_owned(), "an answer of a token endpoint: the token is its access_token")
            } else if member("payload").is_some() {
                let compact = join(&["protected", "payload", "signature"]);
                (compact, "a JWS in JSON serialization (RFC 7515 section 7.2), which is no bearer token")
            } else if member("ciphertext").is_some() {
                let compact = join(&["protected", "encrypted_key", "iv", "ciphertext", "tag"]);
                (compact, "a JWE in JSON serialization (RFC 7516 section 7.2), which is no bearer token")
            } else {
                (text.to_owned(), "JSON, but no token")
            };
            (token, Some(remark))
        }
        _ if text.contains(char::is_whitespace) => {
            let first = text.split_whitespace().next();
            match first.filter(|first| first.matches('.').count() >= 2) {
                Some(token) => (token.to_owned(), Some("more stands behind the token")),
                None => (text.split_whitespace().collect(), Some("white space is no part of a token")),
            }
        }
        _ => (text.to_owned(), None),
    }
}

/// One part of a token, as far as it can be read.
#[derive(Debug)]
pub(super) struct TokenPart<'a> {
    /// As it stands in the token.
    pub(super) text: &'a str,
    /// Its bytes, if it is some base64.
    pub(super) bytes: Option<Vec<u8>>,
    /// Whether it is the one base64url that JWS allows.
    pub(super) strict: bool,
}

/// Takes what a careless reader takes: padding, the other alphabet, stray bits.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl<'a> TokenPart<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        if let Ok(bytes) = base64url::decode(text) {
            return Self { text, bytes: Some(bytes), strict: true };
        }
        let bytes = LENIENT.decode(text.replace('+', "-").replace('/', "_")).ok();
        Self { text, bytes, strict: false }
    }

    /// The JSON object in it, or what is there instead.
    pub(super) fn object(&self) -> Result<WrittenObject, String> {
        let bytes = self.bytes.as_deref().ok_or("no base64url")?;
        if bytes.is_empty() {
            return Err("empty".to_owned());
        }
        let text = str::from_utf8(bytes).map_err(|_| format!("{} bytes that are no text", bytes.len()))?;
        serde_json::from_str(text).map_err(|error| {
            match serde_json::from_str::<&serde_json::value::RawValue>(text) {
                Ok(value) => format!("JSON, but no object: {}", compact(value.get())),
                Err(_) if text.starts_with('{') => format!("no JSON: {error}"),
                Err(_) => format!("no JSON, but a text: {}", serde_json::Value::from(text)),
            }
        })
    }
}
