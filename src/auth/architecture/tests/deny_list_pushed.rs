//! A list of revoked tokens that is pushed: what is heard of at once, after a break, after a long one, and not at all.

use tokio::time::sleep;

use super::key_set::refused;
use super::*;
use crate::auth::pushed::LONGEST_WAIT;

/// With these settings beside `kind`, and what was published for them.
async fn prepared(settings: &str) -> (Arc<Counting>, Arc<dyn TokenValidator>) {
    let architecture = part(&format!(r#"{{"kind": "jwt-deny-list-pushed"{settings}}}"#));
    let issuer = issuer_with(Some("Ed25519"), architecture.publishes()).await;
    let validator = architecture.validator(context(&issuer)).await.unwrap();
    (issuer, validator)
}

async fn token(issuer: &Counting) -> String {
    issuer.server.issue(&Client { lifetime: Duration::from_hours(1), ..good() }).await.unwrap().token
}

async fn revoke(issuer: &Counting, token: &str) {
    issuer.server.revoke(&good(), token).await.unwrap();
}

/// Events, reconnects and snapshots.
fn counts(validator: &dyn TokenValidator) -> [u64; 3] {
    let counters = validator.counters();
    ["push_events", "push_reconnects", "push_snapshots"]
        .map(|name| counters.iter().find(|(counted, _)| *counted == name).expect("it is counted").1)
}

/// What is under way when nothing holds it up.
const SOON: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn a_revocation_counts_at_once_and_for_its_token_alone() {
    let (issuer, first) = prepared("").await;
    let [kept, early, late] = [token(&issuer).await, token(&issuer).await, token(&issuer).await];
    assert!(first.validate(&early).await.is_ok());
    revoke(&issuer, &early).await;
    let second = part(r#""jwt-deny-list-pushed""#).validator(context(&issuer)).await.unwrap();
    assert_eq!(second.validate(&early).await.unwrap_err(), Rejection::Inactive, "by the snapshot");
    assert!(second.validate(&late).await.is_ok());
    revoke(&issuer, &late).await;
    sleep(SOON).await;
    for (validator, expected) in [(&first, [2, 0, 1]), (&second, [1, 0, 1])] {
        for _ in 0..100 {
            for revoked in [&early, &late] {
                assert_eq!(validator.validate(revoked).await.unwrap_err(), Rejection::Inactive);
            }
            assert!(validator.validate(&kept).await.is_ok());
            sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(counts(&**validator), expected);
    }
    assert_eq!(issuer.subscriptions.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_revoked_during_a_break_is_heard_of_after_it_without_another_snapshot() {
    let (issuer, validator) = prepared("").await;
    let [kept, before, during] = [token(&issuer).await, token(&issuer).await, token(&issuer).await];
    revoke(&issuer, &before).await;
    sleep(SOON).await;
    let fetches = issuer.fetches.load(Ordering::Relaxed);
    issuer.down.store(true, Ordering::Relaxed);
    sleep(Duration::from_secs(5)).await;
    revoke(&issuer, &during).await;
    sleep(Duration::from_secs(5)).await;
    assert!(validator.validate(&during).await.is_ok(), "it cannot be known");
    assert!(validator.validate(&before).await.is_err(), "what is known stays known");
    issuer.down.store(false, Ordering::Relaxed);
    sleep(LONGEST_WAIT).await;
    assert_eq!(validator.validate(&during).await.unwrap_err(), Rejection::Inactive);
    assert!(validator.validate(&kept).await.is_ok());
    assert_eq!(counts(&*validator), [2, 1, 1]);
    assert_eq!(issuer.fetches.load(Ordering::Relaxed), fetches);
}

#[tokio::test(start_paused = true)]
async fn who_missed_more_than_is_kept_takes_a_snapshot() {
    let (issuer, validator) = prepared("").await;
    let missed = token(&issuer).await;
    issuer.down.store(true, Ordering::Relaxed);
    sleep(Duration::from_secs(2)).await;
    revoke(&issuer, &missed).await;
    for _ in 0..10_000 {
        revoke(&issuer, &token(&issuer).await).await;
    }
    issuer.down.store(false, Ordering::Relaxed);
    sleep(LONGEST_WAIT).await;
    assert_eq!(validator.validate(&missed).await.unwrap_err(), Rejection::Inactive);
    assert_eq!(counts(&*validator), [0, 1, 2], "no event came");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_silent_is_opened_anew() {
    let (issuer, validator) = prepared("").await;
    let token = token(&issuer).await;
    let subscriptions = || issuer.subscriptions.load(Ordering::Relaxed);
    issuer.stuck.store(true, Ordering::Relaxed);
    revoke(&issuer, &token).await;
    sleep(Duration::from_millis(2_900)).await;
    issuer.stuck.store(false, Ordering::Relaxed);
    assert_eq!(subscriptions(), 1);
    assert!(validator.validate(&token).await.is_ok(), "the stream is silent");
    sleep(Duration::from_millis(200)).await;
    assert_eq!((subscriptions(), counts(&*validator)), (2, [1, 1, 1]));
    assert_eq!(validator.validate(&token).await.unwrap_err(), Rejection::Inactive);
}

#[tokio::test(start_paused = true)]
async fn without_the_stream_tokens_are_accepted_for_as_long_as_is_set_and_then_none_is() {
    let all: Vec<u64> = (0..100).collect();
    for (settings, expected) in [
        ("", &all[30..]),
        (r#", "stale_on_error": "3s""#, &all[3..]),
        (r#", "stale_on_error": "9s", "silence": "1s""#, &all[9..]),
        (r#", "stale_on_error": "20s", "silence": "20s""#, &all[20..]),
    ] {
        let (issuer, validator) = prepared(settings).await;
        let token = token(&issuer).await;
        issuer.down.store(true, Ordering::Relaxed);
        sleep(Duration::from_millis(500)).await;
        assert_eq!(refused(&*validator, &token, 100).await, expected, "{settings}");
        issuer.down.store(false, Ordering::Relaxed);
        sleep(LONGEST_WAIT).await;
        assert!(validator.validate(&token).await.is_ok(), "{settings}: it recovers");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_cannot_be_opened_is_tried_again_and_less_and_less_often() {
    let (issuer, validator) = prepared("").await;
    issuer.down.store(true, Ordering::Relaxed);
    let mut before = 1;
    for (seconds, tries) in [(2, 3..=8), (60, 25..=65)] {
        sleep(Duration::from_secs(seconds)).await;
        let now = issuer.subscriptions.load(Ordering::Relaxed);
        assert!(tries.contains(&(now - before)), "{} in {seconds} s", now - before);
        before = now;
    }
    drop(validator);
    sleep(Duration::from_mins(1)).await;
    assert_eq!(issuer.subscriptions.load(Ordering::Relaxed), before, "nobody is there who would hear");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_sent_anything_once_the_validator_is_gone() {
    let (issuer, validator) = prepared("").await;
    assert_eq!(issuer.server.feed().subscribers(), 1);
    drop(validator);
    sleep(SOON).await;
    assert_eq!(issuer.server.feed().subscribers(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_cannot_be_read_or_is_too_long_is_not_taken() {
    let architecture = part(r#""jwt-deny-list-pushed""#);
    let issuer = issuer_with(Some("Ed25519"), architecture.publishes()).await;
    for (snapshot, fits) in
        [(r#"{"revoked":{}}"#, true), (r#"{"revoked":["a"]}"#, false), (r#"{"revoked":{"a":"b"}}"#, false)]
    {
        let forging = Forging::of(&issuer, "/revocations", Some(snapshot.into()));
        assert_eq!(architecture.validator(forging.context()).await.is_ok(), fits, "{snapshot}");
    }
    let bytes = r#"{"revoked":{}}"#.len();
    for (most, fits) in [(bytes, true), (bytes - 1, false)] {
        let settings = format!(r#"{{"kind": "jwt-deny-list-pushed", "list_limit": {most}}}"#);
        assert_eq!(try_validator(&settings, &issuer).await.is_ok(), fits, "{most}");
    }
}
