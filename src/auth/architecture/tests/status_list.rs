//! A signed list of statuses: what it says, when it is fetched, for how long it counts, and lists that must be refused.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Architecture, Client, Counting, Forging, ISSUER, Part, Rejection, TokenValidator, WallClock, context,
    good, issuer, issuer_with, part,
};
use crate::auth::issuer::Issuer as _;
use crate::auth::token::{Section, base64url};

const PATH: &str = "/status-list";
const TYPE: &str = "statuslist+jwt";
const HOUR: Duration = Duration::from_hours(1);

fn architecture(settings: &str) -> Part<dyn Architecture> {
    part(&format!(r#"{{"kind": "jwt-status-list", {settings}}}"#))
}

/// With these settings beside `kind`, and what was published for them.
async fn prepared(settings: &str) -> (Arc<Counting>, Arc<dyn TokenValidator>) {
    let architecture = architecture(settings);
    let issuer = issuer_with(Some("ES256"), architecture.publishes()).await;
    let validator = architecture.validator(context(&issuer)).await.unwrap();
    (issuer, validator)
}

async fn issued(issuer: &Counting, lifetime: Duration) -> String {
    issuer.server.issue(&Client { lifetime, ..good() }).await.unwrap().token
}

async fn revoke(issuer: &Counting, token: &str) {
    issuer.server.revoke(&good(), token).await.unwrap();
}

/// The parts of a JWT that are JSON.
fn decoded(jwt: &str) -> [Value; 2] {
    let mut parts = jwt.split('.').map(|part| base64url::decode(part).unwrap());
    [(); 2].map(|()| serde_json::from_slice(&parts.next().unwrap()).unwrap())
}

async fn list(issuer: &Counting) -> String {
    let list = issuer.server.fetch(PATH, None, usize::MAX).await.unwrap().unwrap();
    String::from_utf8(list.bytes.to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_list_is_a_jwt_of_its_own_type_that_every_token_refers_to_by_a_place_of_its_own() {
    let (issuer, _validator) = prepared(r#""ttl": "5s", "stale_on_error": "20s""#).await;
    let [header, claims] = decoded(&list(&issuer).await);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("ES256"), &json!(TYPE)));
    assert_eq!(header["kid"], issuer.server.key_set().keys[0]["kid"]);
    let uri = format!("{ISSUER}{PATH}");
    assert_eq!((&claims["sub"], &claims["ttl"]), (&json!(uri), &json!(5.0)));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 2 * 5 + 5 + 2 + 20);
    assert_eq!(claims["status_list"]["bits"], 1);
    for idx in 0..3 {
        let [_, claims] = decoded(&issued(&issuer, HOUR).await);
        assert_eq!(claims["status"], json!({ "status_list": { "idx": idx, "uri": uri } }));
    }
    let publications = issuer.server.publications();
    let media_types: Vec<_> = publications.iter().map(|publication| publication.media_type()).collect();
    assert_eq!(media_types, ["application/json", "application/statuslist+jwt"]);
}

#[tokio::test(start_paused = true)]
async fn a_revocation_counts_from_the_next_fetch_on_and_for_its_token_alone() {
    let (issuer, validator) = prepared(r#""ttl": "5s""#).await;
    let mut tokens = Vec::new();
    for _ in 0..20 {
        tokens.push(issued(&issuer, HOUR).await);
    }
    sleep(Duration::from_secs(12)).await;
    let is_revoked = |at: usize| at.is_multiple_of(3);
    for (_, token) in tokens.iter().enumerate().filter(|(at, _)| is_revoked(*at)) {
        revoke(&issuer, token).await;
    }
    sleep(Duration::from_millis(2_900)).await;
    for token in &tokens {
        assert!(validator.validate(token).await.is_ok(), "the last fetch was at 10 s");
    }
    sleep(Duration::from_millis(200)).await;
    for _ in 0..100 {
        for (at, token) in tokens.iter().enumerate() {
            let rejection = validator.validate(token).await.err();
            assert_eq!(rejection, is_revoked(at).then_some(Rejection::Inactive), "{at}");
        }
        sleep(Duration::from_secs(20)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_list_is_fetched_once_a_ttl_whether_there_are_requests_or_not_and_made_as_often() {
    let (issuer, validator) = prepared(r#""ttl": "5s""#).await;
    let fetches = || issuer.fetches.load(Ordering::Relaxed);
    let first = list(&issuer).await;
    assert_eq!(fetches(), 2, "the keys and the list");
    sleep(Duration::from_millis(4_900)).await;
    assert_eq!(list(&issuer).await, first);
    sleep(Duration::from_millis(95_200)).await;
    assert_eq!(fetches(), 22, "at 5, 10, .. 100 s");
    assert_ne!(list(&issuer).await, first, "another date");
    drop(validator);
    sleep(Duration::from_secs(100)).await;
    assert_eq!(fetches(), 22, "nobody is there who would need it");
}

#[tokio::test(start_paused = true)]
async fn without_the_authorization_server_the_last_list_counts_until_it_expires() {
    for (stale, last_accepted, first_refused) in [(20, 35, 38), (0, 15, 18)] {
        let settings = format!(r#""ttl": "5s", "stale_on_error": "{stale}s""#);
        let (issuer, validator) = prepared(&settings).await;
        let [good, revoked] = [issued(&issuer, HOUR).await, issued(&issuer, HOUR).await];
        issuer.down.store(true, Ordering::Relaxed);
        revoke(&issuer, &revoked).await;
        for second in 0..100 {
            let verdicts = [validator.validate(&good).await.err(), validator.validate(&revoked).await.err()];
            assert_eq!(verdicts[0], verdicts[1], "nobody has heard of the revocation");
            match verdicts[0] {
                None => assert!(second < first_refused, "{second} s with {settings}"),
                Some(Rejection::Undecided) => assert!(second > last_accepted, "{second} s with {settings}"),
                Some(other) => panic!("{other} at {second} s"),
            }
            sleep(Duration::from_secs(1)).await;
        }
        issuer.down.store(false, Ordering::Relaxed);
        sleep(Duration::from_millis(5_100)).await;
        assert!(validator.validate(&good).await.is_ok(), "{settings}: it recovers with the next fetch");
        assert_eq!(validator.validate(&revoked).await.err(), Some(Rejection::Inactive));
    }
}

/// Forges the list that the server would publish: another type, other claims, another key.
fn forged(issuer: &Counting, typ: &str, claims: &Value) -> Vec<u8> {
    issuer.server.sign_as(typ, claims.to_string().as_bytes()).unwrap().into_bytes()
}

/// The claims of a list, with one of them changed, or taken away by `null`.
fn changed(claims: &Value, pointer: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    let (object, name) = pointer.rsplit_once('/').unwrap();
    let object = claims.pointer_mut(object).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        object.remove(name)
    } else {
        object.insert(name.to_owned(), value)
    };
    claims
}

/// Lists that no resource server may take, each with what is wrong with it.
async fn unfit(issuer: &Counting) -> Vec<(&'static str, Vec<u8>)> {
    let [_, claims] = decoded(&list(issuer).await);
    let good = list(issuer).await.into_bytes();
    let with = |pointer, value| forged(issuer, TYPE, &changed(&claims, pointer, value));
    let stranger = super::issuer(Some("ES256")).await;
    let (header, rest) = good.split_at(good.iter().position(|byte| *byte == b'.').unwrap());
    let no_signature = good.iter().rposition(|byte| *byte == b'.').unwrap() + 1;
    let now = WallClock::system().now().secs();
    let bomb = base64url::encode([0x78]);
    vec![
        ("empty", Vec::new()),
        ("garbage", b"garbage".to_vec()),
        ("no UTF-8", vec![0xff; 100]),
        ("signed by another", forged(&stranger, TYPE, &claims)),
        ("not signed", good[..no_signature].to_vec()),
        ("another header", [base64url::encode(r#"{"alg":"none"}"#).as_bytes(), rest].concat()),
        ("the header alone", header.to_vec()),
        ("an access token", forged(issuer, "at+jwt", &claims)),
        ("no type", forged(issuer, "", &claims)),
        ("another list", with("/sub", json!(format!("{ISSUER}/status-list/2")))),
        ("no name", with("/sub", Value::Null)),
        ("no date", with("/iat", Value::Null)),
        ("expired", with("/exp", json!(now - 1))),
        ("no period", with("/ttl", json!(0))),
        ("a period in words", with("/ttl", json!("5s"))),
        ("no list", with("/status_list", Value::Null)),
        ("three bits", with("/status_list/bits", json!(3))),
        ("no bits", with("/status_list/bits", Value::Null)),
        ("no statuses", with("/status_list/lst", Value::Null)),
        ("no base64url", with("/status_list/lst", json!("eNrbuRgAAhcBXQ=="))),
        ("no ZLIB", with("/status_list/lst", json!(bomb))),
        ("no object", forged(issuer, TYPE, &json!([]))),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_list_with_anything_wrong_is_not_taken_and_the_one_before_counts_until_it_expires() {
    let architecture = architecture(r#""ttl": "5s", "stale_on_error": "20s""#);
    let issuer = issuer_with(Some("ES256"), architecture.publishes()).await;
    let [_, claims] = decoded(&list(&issuer).await);
    // What is forged with nothing changed is as good as the original, and so is a list that does not expire.
    for good in [claims.clone(), changed(&claims, "/exp", Value::Null), changed(&claims, "/ttl", Value::Null)]
    {
        let forging = Forging::of(&issuer, PATH, Some(forged(&issuer, TYPE, &good)));
        assert!(architecture.validator(forging.context()).await.is_ok(), "{good}");
    }
    for at in 0..unfit(&issuer).await.len() {
        // Each with clocks that agree.
        let issuer = issuer_with(Some("ES256"), architecture.publishes()).await;
        let (what, document) = unfit(&issuer).await.swap_remove(at);
        let forging = Forging::of(&issuer, PATH, Some(document.clone()));
        assert!(architecture.validator(forging.context()).await.is_err(), "{what}: taken at the start");

        *forging.document.lock().unwrap() = None;
        let validator = architecture.validator(forging.context()).await.unwrap();
        let token = issued(&issuer, HOUR).await;
        *forging.document.lock().unwrap() = Some(document);
        sleep(Duration::from_secs(30)).await;
        assert!(validator.validate(&token).await.is_ok(), "{what}: the list before it counts");
        sleep(Duration::from_secs(10)).await;
        assert_eq!(validator.validate(&token).await.err(), Some(Rejection::Undecided), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_beyond_the_limit_is_not_taken_whether_it_is_sent_or_grows() {
    let in_memory = (1 << 20) / 8;
    for (most, fits) in [(in_memory, true), (in_memory - 1, false), (100, false)] {
        let architecture = architecture(&format!(r#""ttl": "5s", "list_limit": {most}"#));
        let issuer = issuer_with(Some("ES256"), architecture.publishes()).await;
        assert!(list(&issuer).await.len() < 1_000, "it is small as it is sent");
        assert_eq!(architecture.validator(context(&issuer)).await.is_ok(), fits, "{most}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_refused_that_has_no_place_in_the_list_or_one_in_another_list() {
    let architecture = architecture(r#""ttl": "5s""#);
    let issuer = issuer_with(Some("ES256"), architecture.publishes()).await;
    // 16 statuses: those of the example in section 4.1, where that of 1 is 0 and that of 3 is not.
    let [_, list] = decoded(&list(&issuer).await);
    let short = changed(&list, "/status_list/lst", json!("eNrbuRgAAhcBXQ"));
    let forging = Forging::of(&issuer, PATH, Some(forged(&issuer, TYPE, &short)));
    let validator = architecture.validator(forging.context()).await.unwrap();
    let [_, claims] = decoded(&issued(&issuer, HOUR).await);
    let uri = format!("{ISSUER}{PATH}");
    let no_claim = Some(Rejection::Lacks(Section::Claims, "status"));
    for (status, rejection) in [
        (json!({ "status_list": { "idx": 1, "uri": uri } }), None),
        (json!({ "status_list": { "idx": 14, "uri": uri } }), None),
        (json!({ "status_list": { "idx": 3, "uri": uri } }), Some(Rejection::Inactive)),
        (json!({ "status_list": { "idx": 15, "uri": uri } }), Some(Rejection::Inactive)),
        (json!({ "status_list": { "idx": 16, "uri": uri } }), Some(Rejection::NoStatus)),
        (json!({ "status_list": { "idx": u64::MAX, "uri": uri } }), Some(Rejection::NoStatus)),
        (json!({ "status_list": { "idx": 1, "uri": "https://other.example/" } }), Some(Rejection::NoStatus)),
        (json!({ "status_list": { "idx": -1, "uri": uri } }), no_claim),
        (json!({ "status_list": { "uri": uri } }), no_claim),
        (json!({ "identifier_list": {} }), no_claim),
        (json!("valid"), no_claim),
        (Value::Null, no_claim),
    ] {
        let claims = changed(&claims, "/status", status.clone());
        let token = issuer.server.sign_as("at+jwt", claims.to_string().as_bytes()).unwrap();
        assert_eq!(validator.validate(&token).await.err(), rejection, "{status}");
        let token = issuer.server.sign_as(TYPE, claims.to_string().as_bytes()).unwrap();
        assert_eq!(validator.validate(&token).await.err(), Some(Rejection::WrongType));
    }
}

/// Somebody else may sign with the key of the server, `bearerbench token issue` for one.
#[tokio::test(start_paused = true)]
async fn a_revoked_token_whose_place_was_never_given_away_leaves_the_list_as_it_is() {
    let (issuer, validator) = prepared(r#""ttl": "5s""#).await;
    let token = issued(&issuer, HOUR).await;
    let [_, claims] = decoded(&token);
    let claims = changed(&changed(&claims, "/status/status_list/idx", json!(u64::MAX)), "/jti", json!("own"));
    let far = issuer.server.sign_as("at+jwt", claims.to_string().as_bytes()).unwrap();
    revoke(&issuer, &far).await;
    sleep(Duration::from_millis(5_100)).await;
    assert!(validator.validate(&token).await.is_ok());
    assert_eq!(validator.validate(&far).await.err(), Some(Rejection::NoStatus));
}

#[tokio::test]
async fn without_a_key_there_is_no_list_and_without_a_list_tokens_refer_to_none() {
    let architecture = architecture(r#""ttl": "5s""#);
    let opaque = issuer_with(None, architecture.publishes()).await;
    let error = opaque.server.fetch(PATH, None, usize::MAX).await.unwrap_err().to_string();
    assert!(error.contains("start it with a signature scheme"), "{error}");
    assert_eq!(opaque.server.issue(&good()).await.unwrap().claims.status, None);
    let plain = issuer(Some("ES256")).await;
    let [_, claims] = decoded(&issued(&plain, HOUR).await);
    assert_eq!(claims.get("status"), None);
}
