//! What a cache of introspection answers keeps, who asks for it, and what it does when nobody can be asked.

use std::collections::VecDeque;

use futures_util::future::join_all;
use tokio::time::{sleep, timeout};

use super::*;
use crate::auth::token::{StatedClaims, TokenId, UnixTime};

/// An authorization server that says the same of every token.
#[derive(Default)]
pub(super) struct Scripted {
    pub(super) active: AtomicBool,
    pub(super) down: AtomicBool,
    /// How often it was asked.
    pub(super) asked: AtomicU64,
    /// How long it takes to answer.
    pub(super) takes: Duration,
    /// When tokens expire.
    pub(super) expiry: Option<UnixTime>,
    /// What is said to the next questions instead, and how long that takes.
    pub(super) next: Mutex<VecDeque<(Duration, bool)>>,
}

impl Issuer for Scripted {
    fn introspect<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let next = self.next.lock().unwrap().pop_front();
        Box::pin(async move {
            sleep(next.map_or(self.takes, |(takes, _)| takes)).await;
            if self.down.load(Ordering::Relaxed) {
                return Err(Unreachable("down".to_owned()));
            }
            let claims = StatedClaims { exp: self.expiry, ..StatedClaims::default() };
            let is_active = next.map_or_else(|| self.active.load(Ordering::Relaxed), |(_, active)| active);
            Ok(if is_active { Introspection::Active(claims) } else { Introspection::Inactive })
        })
    }

    fn exchange<'a>(
        &'a self,
        _: &'a str,
        _: ExchangeKind<'a>,
    ) -> BoxFuture<'a, Result<Option<String>, Unreachable>> {
        unreachable!("nobody exchanges")
    }

    fn fetch<'a>(
        &'a self,
        _: &'a str,
        _: Option<&'a str>,
        _: usize,
    ) -> BoxFuture<'a, Result<Option<Arc<Document>>, Unreachable>> {
        unreachable!("nobody fetches")
    }
}

impl Scripted {
    /// One that calls every token active.
    pub(super) fn active() -> Self {
        Self { active: AtomicBool::new(true), ..Self::default() }
    }

    pub(super) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    pub(super) fn set_active(&self, active: bool) {
        self.active.store(active, Ordering::Relaxed);
    }

    pub(super) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }
}

