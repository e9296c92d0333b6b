//! The payload of an introspection answer that is signed (RFC 9701 section 5), written and read.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::auth::issuer::{Introspection, Unreachable};
use crate::auth::token::{Audience, UnixTime};

/// What kind of JWT it is: none that passes for an access token (section 8.1).
pub const SIGNED_INTROSPECTION_TYPE: &str = "token-introspection+jwt";

/// The media type by which it is asked for (section 4).
pub const SIGNED_INTROSPECTION: &str = "application/token-introspection+jwt";

/// As it is written. `sub` and `exp` stand within the answer alone, so that the JWT lacks what every access token has (section 5).
#[derive(Serialize)]
struct WrittenAnswer<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: UnixTime,
    token_introspection: &'a Introspection,
}

/// As it is read: the answer itself only when the rest was found to be right.
#[derive(Deserialize)]
struct ReadAnswer<'a> {
    iss: String,
    aud: Audience,
    #[serde(borrow)]
    iat: &'a RawValue,
    #[serde(borrow)]
    token_introspection: &'a RawValue,
}

impl Introspection {
    /// The payload of a JWT by which `iss` gives this answer to the client that asked.
    pub fn to_payload(&self, iss: &str, client_id: &str, iat: UnixTime) -> Vec<u8> {
        let answer = WrittenAnswer { iss, aud: client_id, iat, token_introspection: self };
        serde_json::to_vec(&answer).expect("an answer is plain data")
    }

    /// Reads the payload of a JWT whose type and signature were found to be right. An answer that somebody else gave, or gave to somebody
    /// else, says nothing. How old it is does not matter: the standard sets no end.
    pub fn from_payload(json: &[u8], iss: &str, client_id: &str) -> Result<Self, Unreachable> {
        let unfit = |why: String| Err(Unreachable(format!("expected a signed introspection answer: {why}")));
        let answer: ReadAnswer<'_> = match serde_json::from_slice(json) {
            Ok(answer) => answer,
            Err(error) => return unfit(error.to_string()),
        };
        if answer.iss != iss {
            return unfit(format!("it comes from {:?}, not from {iss:?}", answer.iss));
        }
        if !answer.aud.names(client_id) {
            return unfit(format!("it is for others than {client_id:?}, who asked"));
        }
        if UnixTime::of_json(answer.iat.get()).is_none() {
            return unfit(format!("iat is {}, expected seconds since 1970", answer.iat));
        }
        Self::from_json(answer.token_introspection.get().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://as.example";

    fn read(payload: &Value) -> Result<Introspection, Unreachable> {
        Introspection::from_payload(payload.to_string().as_bytes(), ISSUER, "api")
    }

    #[test]
    fn what_is_written_is_read_and_its_top_says_nothing_of_the_token() {
        let json = br#"{"active":true,"iss":"https://as.example","sub":"a","exp":4000000000}"#;
        for answer in [Introspection::from_json(json).unwrap(), Introspection::Inactive] {
            let payload = answer.to_payload(ISSUER, "api", UnixTime::from_secs(7));
            assert_eq!(Introspection::from_payload(&payload, ISSUER, "api").unwrap(), answer);
            let written: Value = serde_json::from_slice(&payload).unwrap();
            let members: Vec<_> = written.as_object().unwrap().keys().collect();
            assert_eq!(members, ["aud", "iat", "iss", "token_introspection"]);
            assert_eq!((&written["aud"], &written["iat"]), (&json!("api"), &json!(7)));
        }
    }

    #[test]
    fn an_answer_of_another_form_or_to_somebody_else_is_none_whether_it_says_active_or_not() {
        for active in [true, false] {
            let good = json!({
                "iss": ISSUER, "aud": ["other", "api"], "iat": 1.5, "x": {}, "token_introspection": { "active": active },
            });
            assert_eq!(matches!(read(&good), Ok(Introspection::Active(_))), active);
            for (member, unfit) in [
                ("iss", json!("https://other.example")),
                ("iss", json!(null)),
                ("aud", json!("other")),
                ("aud", json!([])),
                ("aud", json!({})),
                ("iat", json!("1")),
                ("iat", json!(-1)),
                ("token_introspection", json!({})),
                ("token_introspection", json!({ "active": "true" })),
                ("token_introspection", json!([active])),
            ] {
                let mut changed = good.clone();
                changed[member] = unfit;
                assert!(read(&changed).is_err(), "{changed}");
                changed.as_object_mut().unwrap().remove(member);
                assert!(read(&changed).is_err(), "{changed}");
            }
        }
        assert!(read(&json!({ "active": true })).is_err(), "an answer that was never to be signed");
    }
}
