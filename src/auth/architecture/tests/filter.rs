//! A polled filter of revoked tokens: whom it asks about what, and what counts while nobody answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;

use super::{Client, Counting, Forging, Rejection, TokenValidator, context, good, issuer_with, part};

const HOUR: Duration = Duration::from_hours(1);
const ARCHITECTURE: &str = r#"{"kind": "jwt-filter", "poll": "5s"}"#;

async fn prepared(architecture: &str) -> (Arc<Counting>, Arc<dyn TokenValidator>) {
    let architecture = part(architecture);
    let issuer = issuer_with(Some("ES256"), architecture.publishes()).await;
    let validator = architecture.validator(context(&issuer)).await.unwrap();
    (issuer, validator)
}

async fn issued(issuer: &Counting) -> String {
    issuer.server.issue(&Client { lifetime: HOUR, ..good() }).await.unwrap().token
}

fn introspections(issuer: &Counting) -> u64 {
    issuer.introspections.load(Ordering::Relaxed)
}

/// A good token that the filter holds by mistake, or one that it does not hold: of 5,000 each is held with a chance of 1/256.
async fn good_token(issuer: &Counting, validator: &Arc<dyn TokenValidator>, is_held: bool) -> String {
    for _ in 0..5_000 {
        let token = issued(issuer).await;
        let before = introspections(issuer);
        validator.validate(&token).await.unwrap();
        if (introspections(issuer) > before) == is_held {
            return token;
        }
    }
    panic!("no such token");
}

#[tokio::test(start_paused = true)]
async fn what_the_filter_holds_is_introspected_and_counted_and_nothing_else_is() {
    let (issuer, validator) = prepared(ARCHITECTURE).await;
    let revoked = issued(&issuer).await;
    for _ in 0..1_000 {
        validator.validate(&issued(&issuer).await).await.unwrap();
    }
    validator.validate(&revoked).await.unwrap();
    assert_eq!(introspections(&issuer), 0, "a filter of nothing holds nothing");

    issuer.server.revoke(&good(), &revoked).await.unwrap();
    sleep(Duration::from_millis(4_900)).await;
    validator.validate(&revoked).await.unwrap();
    sleep(Duration::from_millis(200)).await;
    for _ in 0..10 {
        assert_eq!(validator.validate(&revoked).await.err(), Some(Rejection::Inactive));
    }
    assert_eq!(validator.counters(), [("filter_hits", 10), ("filter_false_positives", 0)]);

    let held = good_token(&issuer, &validator, true).await;
    for _ in 1..5 {
        validator.validate(&held).await.unwrap();
    }
    assert_eq!(validator.counters(), [("filter_hits", 15), ("filter_false_positives", 5)]);
    assert_eq!(introspections(&issuer), 15);
}

#[tokio::test(start_paused = true)]
async fn while_nobody_answers_only_what_the_filter_holds_is_undecided_until_the_filter_is_too_old() {
    let all: Vec<u64> = (0..60).collect();
    for (settings, too_old) in [("", &all[..0]), (r#", "stale_on_error": "20s""#, &all[20..])] {
        let (issuer, validator) =
            prepared(&format!(r#"{{"kind": "jwt-filter", "poll": "5s"{settings}}}"#)).await;
        let revoked = issued(&issuer).await;
        issuer.server.revoke(&good(), &revoked).await.unwrap();
        // Between the polls, the first of which has brought the revocation.
        sleep(Duration::from_millis(5_500)).await;
        let held = good_token(&issuer, &validator, true).await;
        let fine = good_token(&issuer, &validator, false).await;
        issuer.down.store(true, Ordering::Relaxed);
        let mut refused = Vec::new();
        for second in 0..60 {
            for token in [&held, &revoked] {
                assert_eq!(validator.validate(token).await.err(), Some(Rejection::Undecided), "{second} s");
            }
            match validator.validate(&fine).await.err() {
                None => {}
                Some(Rejection::Undecided) => refused.push(second),
                Some(other) => panic!("{other} at {second} s"),
            }
            sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(refused, too_old, "{settings}");
        issuer.down.store(false, Ordering::Relaxed);
        sleep(Duration::from_millis(5_100)).await;
        assert!(validator.validate(&held).await.is_ok());
        assert_eq!(validator.validate(&revoked).await.err(), Some(Rejection::Inactive));
    }
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_cannot_be_read_is_not_taken_and_the_one_before_counts() {
    let architecture = part(ARCHITECTURE);
    let issuer = issuer_with(Some("ES256"), architecture.publishes()).await;
    let forging = Forging::of(&issuer, "/revocation-filter", None);
    let validator = architecture.validator(forging.context()).await.unwrap();
    let revoked = issued(&issuer).await;
    issuer.server.revoke(&good(), &revoked).await.unwrap();
    sleep(Duration::from_millis(5_100)).await;
    assert_eq!(validator.validate(&revoked).await.err(), Some(Rejection::Inactive));
    *forging.document.lock().unwrap() = Some(b"no filter".to_vec());
    assert!(architecture.validator(forging.context()).await.is_err(), "taken at the start");
    sleep(Duration::from_secs(20)).await;
    assert_eq!(validator.validate(&revoked).await.err(), Some(Rejection::Inactive));
}

#[tokio::test(start_paused = true)]
async fn a_filter_beyond_the_limit_is_not_taken() {
    let lengths = 8 + 4 + 4;
    for (most, fits) in [(lengths + 12, true), (lengths + 11, false)] {
        let settings = format!(r#"{{"kind": "jwt-filter", "poll": "5s", "filter_limit": {most}}}"#);
        let architecture = part(&settings);
        let issuer = issuer_with(Some("ES256"), architecture.publishes()).await;
        let revoked = issued(&issuer).await;
        issuer.server.revoke(&good(), &revoked).await.unwrap();
        assert_eq!(architecture.validator(context(&issuer)).await.is_ok(), fits, "{most}");
    }
}
