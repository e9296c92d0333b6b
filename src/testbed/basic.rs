//! HTTP Basic authentication as RFC 6749 section 2.3.1 uses it: both parts form-encoded first.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::testbed::spec::Credentials;

impl Credentials {
    /// The value of the `Authorization` header.
    pub fn header(&self) -> String {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encode(&self.client_id), encode(&self.client_secret));
        format!("Basic {}", STANDARD.encode(pair))
    }

    /// What a value of the `Authorization` header says; `None` if it is not of this kind.
    pub fn from_header(value: &str) -> Option<Self> {
        let (scheme, pair) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let pair = String::from_utf8(STANDARD.decode(pair.trim()).ok()?).ok()?;
        let (id, secret) = pair.split_once(':')?;
        Some(Self { client_id: decode(id)?, client_secret: decode(secret)? })
    }
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_secrets_with_any_characters_come_back() {
        for secret in ["plain", "with:colon", "100 %+more", "ünïcode"] {
            let sent = Credentials { client_id: "a b:c".into(), client_secret: secret.into() };
            let seen = Credentials::from_header(&sent.header()).unwrap();
            assert_eq!((&*seen.client_id, &*seen.client_secret), ("a b:c", secret));
        }
    }

    #[test]
    fn other_schemes_and_broken_values_are_no_credentials() {
        for value in ["Bearer abc", "Basic", "Basic ***", "Basic bm9jb2xvbg=="] {
            assert!(Credentials::from_header(value).is_none(), "{value}");
        }
    }
}
