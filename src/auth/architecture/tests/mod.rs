//! What every architecture promises, with a real authorization server in memory and the clock held still.

mod closed_forms;
mod key_set;
mod library;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::sleep;

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
        assert!(
            matches!(verified, Ok(Verified::Claims(_) | Verified::Stated(_))),
            "{architecture}: {verified:?}"
        );

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
        let design = ARCHITECTURES.resolve(choice).unwrap().design();
        let issuer = issuer(signature).await;
        let validator = validator(architecture, &issuer).await;
        let token = issuer.server.issue(&good()).await.unwrap().token;
        assert!(validator.validate(&token).await.is_ok());
        issuer.server.revoke(&good(), &token).await.unwrap();
        let bound = design.accepts_revoked_for(LIFETIME.as_secs_f64()).expect("it checks");
        let bound = Duration::from_secs_f64(bound);
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
