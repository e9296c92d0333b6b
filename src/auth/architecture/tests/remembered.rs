//! Claims that are kept: for how long, and that they change no verdict.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;

use super::{
    CacheCounts, Client, Counting, Forging, LIFETIME, Rejection, TokenValidator, context, good, issuer, part,
    validator,
};
use crate::auth::authorization_server::KEY_SET_PATH;

const HOUR: Duration = Duration::from_hours(1);

async fn issued(issuer: &Counting, lifetime: Duration) -> String {
    issuer.server.issue(&Client { lifetime, ..good() }).await.unwrap().token
}

/// Accepts the token so often, and tells how often it was verified for that.
async fn verified(validator: &Arc<dyn TokenValidator>, token: &str, requests: u64) -> u64 {
    let before = validator.cache();
    for _ in 0..requests {
        validator.validate(token).await.unwrap();
    }
    let CacheCounts { hits, misses, .. } = validator.cache();
    assert_eq!(hits - before.hits + misses - before.misses, requests);
    misses - before.misses
}

#[tokio::test(start_paused = true)]
async fn a_token_is_verified_once_until_the_keys_are_fetched_again_or_its_ttl_is_over() {
    for (settings, misses) in [
        ("", vec![0, 300, 600, 900]),
        (r#", "ttl": "100s""#, (0..10).map(|hundred| hundred * 100).collect()),
        (r#", "ttl": "1h", "jwt": {"refresh": "20m"}"#, vec![0]),
    ] {
        let issuer = issuer(Some("ES256")).await;
        let validator = validator(&format!(r#"{{"kind": "jwt-cached"{settings}}}"#), &issuer).await;
        let token = issued(&issuer, HOUR).await;
        let mut verified_at = Vec::new();
        for second in (0..1_000).step_by(10) {
            if verified(&validator, &token, 100).await > 0 {
                verified_at.push(second);
            }
            sleep(Duration::from_secs(10)).await;
        }
        assert_eq!(verified_at, misses, "{settings}");
    }
}

#[tokio::test(start_paused = true)]
async fn kept_claims_count_no_longer_than_the_token_and_its_leeway() {
    let issuer = issuer(Some("ES256")).await;
    let settings = r#"{"kind": "jwt-cached", "ttl": "1h", "jwt": {"leeway": "30s"}}"#;
    let validator = validator(settings, &issuer).await;
    let token = issued(&issuer, LIFETIME).await;
    let mut accepted = 0;
    for _ in 0..120 {
        match validator.validate(&token).await {
            Ok(_) => accepted += 1,
            Err(rejection) => assert_eq!(rejection, Rejection::Expired),
        }
        sleep(Duration::from_secs(1)).await;
    }
    assert!((89..=90).contains(&accepted), "{accepted} s");
    assert_eq!(validator.cache().misses, 1, "by what was kept");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_no_longer_published_counts_until_the_keys_are_fetched_again() {
    let issuer = issuer(Some("ES256")).await;
    let forging = Forging::of(&issuer, KEY_SET_PATH, None);
    let architecture = part(r#"{"kind": "jwt-cached", "ttl": "1h", "jwt": {"refresh": "60s"}}"#);
    let validator = architecture.validator(forging.context()).await.unwrap();
    let token = issued(&issuer, HOUR).await;
    assert_eq!(verified(&validator, &token, 10).await, 1);
    *forging.document.lock().unwrap() = Some(br#"{"keys":[]}"#.to_vec());
    sleep(Duration::from_secs(59)).await;
    assert_eq!(verified(&validator, &token, 10).await, 0);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(validator.validate(&token).await.err(), Some(Rejection::UnknownKey));
}

#[tokio::test(start_paused = true)]
async fn in_an_outage_what_is_remembered_is_accepted_exactly_as_long_as_by_jwt() {
    let issuer = issuer(Some("ES256")).await;
    let jwt = r#""refresh": "10s", "cooldown": "5s", "stale_on_error": "60s""#;
    let remembering = part(&format!(r#"{{"kind": "jwt-cached", "jwt": {{{jwt}}}}}"#));
    let remembering = remembering.validator(context(&issuer)).await.unwrap();
    let plain = validator(&format!(r#"{{"kind": "jwt", {jwt}}}"#), &issuer).await;
    let token = issued(&issuer, HOUR).await;
    let mut accepted = 0;
    for second in 0..200 {
        issuer.down.store((20..150).contains(&second), Ordering::Relaxed);
        let verdicts = [&remembering, &plain].map(|validator| validator.validate(&token));
        let [remembered, verified] = verdicts;
        let [remembered, verified] = [remembered.await.err(), verified.await.err()];
        assert_eq!(remembered, verified, "{second} s");
        accepted += u32::from(remembered.is_none());
        sleep(Duration::from_secs(1)).await;
    }
    assert!((100..140).contains(&accepted), "{accepted} s");
}

#[tokio::test(start_paused = true)]
async fn without_room_every_request_is_verified() {
    let issuer = issuer(Some("ES256")).await;
    let validator = validator(r#"{"kind": "jwt-cached", "capacity": 0}"#, &issuer).await;
    let token = issued(&issuer, HOUR).await;
    assert_eq!(verified(&validator, &token, 10).await, 10);
}
