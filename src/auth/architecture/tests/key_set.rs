//! When keys are fetched, and what happens when they cannot be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use super::{
    BoxFuture, Client, Counting, Document, ExchangeKind, Introspection, Issuer, Minting, Part, Rejection,
    SignatureScheme, SigningKey, TokenFormat, TokenValidator, Unreachable, context, counting, good, issuer,
    part, try_validator, validator,
};

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_again_when_they_are_due_and_not_for_every_unknown_key() {
    let issuer = issuer(Some("ES256")).await;
    let settings = r#"{"kind": "jwt", "refresh": "300s", "cooldown": "30s"}"#;
    let validator = validator(settings, &issuer).await;
    let stranger = self::issuer(Some("ES256")).await;
    let unknown = stranger.server.issue(&good()).await.unwrap().token;
    let fetched = || issuer.fetches.load(Ordering::Relaxed);
    for _ in 0..100 {
        assert_eq!(validator.validate(&unknown).await.unwrap_err(), Rejection::UnknownKey);
    }
    assert_eq!(fetched(), 1, "within the cool-down of the first fetch");
    sleep(Duration::from_secs(31)).await;
    for _ in 0..100 {
        assert!(validator.validate(&unknown).await.is_err());
    }
    assert_eq!(fetched(), 2, "once in a cool-down");
    sleep(Duration::from_secs(301)).await;
    let token = issuer.server.issue(&good()).await.unwrap().token;
    assert!(validator.validate(&token).await.is_ok());
    assert_eq!(fetched(), 3, "when due");
}

/// Asks once a second for as long, and tells at which seconds a request was refused.
pub(super) async fn refused(validator: &dyn TokenValidator, token: &str, seconds: u64) -> Vec<u64> {
    let mut refused = Vec::new();
    for second in 0..seconds {
        match validator.validate(token).await {
            Ok(_) => {}
            Err(Rejection::Undecided) => refused.push(second),
            Err(other) => panic!("second {second}: {other}"),
        }
        sleep(Duration::from_secs(1)).await;
    }
    refused
}

async fn long_lived(issuer: &Counting) -> String {
    let client = Client { lifetime: Duration::from_hours(1), ..good() };
    issuer.server.issue(&client).await.unwrap().token
}