/// With these settings beside `kind`.
pub(super) async fn remembering(settings: &str, issuer: &Arc<Scripted>) -> Arc<dyn TokenValidator> {
    let architecture = part(&format!(r#"{{"kind": "introspection-cached", {settings}}}"#));
    architecture.validator(context(issuer)).await.unwrap()
}

pub(super) const STEP: Duration = Duration::from_millis(100);

/// At which step of a tenth of a second a token is first refused that is asked for at every step.
pub(super) async fn refused_at(validator: &dyn TokenValidator, steps: u64) -> Option<u64> {
    for step in 0..steps {
        if validator.validate("token").await.is_err() {
            return Some(step);
        }
        sleep(STEP).await;
    }
    None
}

#[tokio::test(start_paused = true)]
async fn an_inactive_token_is_asked_about_each_time_unless_that_answer_is_kept_for_a_time_of_its_own() {
    for (settings, accepted_at, asked) in
        [(r#""ttl": "10s""#, 5, 6), (r#""ttl": "10s", "negative": "1s""#, 10, 2)]
    {
        let issuer = Arc::new(Scripted::default());
        let validator = remembering(settings, &issuer).await;
        let mut step = 0;
        while let Err(rejection) = validator.validate("token").await {
            assert_eq!(rejection, Rejection::Inactive, "{settings}");
            sleep(STEP).await;
            step += 1;
            // It is issued just before the fifth step.
            issuer.set_active(step >= 5);
        }
        assert_eq!((step, issuer.asked()), (accepted_at, asked), "{settings}");
        let counts = validator.cache();
        assert_eq!(
            (counts.hits, counts.negative_hits, counts.misses),
            (step + 1 - asked, step + 1 - asked, asked)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_as_it_must_be_is_refused_by_a_kept_answer_as_by_a_new_one() {
    for (require, expected) in [("scope", Some(Rejection::InsufficientScope)), ("exp", None)] {
        let expiry = Some(WallClock::system().now() + Duration::from_hours(1));
        let issuer = Arc::new(Scripted { expiry, ..Scripted::active() });
        let validator = remembering(&format!(r#""ttl": "10s", "require": ["{require}"]"#), &issuer).await;
        for _ in 0..3 {
            assert_eq!(validator.validate("token").await.err(), expected, "{require}");
        }
        assert_eq!((issuer.asked(), validator.cache().hits), (1, 2), "{require}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_requests_with_one_fresh_token_ask_once_if_they_ask_together() {
    for (coalesce, asked) in [(true, 1), (false, 1_000)] {
        let issuer = Arc::new(Scripted { takes: STEP, ..Scripted::active() });
        let validator = remembering(&format!(r#""ttl": "10s", "coalesce": {coalesce}"#), &issuer).await;
        for (hits, misses) in [(0, 1_000), (1_000, 1_000)] {
            let answers = join_all((0..1_000).map(|_| validator.validate("token"))).await;
            assert!(answers.iter().all(Result::is_ok));
            assert_eq!(issuer.asked(), asked);
            assert_eq!((validator.cache().hits, validator.cache().misses), (hits, misses));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_joins_a_question_that_takes_longer_than_an_answer_counts_asks_once_more() {
    let issuer = Arc::new(Scripted { takes: Duration::from_secs(2), ..Scripted::active() });
    let validator = remembering(r#""ttl": "500ms", "coalesce": true"#, &issuer).await;
    let joining = async {
        sleep(Duration::from_secs(1)).await;
        validator.validate("token").await
    };
    let revoking = async {
        sleep(Duration::from_millis(2_500)).await;
        issuer.set_active(false);
    };
    let (first, second, ()) = tokio::join!(validator.validate("token"), joining, revoking);
    assert!(first.is_ok(), "it was active when the first asked");
    assert_eq!(second.unwrap_err(), Rejection::Inactive, "and not any more when the second was answered");
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_tokens_that_end_at_once_are_asked_about_once_each() {
    let issuer = Arc::new(Scripted { takes: STEP, ..Scripted::active() });
    let validator = remembering(r#""ttl": "10s", "coalesce": true"#, &issuer).await;
    let tokens: Vec<String> = (0..1_000).map(|token| format!("token {token}")).collect();
    for asked in [1_000, 2_000] {
        let five_each = tokens.iter().flat_map(|token| [token; 5]);
        let answers = join_all(five_each.map(|token| validator.validate(token))).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(issuer.asked(), asked);
        sleep(Duration::from_secs(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_that_fails_has_failed_for_all_who_waited_and_for_nobody_after_them() {
    let issuer = Arc::new(Scripted { takes: STEP, ..Scripted::active() });
    let validator = remembering(r#""ttl": "10s", "coalesce": true"#, &issuer).await;
    issuer.set_down(true);
    let answers = join_all((0..1_000).map(|_| validator.validate("token"))).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(Rejection::Undecided))));
    assert_eq!(issuer.asked(), 1);
    issuer.set_down(false);
    assert!(validator.validate("token").await.is_ok());
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_get_their_answer_though_the_one_who_asked_has_gone() {
    let issuer = Arc::new(Scripted { takes: STEP, ..Scripted::active() });
    let validator = remembering(r#""ttl": "10s", "coalesce": true"#, &issuer).await;
    let mut first = validator.validate("token");
    assert!(timeout(STEP / 4, &mut first).await.is_err());
    let waiting = (0..100).map(|_| {
        let validator = Arc::clone(&validator);
        tokio::spawn(async move { validator.validate("token").await.is_ok() })
    });
    let waiting: Vec<_> = waiting.collect();
    sleep(STEP / 4).await;
    drop(first);
    for answer in join_all(waiting).await {
        assert!(answer.unwrap());
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_is_used_for_as_long_as_is_set_while_nobody_can_be_asked() {
    for (settings, steps) in [(r#""ttl": "10s""#, 100), (r#""ttl": "10s", "stale_if_error": "30s""#, 400)] {
        let issuer = Arc::new(Scripted::active());
        let validator = remembering(settings, &issuer).await;
        assert!(validator.validate("token").await.is_ok());
        issuer.set_down(true);
        assert_eq!(refused_at(&*validator, 1_000).await, Some(steps), "{settings}");
        assert_eq!(validator.validate("token").await.unwrap_err(), Rejection::Undecided);
        assert_eq!(validator.cache().stale_answers, steps - 100, "{settings}");
        // Each of them tried to ask first: the first success counts at once.
        issuer.set_down(false);
        assert!(validator.validate("token").await.is_ok(), "{settings}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_is_never_used_past_the_expiry_of_its_token() {
    let expiry = Some(WallClock::system().now() + Duration::from_secs(20));
    let issuer = Arc::new(Scripted { expiry, ..Scripted::active() });
    let validator = remembering(r#""ttl": "10s", "stale_if_error": "30s""#, &issuer).await;
    assert!(validator.validate("token").await.is_ok());
    issuer.set_down(true);
    let refused = refused_at(&*validator, 1_000).await.unwrap();
    // A date is a whole second.
    assert!((190..=201).contains(&refused), "refused at step {refused}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_taken_back_is_not_used_when_nobody_can_be_asked() {
    for negative in ["", r#", "negative": "1s""#] {
        let issuer = Arc::new(Scripted::active());
        let settings = format!(r#""ttl": "10s", "stale_if_error": "30s"{negative}"#);
        let validator = remembering(&settings, &issuer).await;
        assert!(validator.validate("token").await.is_ok());
        issuer.set_active(false);
        sleep(Duration::from_secs(10)).await;
        assert_eq!(validator.validate("token").await.unwrap_err(), Rejection::Inactive, "{settings}");
        issuer.set_down(true);
        sleep(Duration::from_secs(2)).await;
        assert_eq!(validator.validate("token").await.unwrap_err(), Rejection::Undecided, "{settings}");
        assert_eq!(validator.cache().stale_answers, 0);
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// Asks twice, the second time a second after the first; each question with how long it takes, and whether its answer is that it is active.
async fn overlapping(
    settings: &str,
    next: [(Duration, bool); 2],
) -> (Arc<Scripted>, Arc<dyn TokenValidator>, [bool; 2]) {
    let issuer = Arc::new(Scripted { next: Mutex::new(next.into()), ..Scripted::active() });
    let validator = remembering(settings, &issuer).await;
    let second = async {
        sleep(SECOND).await;
        validator.validate("token").await.is_ok()
    };
    let (first, second) = tokio::join!(validator.validate("token"), second);
    let accepted = [first.is_ok(), second];
    (issuer, validator, accepted)
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_after_that_to_a_later_question_does_not_undo_it() {
    for settings in ["", r#", "negative": "8s""#, r#", "stale_if_error": "30s""#] {
        let settings = format!(r#""ttl": "10s"{settings}"#);
        let revoked = [(5 * SECOND, true), (SECOND, false)];
        let (issuer, validator, accepted) = overlapping(&settings, revoked).await;
        assert_eq!(accepted, [false, false], "{settings}: it was known when the first was answered");
        issuer.set_down(true);
        assert!(validator.validate("token").await.is_err(), "{settings}");

        let active = [(5 * SECOND, true), (SECOND, true)];
        let (issuer, validator, accepted) = overlapping(&settings, active).await;
        assert_eq!(accepted, [true, true], "{settings}");
        sleep(5 * SECOND + STEP).await;
        assert!(validator.validate("token").await.is_ok(), "{settings}");
        assert_eq!(issuer.asked(), 2, "{settings}: the later one counts until 11 s");

        let issued_meanwhile = [(5 * SECOND, false), (SECOND, true)];
        let (_, validator, accepted) = overlapping(&settings, issued_meanwhile).await;
        assert_eq!(accepted, [false, true], "{settings}");
        assert!(validator.validate("token").await.is_ok(), "{settings}");
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused_with_what_to_do() {
    for (settings, words) in [
        (r#""refresh_ahead": "10s""#, "`refresh_ahead` 10s is not shorter than `ttl` 10s"),
        (r#""refresh_ahead": "11s""#, "choose a shorter one, or a part of `ttl` like 0.2"),
        (r#""refresh_ahead": 1.5"#, "expected a part of `ttl` between 0 and 1 like 0.2"),
        (r#""refresh_ahead": 0.0"#, "expected a part of `ttl` between 0 and 1 like 0.2"),
        (r#""refresh_ahead": 2"#, "or a length of time like \"2s\""),
        (r#""refresh_ahead": "soon""#, "write it like \"250ms\", \"10s\" or \"5m\""),
        (r#""negative": "11s""#, "`negative` 11s is longer than `ttl` 10s"),
        (r#""stale_if_error": "0s""#, "length of time above zero"),
        (r#""coalesce": "yes""#, "expected a boolean"),
        (r#""silence": "1s""#, "add `push = true`, or leave it out"),
        (r#""push": "yes""#, "expected a boolean"),
        (r#""capacity": 0"#, "nonzero"),
        (r#""refreshahead": 0.2"#, "unknown field `refreshahead`"),
    ] {
        let choice = format!(r#"{{"kind": "introspection-cached", "ttl": "10s", {settings}}}"#);
        let choice: Choice = serde_json::from_str(&choice).unwrap();
        let error = ARCHITECTURES.resolve(choice).err().unwrap().to_string();
        assert!(error.contains(words), "{settings}: {error}");
    }
    let longest =
        r#"{"kind": "introspection-cached", "ttl": "10s", "negative": "10s", "refresh_ahead": 0.99}"#;
    part(longest);
}

#[tokio::test(start_paused = true)]
async fn every_request_that_finds_no_answer_is_told_with_its_token_and_no_other() {
    let issuer = Arc::new(Scripted { takes: STEP, ..Scripted::active() });
    let log = Arc::new(MissLog::default());
    let context = Context { misses: Some(Arc::clone(&log)), ..context(&issuer) };
    let architecture = part(r#"{"kind": "introspection-cached", "ttl": "10s", "coalesce": true}"#);
    let validator = architecture.validator(context).await.unwrap();
    let asked = ["a", "a", "b", "a"];
    for _ in 0..2 {
        let answers = join_all(asked.iter().map(|token| validator.validate(token))).await;
        assert!(answers.iter().all(Result::is_ok));
    }
    sleep(Duration::from_secs(10)).await;
    validator.validate("b").await.unwrap();
    let told: Vec<u64> = log.all().unwrap().iter().map(|miss| miss.token).collect();
    let expected = asked.iter().chain(&["b"]).map(|token| TokenId::of(token).first_bits());
    assert_eq!(told, expected.collect::<Vec<_>>(), "who joins a question has waited for it too");
    assert_eq!(validator.cache().misses, told.len() as u64);
    assert_eq!(issuer.asked(), 3);
}
