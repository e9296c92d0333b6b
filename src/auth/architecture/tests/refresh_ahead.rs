//! Answers that are asked for again before they end.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp};
use tokio::time::{Instant, sleep, sleep_until};

use super::cache::{STEP, Scripted, refused_at, remembering};
use super::*;

const AHEAD: &str = r#""ttl": "10s", "refresh_ahead": "4s""#;

#[tokio::test(start_paused = true)]
async fn one_request_asks_again_in_the_background_and_none_waits() {
    for coalesce in [false, true] {
        let issuer = Arc::new(Scripted { takes: Duration::from_secs(1), ..Scripted::active() });
        let validator = remembering(&format!(r#"{AHEAD}, "coalesce": {coalesce}"#), &issuer).await;
        assert!(validator.validate("token").await.is_ok());
        for _ in 0..1_000 {
            let before = Instant::now();
            for _ in 0..3 {
                assert!(validator.validate("token").await.is_ok());
            }
            assert_eq!(before.elapsed(), Duration::ZERO, "a request waited");
            sleep(STEP).await;
        }
        let counts = validator.cache();
        assert_eq!((counts.hits, counts.misses), (3_000, 1));
        // In 100 s, every 6 to 8 s and the step after.
        assert!((12..=17).contains(&counts.refreshes), "{counts:?}");
        assert_eq!(issuer.asked(), counts.misses + counts.refreshes);
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_that_were_asked_about_at_once_do_not_come_back_at_once() {
    let issuer = Arc::new(Scripted::active());
    let validator = remembering(AHEAD, &issuer).await;
    let tokens: Vec<String> = (0..1_000).map(|token| format!("token {token}")).collect();
    let mut by_step = Vec::new();
    for _ in 0..100 {
        let before = issuer.asked();
        for token in &tokens {
            assert!(validator.validate(token).await.is_ok());
        }
        // What was begun beside the requests is over.
        sleep(STEP).await;
        by_step.push(issuer.asked() - before);
    }
    assert_eq!(by_step[0], 1_000);
    assert_eq!(by_step[1..60].iter().chain(&by_step[81..]).sum::<u64>(), 0);
    assert_eq!(by_step[60..81].iter().sum::<u64>(), 1_000);
    assert!(by_step[60..81].iter().all(|asked| *asked < 90), "{by_step:?}");
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_is_refused_once_its_answer_was_asked_for_again() {
    for (settings, steps) in [(AHEAD, 60..=82), (r#""ttl": "10s""#, 100..=100)] {
        let issuer = Arc::new(Scripted::active());
        let validator = remembering(settings, &issuer).await;
        assert!(validator.validate("token").await.is_ok());
        issuer.set_active(false);
        let refused = refused_at(&*validator, 1_000).await.unwrap();
        assert!(steps.contains(&refused), "{settings}: refused at step {refused}");
        assert_eq!(validator.validate("token").await.unwrap_err(), Rejection::Inactive);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_lives_to_its_end_if_it_cannot_be_asked_for_again_which_is_tried_once() {
    let issuer = Arc::new(Scripted::active());
    let validator = remembering(AHEAD, &issuer).await;
    assert!(validator.validate("token").await.is_ok());
    issuer.set_down(true);
    assert_eq!(refused_at(&*validator, 1_000).await, Some(100));
    assert_eq!(issuer.asked(), 3, "at first, ahead, and at the end");
}

#[tokio::test(start_paused = true)]
async fn an_answer_asked_for_ahead_that_comes_late_does_not_undo_what_was_said_meanwhile() {
    let second = Duration::from_secs(1);
    let next = [(Duration::ZERO, true), (5 * second, true)];
    let issuer = Arc::new(Scripted { next: Mutex::new(next.into()), ..Scripted::default() });
    let validator = remembering(AHEAD, &issuer).await;
    assert!(validator.validate("token").await.is_ok());
    sleep(8 * second).await;
    assert!(validator.validate("token").await.is_ok(), "and asks ahead, until 13 s");
    sleep(2 * second).await;
    assert_eq!(validator.validate("token").await.unwrap_err(), Rejection::Inactive);
    sleep(4 * second).await;
    assert_eq!(validator.validate("token").await.unwrap_err(), Rejection::Inactive);
    assert_eq!(issuer.asked(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_ends_with_its_token_is_not_asked_for_again() {
    let expiry = Some(WallClock::system().now() + Duration::from_secs(6));
    let issuer = Arc::new(Scripted { expiry, ..Scripted::active() });
    let validator = remembering(AHEAD, &issuer).await;
    let refused = refused_at(&*validator, 1_000).await.unwrap();
    assert!((50..=61).contains(&refused), "refused at step {refused}");
    assert_eq!(validator.cache().refreshes, 0);
}

/// Poisson requests. With r seconds from a question until it is asked again, and w from then to the end of the answer, questions are
/// 1 / (1 + lambda r) of the requests, and exp(-lambda w) of them are waited for; over the instants that tokens have.
#[tokio::test(start_paused = true)]
async fn questions_and_misses_of_a_cache_that_asks_ahead_agree_with_their_closed_forms() {
    const TOKENS: u32 = 400;
    let (lambda, ttl, most) = (0.5, 10.0, 6.0);
    let gaps = Exp::new(lambda).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let issuer = Arc::new(Scripted::active());
    let validator = remembering(r#""ttl": "10s", "refresh_ahead": 0.6"#, &issuer).await;
    let (mut requests, mut questions, mut waited) = (0, 0, 0);
    for token in 0..TOKENS {
        let token = format!("token {token}");
        let mut before = validator.cache();
        let mut due = Instant::now();
        // Long enough to forget how it began, and then counted.
        for seconds in [50, 400] {
            before = validator.cache();
            let end = Instant::now() + Duration::from_secs(seconds);
            while due < end {
                sleep_until(due).await;
                assert!(validator.validate(&token).await.is_ok());
                due += Duration::from_secs_f64(gaps.sample(&mut random));
            }
            sleep_until(end).await;
        }
        let after = validator.cache();
        let lost = after.misses - before.misses;
        requests += after.hits - before.hits + lost;
        questions += after.refreshes - before.refreshes + lost;
        waited += lost;
    }
    let instants = || (0..100).map(|instant| most * (1.0 - (f64::from(instant) + 0.5) / 200.0));
    let cycles = |ahead: f64| 1.0 / (1.0 + lambda * (ttl - ahead));
    let asked = instants().map(cycles).sum::<f64>() / 100.0;
    let missed = instants().map(|ahead| cycles(ahead) * (-lambda * ahead).exp()).sum::<f64>() / 100.0;
    let found = |count: u64| count as f64 / requests as f64;
    assert!((found(questions) / asked - 1.0).abs() < 0.03, "{}, not {asked}", found(questions));
    assert!((found(waited) / missed - 1.0).abs() < 0.1, "{}, not {missed}", found(waited));
}
