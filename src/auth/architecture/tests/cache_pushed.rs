//! A cache of introspection answers that events take away: those that are kept, those under way, and all of them after a gap.

use tokio::time::{Instant, sleep};

use super::*;
use crate::auth::pushed::LONGEST_WAIT;

/// The same authorization server, whose answers are under way for a time, and which may know a token by another text.
struct Distant {
    issuer: Arc<Counting>,
    takes: Duration,
    /// A text for which it answers as for another one.
    alias: Option<(&'static str, String)>,
}

impl Issuer for Distant {
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        Box::pin(async move {
            let alias = self.alias.as_ref().filter(|(alias, _)| *alias == token);
            let said = self.issuer.introspect(alias.map_or(token, |(_, token)| token)).await;
            sleep(self.takes).await;
            said
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

    fn subscribe(
        &self,
        last: Option<EventId>,
        heartbeat: Duration,
    ) -> BoxFuture<'_, Result<RevocationStream, Unreachable>> {
        self.issuer.subscribe(last, heartbeat)
    }
}

const HOUR: Duration = Duration::from_hours(1);
/// What is under way when nothing holds it up.
const SOON: Duration = Duration::from_millis(1);
const PUSHED: &str = r#"{"kind": "introspection-cached", "ttl": "1h", "push": true}"#;

/// A validator whose channel is open.
async fn pushed(settings: &str, issuer: &Arc<Counting>) -> Arc<dyn TokenValidator> {
    let validator = validator(settings, issuer).await;
    sleep(SOON).await;
    validator
}

async fn token(issuer: &Counting) -> String {
    issuer.server.issue(&Client { lifetime: HOUR, ..good() }).await.unwrap().token
}

async fn revoke(issuer: &Counting, token: &str) {
    issuer.server.revoke(&good(), token).await.unwrap();
}

fn asked(issuer: &Counting) -> u64 {
    issuer.introspections.load(Ordering::Relaxed)
}

/// Events, reconnects and flushes.
fn counts(validator: &dyn TokenValidator) -> [u64; 3] {
    let counters = validator.counters();
    ["push_events", "push_reconnects", "push_flushes"]
        .map(|name| counters.iter().find(|(counted, _)| *counted == name).expect("it is counted").1)
}

/// The answer that a token is active is under way while the revocation is pushed, and arrives after it. A cache that only removes what it holds
/// keeps it then.
#[tokio::test(start_paused = true)]
async fn an_event_that_comes_while_the_answer_is_under_way_is_not_lost() {
    let takes = Duration::from_millis(100);
    for (push, coalesce) in [(true, false), (true, true), (false, false), (false, true)] {
        let issuer = issuer(None).await;
        let token = token(&issuer).await;
        let distant = Arc::new(Distant { issuer: Arc::clone(&issuer), takes, alias: None });
        let settings = format!(
            r#"{{"kind": "introspection-cached", "ttl": "1h", "push": {push}, "coalesce": {coalesce}}}"#
        );
        let validator = part(&settings).validator(context(&distant)).await.unwrap();
        sleep(SOON).await;

        let begun = Instant::now();
        let (asking, cached) = (Arc::clone(&validator), token.clone());
        let first = tokio::spawn(async move { asking.validate(&cached).await });
        sleep(takes / 2).await;
        assert_eq!(asked(&issuer), 1, "it was active when it was asked about");
        revoke(&issuer, &token).await;
        sleep(SOON).await;
        assert_eq!(validator.counters().contains(&("push_events", 1)), push);
        // Others come in vain for the answer that is under way.
        let joined = Arc::clone(&validator);
        let (joins, cached) = (coalesce, token.clone());
        let second =
            tokio::spawn(async move { if joins { Some(joined.validate(&cached).await) } else { None } });
        let first = first.await.unwrap();
        assert_eq!(begun.elapsed(), takes);
        assert_eq!(first.is_ok(), !push, "{settings}");
        if let Some(second) = second.await.unwrap() {
            assert_eq!(second.is_ok(), !push, "{settings}");
        }
        assert_eq!(asked(&issuer), 1);
        for _ in 0..3 {
            assert_eq!(validator.validate(&token).await.is_ok(), !push, "{settings}");
        }
        assert_eq!(asked(&issuer), if push { 4 } else { 1 }, "{settings}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_takes_the_answer_about_its_token_away_and_no_other() {
    for (negative, asked_again) in [("", 3), (r#", "negative": "1h""#, 1)] {
        let issuer = issuer(None).await;
        let settings = format!(r#"{{"kind": "introspection-cached", "ttl": "1h", "push": true{negative}}}"#);
        let validator = pushed(&settings, &issuer).await;
        let [kept, revoked] = [token(&issuer).await, token(&issuer).await];
        for token in [&kept, &revoked] {
            assert!(validator.validate(token).await.is_ok());
        }
        revoke(&issuer, &revoked).await;
        sleep(SOON).await;
        for _ in 0..3 {
            assert!(validator.validate(&kept).await.is_ok());
            assert_eq!(validator.validate(&revoked).await.unwrap_err(), Rejection::Inactive);
        }
        assert_eq!((asked(&issuer), counts(&*validator)), (2 + asked_again, [1, 0, 1]), "{settings}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_struck_by_whatever_text_it_was_asked_about() {
    let issuer = issuer(None).await;
    let token = token(&issuer).await;
    let alias = Some(("written otherwise", token.clone()));
    let distant = Arc::new(Distant { issuer: Arc::clone(&issuer), takes: Duration::ZERO, alias });
    let validator = part(PUSHED).validator(context(&distant)).await.unwrap();
    sleep(SOON).await;
    for text in ["written otherwise", &token] {
        assert!(validator.validate(text).await.is_ok(), "{text}");
    }
    revoke(&issuer, &token).await;
    sleep(SOON).await;
    for text in ["written otherwise", &token] {
        assert_eq!(validator.validate(text).await.unwrap_err(), Rejection::Inactive, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_revoked_during_a_break_is_heard_of_after_it_and_other_answers_stay() {
    let issuer = issuer(None).await;
    let validator = pushed(PUSHED, &issuer).await;
    let [kept, revoked] = [token(&issuer).await, token(&issuer).await];
    for token in [&kept, &revoked] {
        assert!(validator.validate(token).await.is_ok());
    }
    issuer.down.store(true, Ordering::Relaxed);
    sleep(Duration::from_secs(5)).await;
    revoke(&issuer, &revoked).await;
    sleep(Duration::from_mins(1)).await;
    assert!(validator.validate(&revoked).await.is_ok(), "as without `push`");
    issuer.down.store(false, Ordering::Relaxed);
    sleep(LONGEST_WAIT).await;
    assert_eq!(validator.validate(&revoked).await.unwrap_err(), Rejection::Inactive);
    assert!(validator.validate(&kept).await.is_ok());
    assert_eq!((asked(&issuer), counts(&*validator)), (3, [1, 1, 1]));
}

#[tokio::test(start_paused = true)]
async fn after_more_events_than_are_kept_all_answers_go() {
    let issuer = issuer(None).await;
    let validator = pushed(PUSHED, &issuer).await;
    let [kept, revoked] = [token(&issuer).await, token(&issuer).await];
    for token in [&kept, &revoked] {
        assert!(validator.validate(token).await.is_ok());
    }
    issuer.down.store(true, Ordering::Relaxed);
    sleep(Duration::from_secs(2)).await;
    revoke(&issuer, &revoked).await;
    for _ in 0..10_000 {
        revoke(&issuer, &token(&issuer).await).await;
    }
    issuer.down.store(false, Ordering::Relaxed);
    sleep(LONGEST_WAIT).await;
    for _ in 0..2 {
        assert!(validator.validate(&kept).await.is_ok());
        assert_eq!(validator.validate(&revoked).await.unwrap_err(), Rejection::Inactive);
    }
    assert_eq!((asked(&issuer), counts(&*validator)), (5, [0, 1, 2]));
}

/// The answer that the token is active is under way while the channel breaks, the token is revoked, and so much more happens that nobody is told
/// of that any more.
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_under_way_during_a_gap_is_asked_for_anew() {
    let takes = Duration::from_secs(30);
    for coalesce in [false, true] {
        let issuer = issuer(None).await;
        let token = token(&issuer).await;
        let distant = Arc::new(Distant { issuer: Arc::clone(&issuer), takes, alias: None });
        let settings = format!(
            r#"{{"kind": "introspection-cached", "ttl": "1h", "push": true, "coalesce": {coalesce}}}"#
        );
        let validator = part(&settings).validator(context(&distant)).await.unwrap();
        sleep(SOON).await;

        let begun = Instant::now();
        let (asking, cached) = (Arc::clone(&validator), token.clone());
        let first = tokio::spawn(async move { asking.validate(&cached).await });
        sleep(SOON).await;
        assert_eq!(asked(&issuer), 1, "it was active when it was asked about");
        issuer.down.store(true, Ordering::Relaxed);
        sleep(Duration::from_secs(2)).await;
        revoke(&issuer, &token).await;
        for _ in 0..10_000 {
            let other = issuer.server.issue(&good()).await.unwrap().token;
            revoke(&issuer, &other).await;
        }
        issuer.down.store(false, Ordering::Relaxed);
        sleep(LONGEST_WAIT).await;
        assert_eq!(counts(&*validator), [0, 1, 2], "{settings}");
        assert_eq!(first.await.unwrap().unwrap_err(), Rejection::Inactive, "{settings}");
        assert_eq!((begun.elapsed(), asked(&issuer)), (2 * takes, 2), "{settings}");
    }
}

#[tokio::test(start_paused = true)]
async fn events_are_forgotten_when_no_answer_is_as_old_as_they_are() {
    let issuer = issuer(None).await;
    let validator =
        pushed(r#"{"kind": "introspection-cached", "ttl": "5s", "push": true, "negative": "5s"}"#, &issuer)
            .await;
    for _ in 0..20 {
        let token = token(&issuer).await;
        assert!(validator.validate(&token).await.is_ok());
        revoke(&issuer, &token).await;
        sleep(Duration::from_secs(1)).await;
        assert_eq!(validator.validate(&token).await.unwrap_err(), Rejection::Inactive);
        sleep(Duration::from_secs(3)).await;
        assert_eq!(validator.validate(&token).await.unwrap_err(), Rejection::Inactive);
    }
}

#[tokio::test(start_paused = true)]
async fn gateways_hear_of_the_tokens_that_clients_hold() {
    for architecture in [
        r#"{"kind": "phantom-token", "gateway": {"ttl": "1h", "push": true}}"#,
        r#"{"kind": "split-token", "gateway": {"ttl": "1h", "push": true}}"#,
        r#"{"kind": "token-exchange", "gateway": {"ttl": "1h", "push": true}, "audience": "inside"}"#,
    ] {
        let case = Case { architecture: part(architecture), signature: Some("ES256"), branch: 0 };
        let (issuer, chain) = case.prepared().await;
        sleep(SOON).await;
        let [kept, revoked] = [token(&issuer).await, token(&issuer).await];
        for token in [&kept, &revoked] {
            assert!(chain.validate(token).await.is_ok(), "{case}");
        }
        revoke(&issuer, &revoked).await;
        sleep(SOON).await;
        assert!(chain.validate(&revoked).await.is_err(), "{case}");
        let before = asked(&issuer);
        assert!(chain.validate(&kept).await.is_ok(), "{case}");
        assert_eq!(asked(&issuer), before, "{case}");
        let bound = case.architecture.design().accepts_revoked_for(HOUR.as_secs_f64());
        assert_eq!(bound, Some(3.0), "{case}");
    }
}
