//! A polled list of revoked tokens: when it is fetched, how long it counts, and what stands on it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::key_set::refused;
use super::{
    Client, Counting, Issuer, LIFETIME, Rejection, TokenValidator, context, good, issuer_with, part,
};

/// With these settings beside `kind`, and what was published for them.
async fn prepared(settings: &str) -> (Arc<Counting>, Arc<dyn TokenValidator>) {
    let architecture = part(&format!(r#"{{"kind": "jwt-deny-list", {settings}}}"#));
    let issuer = issuer_with(Some("ES256"), architecture.publishes()).await;
    let validator = architecture.validator(context(&issuer)).await.unwrap();
    (issuer, validator)
}

async fn token(issuer: &Counting, lifetime: Duration) -> String {
    issuer.server.issue(&Client { lifetime, ..good() }).await.unwrap().token
}

async fn revoke(issuer: &Counting, token: &str) {
    issuer.server.revoke(&good(), token).await.unwrap();
}

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test(start_paused = true)]
async fn a_revocation_counts_from_the_next_poll_on_and_for_its_token_alone() {
    let (issuer, validator) = prepared(r#""poll": "5s""#).await;
    let (kept, revoked) = (token(&issuer, HOUR).await, token(&issuer, HOUR).await);
    sleep(Duration::from_secs(12)).await;
    revoke(&issuer, &revoked).await;
    sleep(Duration::from_millis(2_900)).await;
    assert!(validator.validate(&revoked).await.is_ok(), "the last poll was at 10 s");
    sleep(Duration::from_millis(200)).await;
    for _ in 0..1_000 {
        assert_eq!(validator.validate(&revoked).await.unwrap_err(), Rejection::Inactive);
        assert!(validator.validate(&kept).await.is_ok());
        sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_list_is_polled_whether_there_are_requests_or_not_until_the_validator_is_gone() {
    let (issuer, validator) = prepared(r#""poll": "5s""#).await;
    let token = token(&issuer, HOUR).await;
    let fetches = || issuer.fetches.load(Ordering::Relaxed);
    assert_eq!(fetches(), 2, "the keys and the list");
    sleep(Duration::from_millis(100_100)).await;
    assert_eq!(fetches(), 22, "at 5, 10, .. 100 s");
    for _ in 0..1_000 {
        validator.validate(&token).await.unwrap();
    }
    assert_eq!(fetches(), 22, "no request fetches");
    drop(validator);
    sleep(Duration::from_secs(100)).await;
    assert_eq!(fetches(), 22, "nobody is there who would need it");
}

#[tokio::test(start_paused = true)]
async fn while_the_list_cannot_be_fetched_the_old_one_counts_for_as_long_as_is_set() {
    let all: Vec<u64> = (1..100).collect();
    let cases = [
        ("", &all[..0]),
        (r#", "stale_on_error": "0s""#, &all[4..]),
        (r#", "stale_on_error": "20s""#, &all[19..]),
    ];
    for (settings, expected) in cases {
        let (issuer, validator) = prepared(&format!(r#""poll": "5s"{settings}"#)).await;
        let (good, revoked) = (token(&issuer, HOUR).await, token(&issuer, HOUR).await);
        issuer.down.store(true, Ordering::Relaxed);
        revoke(&issuer, &revoked).await;
        let mut refused = Vec::new();
        // Between the polls.
        sleep(Duration::from_millis(500)).await;
        for second in 1..100 {
            sleep(Duration::from_secs(1)).await;
            let [good, revoked] = [validator.validate(&good).await, validator.validate(&revoked).await];
            assert_eq!(good.is_ok(), revoked.is_ok(), "nobody has heard of the revocation");
            match good {
                Ok(_) => {}
                Err(Rejection::Undecided) => refused.push(second),
                Err(other) => panic!("second {second}: {other}"),
            }
        }
        assert_eq!(refused, expected, "{settings}");
        issuer.down.store(false, Ordering::Relaxed);
        sleep(Duration::from_millis(5_100)).await;
        assert!(validator.validate(&good).await.is_ok(), "{settings}: it recovers with the next poll");
        assert_eq!(validator.validate(&revoked).await.unwrap_err(), Rejection::Inactive);
    }
}

#[tokio::test(start_paused = true)]
async fn while_a_poll_is_late_the_old_list_counts_for_the_time_of_a_fetch_unless_there_is_no_limit() {
    let all: Vec<u64> = (0..3_600).collect();
    let cases = [
        ("", &all[..0]),
        (r#", "stale_on_error": "0s""#, &all[10..]),
        (r#", "stale_on_error": "20s""#, &all[20..]),
    ];
    for (settings, expected) in cases {
        let keys = r#""jwt": {"refresh": "2h"}"#;
        let (issuer, validator) = prepared(&format!(r#""poll": "5s", {keys}{settings}"#)).await;
        let token = token(&issuer, 2 * HOUR).await;
        issuer.stuck.store(true, Ordering::Relaxed);
        // Between the polls.
        sleep(Duration::from_millis(500)).await;
        assert_eq!(refused(&*validator, &token, 3_600).await, expected, "{settings}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_is_the_same_until_a_token_is_revoked_or_a_revoked_one_has_expired() {
    let (issuer, _validator) = prepared(r#""poll": "5s""#).await;
    let fetch = async |known: &str| {
        let fetched = issuer.server.fetch("/deny-list", Some(known), usize::MAX).await.unwrap();
        fetched
            .map(|list| (String::from_utf8(list.bytes.to_vec()).unwrap(), list.entity_tag.clone().unwrap()))
    };
    let (list, tag) = fetch("").await.unwrap();
    assert_eq!(list, r#"{"revoked":[]}"#);
    assert_eq!(fetch(&tag).await, None);

    let (first, second) = (token(&issuer, LIFETIME).await, token(&issuer, 2 * LIFETIME).await);
    revoke(&issuer, &first).await;
    revoke(&issuer, &second).await;
    let (both, tag_of_both) = fetch(&tag).await.unwrap();
    assert_eq!(both.matches('"').count(), 2 + 2 * 2, "{both}");
    assert_eq!(fetch(&tag_of_both).await, None);
    revoke(&issuer, &second).await;
    assert_eq!(fetch(&tag_of_both).await, None, "it was revoked before");

    sleep(LIFETIME + Duration::from_secs(2)).await;
    let (one, tag_of_one) = fetch(&tag_of_both).await.unwrap();
    assert_eq!(one.matches('"').count(), 2 + 2, "{one}");
    sleep(LIFETIME).await;
    assert_eq!(fetch(&tag_of_one).await, Some((list, tag)), "empty as it was");
}

#[test]
fn a_list_is_made_once_for_all_and_beside_the_threads_that_serve() {
    let runtime = Builder::new_current_thread().enable_time().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let architecture = part(r#"{"kind": "jwt-deny-list", "poll": "5s"}"#);
        let issuer = issuer_with(Some("ES256"), architecture.publishes()).await;
        let (release, released) = mpsc::channel::<()>();
        let busy = spawn_blocking(move || released.recv());
        let mut lists = [0; 2].map(|_| issuer.server.fetch("/deny-list", None, usize::MAX));
        for list in &mut lists {
            let polled = list.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending(), "made in the thread that serves");
        }
        release.send(()).unwrap();
        busy.await.unwrap().unwrap();
        let [one, other] = lists;
        let [one, other] = [one.await, other.await].map(|list| list.unwrap().unwrap());
        assert!(Arc::ptr_eq(&one, &other), "made twice");
        assert_eq!(one.bytes.clone().as_ptr(), one.bytes.as_ptr(), "copied for who sends it");
    });
}

#[tokio::test(start_paused = true)]
async fn a_token_that_leeway_keeps_alive_past_its_expiry_stays_revoked() {
    let (issuer, validator) = prepared(r#""poll": "1s", "jwt": {"leeway": "30s"}"#).await;
    let (kept, revoked) = (token(&issuer, LIFETIME).await, token(&issuer, LIFETIME).await);
    revoke(&issuer, &revoked).await;
    sleep(Duration::from_millis(1_100)).await;
    let mut accepted = 0;
    for _ in 0..120 {
        accepted += u32::from(validator.validate(&kept).await.is_ok());
        assert!(validator.validate(&revoked).await.is_err());
        sleep(Duration::from_secs(1)).await;
    }
    assert!((87..=90).contains(&accepted), "{accepted} s");
}

#[tokio::test(start_paused = true)]
async fn a_server_of_two_architectures_lists_a_token_for_as_long_as_the_more_lenient_accepts_it() {
    let strict = part(r#"{"kind": "jwt-deny-list", "poll": "1s"}"#);
    let lenient = part(r#"{"kind": "jwt-deny-list", "poll": "1s", "jwt": {"leeway": "30s"}}"#);
    for served in [[&strict, &lenient], [&lenient, &strict]] {
        let publications = served.iter().flat_map(|architecture| architecture.publishes()).collect();
        let issuer = issuer_with(Some("ES256"), publications).await;
        let validator = lenient.validator(context(&issuer)).await.unwrap();
        let (kept, revoked) = (token(&issuer, LIFETIME).await, token(&issuer, LIFETIME).await);
        revoke(&issuer, &revoked).await;
        sleep(LIFETIME + Duration::from_secs(20)).await;
        assert!(validator.validate(&kept).await.is_ok(), "within the leeway");
        assert_eq!(validator.validate(&revoked).await.unwrap_err(), Rejection::Inactive, "{served:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_beyond_the_limit_is_not_taken() {
    let settings = |most| format!(r#"{{"kind": "jwt-deny-list", "poll": "5s", "list_limit": {most}}}"#);
    let bytes = r#"{"revoked":[]}"#.len();
    for (most, fits) in [(bytes, true), (bytes - 1, false)] {
        let architecture = part(&settings(most));
        let issuer = issuer_with(Some("ES256"), architecture.publishes()).await;
        assert_eq!(architecture.validator(context(&issuer)).await.is_ok(), fits, "{most}");
    }
}
