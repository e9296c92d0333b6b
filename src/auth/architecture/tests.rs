//! What every architecture promises, with a real authorization server in memory and the clock held still.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp};
use tokio::time::{Instant, sleep, sleep_until};

use super::*;
use crate::auth::authorization_server::{AuthorizationServer, Client, Minting};
use crate::auth::future::BoxFuture;
use crate::auth::issuer::Introspection;
use crate::auth::store::Store;
use crate::auth::token::jwks::JwkSet;
use crate::auth::token::jwt::{SigningKey, Trust};
use crate::auth::token::signature::{SignatureScheme, every_variant};
use crate::registry::{Choice, Part};

const ISSUER: &str = "https://as.example";
const AUDIENCE: &str = "https://api.example/";
const LIFETIME: Duration = Duration::from_mins(1);

/// An authorization server in memory that counts what it is asked.
struct Counting {
    server: AuthorizationServer,
    introspections: AtomicU64,
    key_sets: AtomicU64,
    /// Whether it answers questions for keys.
    down: AtomicBool,
}

impl Issuer for Counting {
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        self.introspections.fetch_add(1, Ordering::Relaxed);
        Issuer::introspect(&self.server, token)
    }

    fn key_set(&self, most_bytes: usize) -> BoxFuture<'_, Result<JwkSet, Unreachable>> {
        self.key_sets.fetch_add(1, Ordering::Relaxed);
        if self.down.load(Ordering::Relaxed) {
            return Box::pin(async { Err(Unreachable("down".to_owned())) });
        }
        Issuer::key_set(&self.server, most_bytes)
    }
}

fn client(audience: &str, scope: &str, age: Duration) -> Client {
    Client {
        id: "client".into(),
        secret: "secret".into(),
        audience: audience.into(),
        scope: scope.into(),
        lifetime: LIFETIME,
        age,
    }
}

fn good() -> Client {
    client(AUDIENCE, "read", Duration::ZERO)
}

async fn issuer(signature: Option<&str>) -> Arc<Counting> {
    let minting = match signature {
        None => Minting::Opaque,
        Some(alg) => {
            let scheme = Part::<dyn SignatureScheme>::named(alg).unwrap();
            Minting::jwt(SigningKey::generate(&*scheme).unwrap(), scheme)
        }
    };
    let store = Part::<dyn Store>::named("memory").unwrap().open().await.unwrap();
    let server = AuthorizationServer::new(ISSUER.into(), [good()], minting, store, WallClock::system());
    let (introspections, key_sets) = (AtomicU64::new(0), AtomicU64::new(0));
    Arc::new(Counting { server, introspections, key_sets, down: AtomicBool::new(false) })
}

async fn validator(architecture: &str, issuer: &Arc<Counting>) -> Arc<dyn TokenValidator> {
    try_validator(architecture, issuer).await.unwrap()
}

async fn try_validator(
    architecture: &str,
    issuer: &Arc<Counting>,
) -> Result<Arc<dyn TokenValidator>, NotReady> {
    let choice: Choice = serde_json::from_str(architecture).unwrap();
    let part = ARCHITECTURES.resolve(choice).unwrap();
    let policy = Policy { issuer: ISSUER.into(), audience: AUDIENCE.into(), scope: "read".into() };
    let context = Context {
        issuer: Arc::clone(issuer) as _,
        policy: Arc::new(policy),
        trust: Trust::default(),
        clock: WallClock::system(),
    };
    part.validator(context).await
}

