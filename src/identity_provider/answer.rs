//! What a token endpoint answers (RFC 6749 sections 5.1 and 5.2).

use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// A token as it was issued.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedToken {
    /// What stands behind `Bearer`.
    pub text: String,
    /// How long it lives, from when it was asked for, if the provider says so.
    pub lifetime: Option<Duration>,
}

/// An answer without a token that can be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    /// Not JSON, or without a token.
    #[error("its answer is no JSON object with an access_token (RFC 6749 section 5.1): {0}")]
    NoToken(String),
    /// A token that does not go behind `Bearer`.
    #[error(
        "it issues tokens of type {0:?}; expected \"Bearer\" (RFC 6750), which is all that this program sends: have the \
         client registered for bearer tokens"
    )]
    OtherType(String),
    /// A token that lives for no time.
    #[error("it issues tokens that have expired: expires_in is {0}")]
    Expired(String),
}

#[derive(Deserialize)]
struct Written {
    access_token: String,
    /// Required, but left out by some; what it is then is for the resource server to say.
    token_type: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<f64>,
}

/// A number, or one in quotes as some providers write it.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Number(f64),
        Text(String),
    }
    match Option::<Seconds>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Seconds::Number(number)) => Ok(Some(number)),
        Some(Seconds::Text(text)) => text.trim().parse().map(Some).map_err(|_| {
            serde::de::Error::custom(format!("expires_in is {text:?}, expected a number of seconds"))
        }),
    }
}

/// More than a century: what lives as long lives for ever here.
const LONGEST_SECONDS: f64 = 4e9;

impl IssuedToken {
    /// Reads an answer.
    pub fn from_answer(body: &[u8]) -> Result<Self, AnswerFault> {
        let written: Written =
            serde_json::from_slice(body).map_err(|error| AnswerFault::NoToken(error.to_string()))?;
        if let Some(other) = written.token_type.filter(|found| !found.eq_ignore_ascii_case("bearer")) {
            return Err(AnswerFault::OtherType(other));
        }
        if let Some(none) = written.expires_in.filter(|seconds| *seconds <= 0.0 || seconds.is_nan()) {
            return Err(AnswerFault::Expired(none.to_string()));
        }
        let lifetime =
            written.expires_in.map(|seconds| Duration::from_secs_f64(seconds.min(LONGEST_SECONDS)));
        Ok(Self { text: written.access_token, lifetime })
    }
}

/// Why a token was refused, in the words of RFC 6749 section 5.2 if the provider speaks them, and what to do.
pub(super) fn refusal(status: u16, body: &str) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
        error_description: Option<String>,
    }
    let Ok(Refusal { error, error_description }) = serde_json::from_str(body) else {
        let begin: String = body.chars().take(200).collect();
        let hint = match status {
            429 => ": it limits how fast tokens are issued; lower --token-parallel",
            301..=399 => ": it moved; give the URL that it names",
            404 | 405 => ": no token endpoint lies there",
            _ => "",
        };
        return format!("it answered {status}, expected 200 OK{hint} {begin}").trim_end().to_owned();
    };
    let description = error_description.map_or_else(String::new, |description| format!(" ({description})"));
    let hint = match error.as_str() {
        "invalid_client" => {
            "; look at --client-id, at the secret or key, and at --client-auth: the method must be the registered one"
        }
        "unauthorized_client" | "unsupported_grant_type" => {
            "; the client must be registered for the grant client_credentials"
        }
        "invalid_scope" => "; look at --scope",
        "invalid_target" => "; look at --resource and --audience",
        "invalid_dpop_proof" | "use_dpop_nonce" => {
            "; the client is registered for DPoP, which is not spoken here"
        }
        _ => "",
    };
    format!("it refused with {error}{description}{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<(String, Option<u64>), String> {
        let token = IssuedToken::from_answer(body.as_bytes()).map_err(|fault| fault.to_string())?;
        Ok((token.text, token.lifetime.map(|lifetime| lifetime.as_secs())))
    }

    #[test]
    fn a_token_comes_with_its_lifetime_however_it_is_written() {
        for (rest, lifetime) in [
            (r#","token_type":"Bearer","expires_in":3600"#, Some(3600)),
            (r#","token_type":"bearer","expires_in":"3599""#, Some(3599)),
            (r#","token_type":"BEARER","expires_in":1.5"#, Some(1)),
            (r#","token_type":"Bearer","expires_in":1e300"#, Some(4_000_000_000)),
            (r#","token_type":"Bearer","expires_in":null"#, None),
            ("", None),
        ] {
            assert_eq!(
                read(&format!(r#"{{"access_token":"t"{rest}}}"#)),
                Ok(("t".to_owned(), lifetime)),
                "{rest}"
            );
        }
    }

    #[test]
    fn what_is_no_bearer_token_or_lives_for_no_time_is_refused() {
        for (body, words) in [
            (r#"{"access_token":"t","token_type":"DPoP"}"#, "\"DPoP\"; expected \"Bearer\""),
            (r#"{"access_token":"t","token_type":"mac"}"#, "\"mac\""),
            (r#"{"access_token":"t","expires_in":0}"#, "expires_in is 0"),
            (r#"{"access_token":"t","expires_in":-5}"#, "expires_in is -5"),
            (r#"{"access_token":"t","expires_in":"soon"}"#, "expected a number of seconds"),
            (r#"{"token_type":"Bearer"}"#, "access_token"),
            ("<html>", "no JSON object"),
        ] {
            let fault = read(body).unwrap_err();
            assert!(fault.contains(words), "{body}: {fault}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let client = r#"{"error":"invalid_client","error_description":"no such client"}"#;
        assert!(
            refusal(401, client)
                .starts_with("it refused with invalid_client (no such client); look at --client-id")
        );
        assert!(refusal(429, "slow down").contains("--token-parallel"));
        assert!(refusal(500, &"x".repeat(10_000)).len() < 300);
    }
}
