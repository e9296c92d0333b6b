//! What a token endpoint answers (RFC 6749 sections 5.1 and 5.2).

use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A token as it was issued.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedToken {
    /// What stands behind `Bearer`.
    pub text: String,
    /// How long it lives, from when it was asked for, if the provider says so.
    pub lifetime: Option<Duration>,
    /// What it allows, if the provider says so; it must where that is not what was asked for (RFC 6749 section 5.1).
    pub scope: Option<String>,
}

/// An answer without a token that can be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    /// Not JSON, or without a token.
    #[error("its answer is no JSON object with an access_token (RFC 6749 section 5.1): {0}")]
    NoToken(String),
    /// A refusal in an answer that has the status of a success.
    #[error("it answered 200 OK, but {0}")]
    Refused(String),
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
    /// One text, but a list to some.
    scope: Option<Value>,
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
        let written: Written = serde_json::from_slice(body).map_err(|error| no_token(body, &error))?;
        if let Some(other) = written.token_type.filter(|found| !found.eq_ignore_ascii_case("bearer")) {
            return Err(AnswerFault::OtherType(other));
        }
        if let Some(none) = written.expires_in.filter(|seconds| *seconds <= 0.0 || seconds.is_nan()) {
            return Err(AnswerFault::Expired(none.to_string()));
        }
        let lifetime =
            written.expires_in.map(|seconds| Duration::from_secs_f64(seconds.min(LONGEST_SECONDS)));
        let scope = written.scope.as_ref().and_then(scopes);
        Ok(Self { text: written.access_token, lifetime, scope })
    }
}

/// As RFC 6749 section 3.3 writes them.
fn scopes(written: &Value) -> Option<String> {
    let list = || Some(written.as_array()?.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "));
    written.as_str().map(str::to_owned).or_else(list)
}

fn no_token(body: &[u8], error: &serde_json::Error) -> AnswerFault {
    match std::str::from_utf8(body).ok().and_then(in_words) {
        Some(refused) => AnswerFault::Refused(refused),
        None if body.trim_ascii_start().starts_with(b"<") => {
            AnswerFault::NoToken("it is a page of HTML or XML, as a login has; look at the URL".to_owned())
        }
        None => AnswerFault::NoToken(error.to_string()),
    }
}

/// Why a token was refused, in the words of RFC 6749 section 5.2 if the provider speaks them, and what to do.
pub(super) fn refusal(status: u16, body: &str) -> String {
    let hint = match status {
        429 => "; it limits how fast tokens are issued: lower --token-parallel",
        301..=399 => "; it moved: give the URL that it names",
        404 | 405 => "; no token endpoint lies there",
        500..=599 => "; look into its log",
        _ => "",
    };
    match in_words(body) {
        Some(refused) if status == 429 => refused + hint,
        Some(refused) => refused,
        // What comes with a success may be a token.
        None if status < 300 => format!("it answered {status}, expected 200 OK"),
        None => {
            let begin = one_line(body);
            format!(
                "it answered {status}, expected 200 OK{hint}{}{begin}",
                if begin.is_empty() { "" } else { ": " }
            )
        }
    }
}

/// A text of somebody else, cut and on one line: a terminal would obey its control characters.
fn one_line(text: &str) -> String {
    let words = text.split(|found: char| found.is_whitespace() || found.is_control());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    line.chars().take(MOST_CHARACTERS).collect()
}

/// Of a text of somebody else, which may be a whole page.
const MOST_CHARACTERS: usize = 200;

/// A refusal as RFC 6749 section 5.2 has it.
fn in_words(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
        error_description: Option<String>,
    }
    let Refusal { error, error_description } = serde_json::from_str(body).ok()?;
    let description = error_description.map(|description| format!(" ({})", one_line(&description)));
    let description = description.unwrap_or_default();
    let hint = match error.as_str() {
        "invalid_client" => {
            "; look at --client-id, at the secret or the key and --assertion-audience, and at --client-auth: the method must be \
             the registered one"
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
    Some(format!("it refused with {}{description}{hint}", one_line(&error)))
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
    fn what_a_token_allows_is_read_as_one_text_or_a_list() {
        for (written, read) in
            [(r#""a b""#, Some("a b")), (r#"["a","b"]"#, Some("a b")), ("null", None), ("7", None)]
        {
            let body = format!(r#"{{"access_token":"t","scope":{written}}}"#);
            let token = IssuedToken::from_answer(body.as_bytes()).map_err(|fault| fault.to_string()).unwrap();
            assert_eq!(token.scope.as_deref(), read, "{written}");
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
            ("<html>", "a page of HTML"),
            ("access_token=t", "no JSON object"),
            (
                r#"{"error":"invalid_client","error_description":"no such client"}"#,
                "200 OK, but it refused with invalid_client (no such client); look at --client-id",
            ),
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
        for slow_down in ["slow down", r#"{"error":"too_many_requests"}"#] {
            assert!(refusal(429, slow_down).contains("--token-parallel"), "{slow_down}");
        }
        assert!(refusal(500, &"x".repeat(10_000)).len() < 300);
        assert_eq!(refusal(503, ""), "it answered 503, expected 200 OK; look into its log");
        assert_eq!(
            refusal(308, "https://idp.example/token"),
            "it answered 308, expected 200 OK; it moved: give the URL that it names: https://idp.example/token"
        );
    }

    #[test]
    fn what_a_refusal_says_stays_on_one_line_and_no_token_is_told() {
        let several = r#"{"error":"invalid_request","error_description":"AADSTS900144: no scope.\r\nTrace ID: 0\u001b[2J"}"#;
        assert_eq!(
            refusal(400, several),
            "it refused with invalid_request (AADSTS900144: no scope. Trace ID: 0 [2J)"
        );
        assert!(
            refusal(502, "<html>\r\n<title>Bad Gateway</title>")
                .ends_with(": <html> <title>Bad Gateway</title>")
        );
        assert_eq!(refusal(201, r#"{"access_token":"secret"}"#), "it answered 201, expected 200 OK");
    }
}