/// Every architecture that checks tokens, with the tokens it is given.
const CHECKING: [(&str, Option<&str>); 7] = [
    (r#""introspection""#, None),
    (r#""introspection""#, Some("ES256")),
    (r#"{"kind": "introspection-cached", "ttl": "10s"}"#, None),
    (r#"{"kind": "introspection-cached", "ttl": "10s"}"#, Some("ML-DSA-65")),
    (r#""jwt""#, Some("ES256")),
    (r#""jwt""#, Some("ML-DSA-65")),
    (r#"{"kind": "jwt", "library": "jsonwebtoken"}"#, Some("ES256")),
];

#[tokio::test(start_paused = true)]
async fn good_tokens_are_accepted_and_bad_ones_refused_by_every_architecture_that_checks() {
    for (architecture, signature) in CHECKING {
        let issuer = issuer(signature).await;
        let validator = validator(architecture, &issuer).await;
        let issue = async |client: Client| issuer.server.issue(&client).await.unwrap().token;
        let token = issue(good()).await;
        let verified = validator.validate(&token).await;
        assert!(matches!(verified, Ok(Verified::Claims(_))), "{architecture}: {verified:?}");

        let mut tampered = token.clone();
        let middle = token.len() / 2;
        tampered.replace_range(middle..=middle, if &token[middle..=middle] == "A" { "B" } else { "A" });
        let bad = [
            ("tampered", tampered),
            ("garbage", "garbage".to_owned()),
            ("empty", String::new()),
            ("expired", issue(client(AUDIENCE, "read", LIFETIME)).await),
            ("wrong audience", issue(client("https://other.example/", "read", Duration::ZERO)).await),
            ("wrong scope", issue(client(AUDIENCE, "write readable", Duration::ZERO)).await),
        ];
        for (what, token) in bad {
            // Twice: what was remembered the first time must not help the second.
            for _ in 0..2 {
                assert!(validator.validate(&token).await.is_err(), "{architecture} accepts: {what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_architecture_that_checks_accepts_a_token_past_its_expiry() {
    for (architecture, signature) in CHECKING {
        let issuer = issuer(signature).await;
        let validator = validator(architecture, &issuer).await;
        let token = issuer.server.issue(&good()).await.unwrap().token;
        // Remembered a second before its expiry, for longer than that.
        sleep(Duration::from_secs(58)).await;
        assert!(validator.validate(&token).await.is_ok(), "{architecture}");
        sleep(Duration::from_secs(2)).await;
        assert!(validator.validate(&token).await.is_err(), "{architecture}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_lives_as_long_as_the_architecture_says_and_no_longer() {
    for (architecture, signature) in CHECKING {
        let choice: Choice = serde_json::from_str(architecture).unwrap();
        let staleness = ARCHITECTURES.resolve(choice).unwrap().staleness();
        let issuer = issuer(signature).await;
        let validator = validator(architecture, &issuer).await;
        let token = issuer.server.issue(&good()).await.unwrap().token;
        assert!(validator.validate(&token).await.is_ok());
        issuer.server.revoke(&good(), &token).await.unwrap();
        let bound = match staleness {
            Staleness::Unchecked => unreachable!("it checks"),
            Staleness::AskedEveryTime => Duration::ZERO,
            Staleness::Cached(ttl) => ttl,
            Staleness::UntilExpiry(leeway) => LIFETIME + leeway,
        };
        if !bound.is_zero() {
            sleep(bound.saturating_sub(Duration::from_secs(2))).await;
            assert!(validator.validate(&token).await.is_ok(), "{architecture}: it is not asked yet");
            sleep(Duration::from_secs(2)).await;
        }
        assert!(validator.validate(&token).await.is_err(), "{architecture}: alive past its bound");
    }
}

#[tokio::test(start_paused = true)]
async fn the_control_accepts_everything_and_asks_nobody() {
    let issuer = issuer(None).await;
    let validator = validator(r#""none""#, &issuer).await;
    assert!(matches!(validator.validate("garbage").await, Ok(Verified::Unchecked)));
    assert_eq!(issuer.introspections.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_again_when_they_are_due_and_not_for_every_unknown_key() {
    let issuer = issuer(Some("ES256")).await;
    let settings = r#"{"kind": "jwt", "refresh": "300s", "cooldown": "30s"}"#;
    let validator = validator(settings, &issuer).await;
    let stranger = self::issuer(Some("ES256")).await;
    let unknown = stranger.server.issue(&good()).await.unwrap().token;
    let fetched = || issuer.key_sets.load(Ordering::Relaxed);
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
async fn refused(validator: &dyn TokenValidator, token: &str, seconds: u64) -> Vec<u64> {
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
        assert_eq!(issuer.key_sets.load(Ordering::Relaxed), fetches, "{settings}");
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
    assert_eq!(issuer.key_sets.load(Ordering::Relaxed), 4, "at 0, 30, 60 and 90 s");
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

#[test]
fn a_library_is_refused_the_schemes_that_it_does_not_know_before_anything_starts() {
    let own = ARCHITECTURES.resolve(Choice::named("jwt")).unwrap();
    let library = |name: &str| {
        let choice = serde_json::from_str(&format!(r#"{{"kind": "jwt", "library": "{name}"}}"#)).unwrap();
        ARCHITECTURES.resolve(choice).unwrap()
    };
    for scheme in every_variant() {
        assert_eq!(own.accepts(&*scheme), Ok(()));
        for name in ["jsonwebtoken", "jsonwebtoken-rust-crypto"] {
            let readable = scheme.alg().parse::<jsonwebtoken::Algorithm>().is_ok();
            let answer = library(name).accepts(&*scheme);
            assert_eq!(answer.is_ok(), readable, "{scheme}: {answer:?}");
            assert!(answer.err().is_none_or(|why| why.contains(scheme.alg())));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_back_end_of_the_library_in_one_process_is_refused_rather_than_ignored() {
    let issuer = issuer(Some("ES256")).await;
    let first = r#"{"kind": "jwt", "library": "jsonwebtoken"}"#;
    let second = r#"{"kind": "jwt", "library": "jsonwebtoken-rust-crypto"}"#;
    for _ in 0..2 {
        assert!(try_validator(first, &issuer).await.is_ok());
        let error = try_validator(second, &issuer).await.err().unwrap().to_string();
        assert!(error.contains("already uses another back end"), "{error}");
    }
}

/// Poisson requests with one token against a cache, on a clock that jumps from one to the next.
/// The closed forms are those of the design: hit ratio `lambda T / (1 + lambda T)`, unsafe acceptances of
/// a revocation `(lambda T)^2 / (2 (1 + lambda T))`.
#[tokio::test(start_paused = true)]
async fn hits_and_unsafe_acceptances_of_the_cache_agree_with_their_closed_forms() {
    const RUNS: u32 = 400;
    let (lambda, ttl) = (1.0, 10.0);
    let gaps = Exp::new(lambda).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let (mut hits, mut decisions, mut unsafe_each) = (0, 0, Vec::new());
    for _ in 0..RUNS {
        let issuer = issuer(None).await;
        let validator = validator(r#"{"kind": "introspection-cached", "ttl": "10s"}"#, &issuer).await;
        let client = Client { lifetime: Duration::from_hours(1), ..good() };
        let token = issuer.server.issue(&client).await.unwrap().token;
        // Long enough to forget how it began, and a phase of its own.
        let revoked_at = Instant::now() + Duration::from_secs_f64(100.0 + 50.0 * random.random::<f64>());
        let mut due = Instant::now();
        let (mut revoked, mut accepted_after) = (false, 0);
        loop {
            due += Duration::from_secs_f64(gaps.sample(&mut random));
            if due >= revoked_at && !revoked {
                sleep_until(revoked_at).await;
                let cache = validator.cache();
                hits += cache.hits;
                decisions += cache.hits + cache.misses;
                issuer.server.revoke(&client, &token).await.unwrap();
                revoked = true;
            }
            sleep_until(due).await;
            match (validator.validate(&token).await, revoked) {
                (Ok(_), true) => accepted_after += 1,
                (Ok(_), false) => {}
                (Err(_), true) => break,
                (Err(rejection), false) => panic!("refused before it was revoked: {rejection}"),
            }
        }
        unsafe_each.push(f64::from(accepted_after));
    }
    let load = lambda * ttl;
    let expected_hits = load / (1.0 + load);
    let measured_hits = hits as f64 / decisions as f64;
    // Decisions within a cycle are not independent; a cycle is one miss, so misses are counted like events.
    let deviation = (expected_hits * (1.0 - expected_hits) / decisions as f64).sqrt();
    assert!(
        (measured_hits - expected_hits).abs() < 3.3 * deviation,
        "{measured_hits} against {expected_hits}"
    );

    let count = unsafe_each.len() as f64;
    let mean = unsafe_each.iter().sum::<f64>() / count;
    let variance = unsafe_each.iter().map(|each| (each - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let expected = load * load / (2.0 * (1.0 + load));
    assert!((mean - expected).abs() < 3.3 * (variance / count).sqrt(), "{mean} against {expected}");
}
