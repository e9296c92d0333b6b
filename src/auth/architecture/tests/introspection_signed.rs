//! Answers that the authorization server signs, and others that come in their place.

use serde_json::{Value, json};

use super::*;
use crate::auth::issuer::SIGNED_INTROSPECTION_TYPE;
use crate::auth::token::Section;

/// The same authorization server, but for what it answers.
struct Answering {
    issuer: Arc<Counting>,
    answer: Mutex<String>,
    /// Why answers were not believed.
    disbelieved: Mutex<Vec<String>>,
}

impl Issuer for Answering {
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        self.issuer.introspect(token)
    }

    fn introspect_signed<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<String, Unreachable>> {
        let answer = self.answer.lock().unwrap().clone();
        Box::pin(async { Ok(answer) })
    }

    fn disbelieved(&self, why: &Unreachable) {
        self.disbelieved.lock().unwrap().push(why.to_string());
    }

    fn exchange<'a>(
        &'a self,
        token: &'a str,
        how: ExchangeKind<'a>,
    ) -> BoxFuture<'a, Result<Option<String>, Unreachable>> {
        self.issuer.exchange(token, how)
    }

    fn fetch<'a>(
        &'a self,
        path: &'a str,
        known: Option<&'a str>,
        most_bytes: usize,
    ) -> BoxFuture<'a, Result<Option<Arc<Document>>, Unreachable>> {
        self.issuer.fetch(path, known, most_bytes)
    }
}

/// The payload of a good answer.
fn payload(active: bool) -> Value {
    json!({ "iss": ISSUER, "aud": IN_MEMORY_CLIENT, "iat": 1, "token_introspection": { "active": active } })
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_signed_or_is_another_one_decides_nothing() {
    let [issuer, stranger] = [
        issuer_of(Tokens::SignedAnswers, Some("ES256"), Vec::new()).await,
        self::issuer(Some("ES256")).await,
    ];
    let answering = Arc::new(Answering {
        issuer: Arc::clone(&issuer),
        answer: Mutex::default(),
        disbelieved: Mutex::default(),
    });
    let validator = part(r#""introspection-signed""#).validator(context(&answering)).await.unwrap();
    let sign = |server: &AuthorizationServer, typ: &str, payload: &Value| {
        server.sign_as(typ, payload.to_string().as_bytes()).unwrap()
    };
    let decide = async |answer: &str| {
        answer.clone_into(&mut answering.answer.lock().unwrap());
        validator.validate("a token").await.err()
    };
    for active in [true, false] {
        let payload = payload(active);
        let good = sign(&issuer.server, SIGNED_INTROSPECTION_TYPE, &payload);
        assert_eq!(decide(&good).await, (!active).then_some(Rejection::Inactive));
        assert_eq!(answering.disbelieved.lock().unwrap().len(), 0);

        let (message, signature) = good.rsplit_once('.').unwrap();
        let changed = |member: &str, value: Value| {
            let mut payload = payload.clone();
            payload[member] = value;
            sign(&issuer.server, SIGNED_INTROSPECTION_TYPE, &payload)
        };
        let other = sign(&issuer.server, SIGNED_INTROSPECTION_TYPE, &self::payload(!active));
        for (what, answer) in [
            ("nothing", String::new()),
            ("no JWT", json!({ "active": active }).to_string()),
            ("no signature", format!("{message}.")),
            ("another signature", format!("{message}.{}", other.rsplit_once('.').unwrap().1)),
            ("another message", format!("{}.{signature}", other.rsplit_once('.').unwrap().0)),
            ("an access token", sign(&issuer.server, "at+jwt", &payload)),
            ("a JWT of any type", sign(&issuer.server, "JWT", &payload)),
            ("a stranger's key", sign(&stranger.server, SIGNED_INTROSPECTION_TYPE, &payload)),
            ("another issuer", changed("iss", json!("https://other.example"))),
            ("for somebody else", changed("aud", json!("another client"))),
            ("for the audience of the token", changed("aud", json!(AUDIENCE))),
            ("no answer in it", changed("token_introspection", json!({}))),
        ] {
            assert_eq!(decide(&answer).await, Some(Rejection::Undecided), "{what}, active: {active}");
            let told = std::mem::take(&mut *answering.disbelieved.lock().unwrap());
            assert_eq!(told.len(), 1, "{what}: {told:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_signed_answer_must_say_is_as_for_one_that_is_not_signed() {
    let issuer = issuer_of(Tokens::SignedAnswers, Some("ES256"), Vec::new()).await;
    let token = issuer.server.issue(&good()).await.unwrap().token;
    let answer = json!({ "active": true, "scope": "read" });
    let mut payload = payload(true);
    payload["token_introspection"] = answer;
    let answer = issuer.server.sign_as(SIGNED_INTROSPECTION_TYPE, payload.to_string().as_bytes()).unwrap();
    let answering = Arc::new(Answering { issuer, answer: Mutex::new(answer), disbelieved: Mutex::default() });
    for (require, rejection) in [("scope", None), ("exp", Some(Rejection::Lacks(Section::Claims, "exp")))] {
        let settings = format!(r#"{{"kind": "introspection-signed", "require": ["{require}"]}}"#);
        let validator = part(&settings).validator(context(&answering)).await.unwrap();
        assert_eq!(validator.validate(&token).await.err(), rejection, "{require}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_authorization_server_that_signs_nothing_gives_no_answer_that_counts() {
    let issuer = issuer(None).await;
    let validator = validator(r#""introspection-signed""#, &issuer).await;
    let token = issuer.server.issue(&good()).await.unwrap().token;
    assert_eq!(validator.validate(&token).await.unwrap_err(), Rejection::Undecided);
}