#[tokio::test(start_paused = true)]
async fn while_keys_cannot_be_fetched_the_old_ones_count_for_as_long_as_is_set_and_no_longer() {
    let all: Vec<u64> = (0..1_000).collect();
    let cases = [
        // Without a limit, as common products do.
        (r#"{"kind": "jwt", "refresh": "100s", "cooldown": "30s"}"#, &all[..0], 31),
        // A failed fetch at 100 s and every 30 s after it, whoever asks.
        (
            r#"{"kind": "jwt", "refresh": "100s", "cooldown": "30s", "stale_on_error": "400s"}"#,
            &all[400..],
            31,
        ),
        // Closed at once.
        (r#"{"kind": "jwt", "refresh": "100s", "cooldown": "30s", "stale_on_error": "0s"}"#, &all[100..], 31),
        // A failure does not make fetches rarer than success does.
        (
            r#"{"kind": "jwt", "refresh": "100s", "cooldown": "500s", "stale_on_error": "100s"}"#,
            &all[100..],
            10,
        ),
    ];
    for (settings, expected, fetches) in cases {
        let issuer = issuer(Some("ES256")).await;
        let validator = validator(settings, &issuer).await;
        let token = long_lived(&issuer).await;
        issuer.down.store(true, Ordering::Relaxed);
        assert_eq!(refused(&*validator, &token, 1_000).await, expected, "{settings}");
        assert_eq!(issuer.fetches.load(Ordering::Relaxed), fetches, "{settings}");
        issuer.down.store(false, Ordering::Relaxed);
        sleep(Duration::from_secs(100)).await;
        assert!(refused(&*validator, &token, 50).await.is_empty(), "{settings}: it recovers");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_causes_no_fetch_within_the_cool_down_of_one_that_failed() {
    let issuer = issuer(Some("ES256")).await;
    let validator = validator(r#"{"kind": "jwt", "refresh": "300s", "cooldown": "30s"}"#, &issuer).await;
    let unknown = long_lived(&*self::issuer(Some("ES256")).await).await;
    issuer.down.store(true, Ordering::Relaxed);
    for _ in 0..95 {
        assert_eq!(validator.validate(&unknown).await.unwrap_err(), Rejection::UnknownKey);
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(issuer.fetches.load(Ordering::Relaxed), 4, "at 0, 30, 60 and 90 s");
}

#[tokio::test(start_paused = true)]
async fn a_key_set_beyond_the_limit_is_not_taken() {
    let issuer = issuer(Some("ML-DSA-65")).await;
    let bytes = serde_json::to_vec(&issuer.server.key_set()).unwrap().len();
    let settings = |most| format!(r#"{{"kind": "jwt", "key_set_limit": {most}}}"#);
    assert!(try_validator(&settings(bytes), &issuer).await.is_ok());
    let error = try_validator(&settings(bytes - 1), &issuer).await.err().unwrap().to_string();
    assert!(error.contains(&format!("{bytes} bytes, expected at most {}", bytes - 1)), "{error}");
}

/// An authorization server before and after its key has changed; afterwards it publishes the old one beside the new one.
struct Rotating {
    servers: [Arc<Counting>; 2],
    has_changed: AtomicBool,
}

impl Rotating {
    fn now(&self) -> &Counting {
        &self.servers[usize::from(self.has_changed.load(Ordering::Relaxed))]
    }
}

impl Issuer for Rotating {
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        self.now().introspect(token)
    }

    fn introspect_signed<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<String, Unreachable>> {
        self.now().introspect_signed(token)
    }

    fn exchange<'a>(
        &'a self,
        token: &'a str,
        how: ExchangeKind<'a>,
    ) -> BoxFuture<'a, Result<Option<String>, Unreachable>> {
        self.now().exchange(token, how)
    }

    fn fetch<'a>(
        &'a self,
        path: &'a str,
        known: Option<&'a str>,
        most_bytes: usize,
    ) -> BoxFuture<'a, Result<Option<Arc<Document>>, Unreachable>> {
        self.now().fetch(path, known, most_bytes)
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_signed_by_another_key_has_the_keys_fetched_again_once_their_cool_down_is_over() {
    let settings = r#"{"kind": "jwt-status-list", "ttl": "5s", "jwt": { "cooldown": "12s" }}"#;
    let architecture = part(settings);
    let scheme = Part::<dyn SignatureScheme>::named("ES256").unwrap();
    let [old, new] = [(); 2].map(|()| SigningKey::generate(&*scheme).unwrap());
    let published = vec![old.public().clone()];
    let signing = async |key, others| {
        let minting = Minting::signed(TokenFormat::Jwt, key, scheme.clone(), others);
        counting(minting, architecture.publishes()).await
    };
    let [before, after] = [signing(old, Vec::new()).await, signing(new, published).await];
    let token = long_lived(&before).await;
    let issuer = Arc::new(Rotating { servers: [before, after], has_changed: AtomicBool::new(false) });
    let validator = architecture.validator(context(&issuer)).await.unwrap();
    issuer.has_changed.store(true, Ordering::Relaxed);
    // Signed by the old key, so that the token makes nobody fetch keys.
    issuer.servers[1].server.revoke(&good(), &token).await.unwrap();
    sleep(Duration::from_millis(14_900)).await;
    assert!(
        validator.validate(&token).await.is_ok(),
        "the keys were fetched less than 12 s before 5 and 10 s"
    );
    sleep(Duration::from_millis(200)).await;
    assert_eq!(validator.validate(&token).await.err(), Some(Rejection::Inactive));
    assert_eq!(issuer.servers[1].fetches.load(Ordering::Relaxed), 4, "the list three times, the keys once");
}

#[tokio::test(start_paused = true)]
async fn an_answer_signed_by_another_key_counts_once_the_keys_were_fetched_again() {
    let opaque = TokenFormat::Opaque;
    let scheme = Part::<dyn SignatureScheme>::named("ES256").unwrap();
    let signing = async || {
        let key = SigningKey::generate(&*scheme).unwrap();
        counting(Minting::signed(opaque, key, scheme.clone(), Vec::new()), Vec::new()).await
    };
    let servers = [signing().await, signing().await];
    let token = long_lived(&servers[1]).await;
    let issuer = Arc::new(Rotating { servers, has_changed: AtomicBool::new(false) });
    let validator = part(r#""introspection-signed""#).validator(context(&issuer)).await.unwrap();
    assert_eq!(validator.validate(&token).await.err(), Some(Rejection::Inactive), "by the old key");
    issuer.has_changed.store(true, Ordering::Relaxed);
    assert_eq!(refused(&*validator, &token, 60).await, (0..30).collect::<Vec<_>>(), "the cool-down of `jwt`");
    assert_eq!(issuer.servers[1].fetches.load(Ordering::Relaxed), 1);
}
