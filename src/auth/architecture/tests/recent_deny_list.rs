//! A short list of what was revoked lately beside the whole one: no revocation is forgotten between the two.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use super::{Client, Counting, Forging, context, good, issuer_with, part};
use crate::auth::issuer::Issuer as _;

const ARCHITECTURE: &str = r#"{"kind": "jwt-deny-list", "poll": "5s", "full": "30s"}"#;

/// Issues a token and revokes it.
async fn revoked(issuer: &Counting) -> String {
    let client = Client { lifetime: Duration::from_hours(1), ..good() };
    let token = issuer.server.issue(&client).await.unwrap().token;
    issuer.server.revoke(&client, &token).await.unwrap();
    token
}

/// What the list at this path says: how far back it reaches, and how many tokens are on it.
async fn list(issuer: &Counting, path: &str) -> (Option<u64>, usize) {
    let list = issuer.server.fetch(path, None, usize::MAX).await.unwrap().unwrap();
    let list: Value = serde_json::from_slice(&list.bytes).unwrap();
    (list["seconds"].as_u64(), list["revoked"].as_array().unwrap().len())
}

#[tokio::test(start_paused = true)]
async fn a_revocation_is_heard_of_by_the_short_list_and_kept_by_the_whole_one() {
    let architecture = part(ARCHITECTURE);
    let issuer = issuer_with(Some("ES256"), architecture.publishes()).await;
    let validator = architecture.validator(context(&issuer)).await.unwrap();
    let mut tokens = Vec::new();
    // Between the polls.
    sleep(Duration::from_millis(500)).await;
    for second in 0..300 {
        if second % 10 == 0 {
            tokens.push((second, revoked(&issuer).await));
        }
        for (at, token) in &tokens {
            assert_eq!(validator.validate(token).await.is_err(), second >= at + 5, "{at} at {second} s");
        }
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(list(&issuer, "/deny-list").await, (None, 30));
    let reach = 2 * 30 + 5 + 2;
    assert_eq!(
        list(&issuer, "/deny-list/recent").await,
        (Some(reach), 7),
        "those since 228 s, made at 295 s"
    );
}

#[tokio::test(start_paused = true)]
async fn the_whole_list_is_fetched_as_seldom_as_is_set() {
    let architecture = part(ARCHITECTURE);
    let issuer = issuer_with(Some("ES256"), architecture.publishes()).await;
    let validator = architecture.validator(context(&issuer)).await.unwrap();
    let fetches = || issuer.fetches.load(Ordering::Relaxed);
    assert_eq!(fetches(), 3, "the keys and both lists");
    sleep(Duration::from_millis(300_100)).await;
    assert_eq!(fetches(), 3 + 60 + 10);
    drop(validator);
    sleep(Duration::from_secs(100)).await;
    assert_eq!(fetches(), 3 + 60 + 10, "nobody is there who would need them");
}

#[tokio::test(start_paused = true)]
async fn while_the_whole_list_cannot_be_fetched_no_short_one_is_taken_that_leaves_a_gap() {
    let architecture = part(ARCHITECTURE);
    let issuer = issuer_with(Some("ES256"), architecture.publishes()).await;
    let forging = Forging::of(&issuer, "/deny-list", None);
    let validator = architecture.validator(forging.context()).await.unwrap();
    *forging.document.lock().unwrap() = Some(b"no list".to_vec());
    let mut tokens = Vec::new();
    sleep(Duration::from_millis(500)).await;
    for second in 0..150 {
        if second % 10 == 0 {
            tokens.push((second, revoked(&issuer).await));
        }
        for (at, token) in &tokens {
            // The whole list is of 0 s, so that the last short one that joins it is of 65 s.
            let is_heard_of = *at <= 60 && second >= at + 5;
            assert_eq!(validator.validate(token).await.is_err(), is_heard_of, "{at} at {second} s");
        }
        sleep(Duration::from_secs(1)).await;
    }
    *forging.document.lock().unwrap() = None;
    sleep(Duration::from_secs(5)).await;
    for (at, token) in &tokens {
        assert!(validator.validate(token).await.is_err(), "{at}: it recovers with the next poll");
    }
}
