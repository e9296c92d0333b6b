//! What every architecture promises, whatever it is: tokens, and what becomes of them by the design that it states.

use tokio::time::sleep;

use super::*;
use crate::auth::pushed::LONGEST_WAIT;
use crate::design::Asks;

const SECOND: Duration = Duration::from_secs(1);
/// What a fetch takes that begins in the very instant of a bound.
const FETCH: Duration = Duration::from_millis(1);

/// Tokens that nobody may accept who checks tokens, by what is wrong with them.
async fn bad_tokens(case: &Case, issuer: &Counting) -> Vec<(&'static str, String)> {
    let issue = async |client: Client| issuer.server.issue(&client).await.unwrap().token;
    let mut tampered = issue(good()).await;
    let middle = tampered.len() / 2;
    let other = if &tampered[middle..=middle] == "A" { "B" } else { "A" };
    tampered.replace_range(middle..=middle, other);
    let stranger = self::issuer(case.signature).await;
    vec![
        ("tampered", tampered),
        ("garbage", "garbage".to_owned()),
        ("empty", String::new()),
        ("unknown", stranger.server.issue(&good()).await.unwrap().token),
        ("expired", issue(client(AUDIENCE, "read", LIFETIME)).await),
        ("wrong audience", issue(client("https://other.example/", "read", Duration::ZERO)).await),
        ("wrong scope", issue(client(AUDIENCE, "write readable", Duration::ZERO)).await),
    ]
}

#[tokio::test(start_paused = true)]
async fn good_tokens_are_accepted_and_bad_ones_refused_by_every_architecture_that_checks() {
    for case in checking() {
        let (issuer, validator) = case.prepared().await;
        let token = issuer.server.issue(&good()).await.unwrap().token;
        let verified = validator.validate(&token).await;
        assert!(matches!(verified, Ok(Verified::Claims(_) | Verified::Stated(_))), "{case}: {verified:?}");

        for (what, token) in bad_tokens(&case, &issuer).await {
            // Twice: what was remembered the first time must not help the second.
            for _ in 0..2 {
                let rejection = validator.validate(&token).await.err();
                let rejection = rejection.unwrap_or_else(|| panic!("{case} accepts: {what}"));
                assert_ne!(rejection, Rejection::Undecided, "{case}: {what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_architecture_that_checks_accepts_a_token_past_its_expiry() {
    for case in checking() {
        let (issuer, validator) = case.prepared().await;
        let token = issuer.server.issue(&case.client()).await.unwrap().token;
        // Remembered a second before its expiry, for longer than that.
        sleep(case.client().lifetime.saturating_sub(2 * SECOND)).await;
        assert!(validator.validate(&token).await.is_ok(), "{case}");
        sleep(2 * SECOND).await;
        assert!(validator.validate(&token).await.is_err(), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_lives_as_long_as_the_architecture_says_and_no_longer() {
    for case in checking() {
        let (issuer, validator) = case.prepared().await;
        let token = issuer.server.issue(&case.client()).await.unwrap().token;
        assert!(validator.validate(&token).await.is_ok());
        issuer.server.revoke(&case.client(), &token).await.unwrap();
        let design = case.architecture.design();
        let polls = matches!(design.asks, Asks::EveryPeriod { .. });
        let fetch = if polls { FETCH } else { Duration::ZERO };
        let bound = case.bound(Design::accepts_revoked_for) + fetch;
        if !bound.is_zero() {
            sleep(bound.saturating_sub(2 * SECOND)).await;
            // What is pushed comes as soon as it can: no bound says how long that takes at the least.
            if design.push_delay_seconds.is_none() {
                assert!(validator.validate(&token).await.is_ok(), "{case}: it is not asked yet");
            }
            sleep(2 * SECOND).await;
        }
        assert!(validator.validate(&token).await.is_err(), "{case}: alive past its bound");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_revoked_before_it_is_seen_is_accepted_only_by_who_need_not_know_yet() {
    for case in checking() {
        let (issuer, validator) = case.prepared().await;
        let token = issuer.server.issue(&case.client()).await.unwrap().token;
        issuer.server.revoke(&case.client(), &token).await.unwrap();
        let design = case.architecture.design();
        let unknown_for = design.misses_earlier_revocations_for();
        if design.push_delay_seconds.is_none() || unknown_for == 0.0 {
            assert_eq!(validator.validate(&token).await.is_ok(), unknown_for > 0.0, "{case}");
        }
        if unknown_for.is_finite() {
            sleep(Duration::from_secs_f64(unknown_for) + FETCH).await;
            assert_eq!(validator.validate(&token).await.unwrap_err(), Rejection::Inactive, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_authorization_server_known_tokens_live_as_long_as_the_architecture_says() {
    for case in checking() {
        let (issuer, validator) = case.prepared().await;
        let issue = async || issuer.server.issue(&case.client()).await.unwrap().token;
        let (known, unseen) = ([issue().await, issue().await], issue().await);
        for token in &known {
            assert!(validator.validate(token).await.is_ok(), "{case}");
        }
        issuer.down.store(true, Ordering::Relaxed);
        issuer.server.revoke(&case.client(), &known[1]).await.unwrap();

        let design = case.architecture.design();
        let asks = matches!(design.asks, Asks::EveryRequest | Asks::OnMiss(_));
        let unseen = validator.validate(&unseen).await.err();
        assert_eq!(unseen, asks.then_some(Rejection::Undecided), "{case}");

        let bound = case.bound(Design::accepts_revoked_in_outage_for);
        if !bound.is_zero() {
            sleep(bound.saturating_sub(2 * SECOND)).await;
            for token in &known {
                assert!(validator.validate(token).await.is_ok(), "{case}: refused before its bound");
            }
            sleep(2 * SECOND).await;
        }
        for token in &known {
            assert!(validator.validate(token).await.is_err(), "{case}: alive past its bound");
        }
        issuer.down.store(false, Ordering::Relaxed);
        if design.push_delay_seconds.is_some() {
            sleep(LONGEST_WAIT).await;
        }
        assert!(validator.validate(&issue().await).await.is_ok(), "{case}: it recovers");
    }
}

/// What a revocation ends where clients refresh: the next token, not this one.
#[tokio::test(start_paused = true)]
async fn tokens_that_clients_refresh_follow_one_another_until_their_grant_is_revoked() {
    let refreshed = |case: &Case| case.architecture.design().refreshing.is_some();
    let cases: Vec<Case> = checking().into_iter().filter(refreshed).collect();
    assert!(!cases.is_empty());
    for case in cases {
        let (issuer, validator) = case.prepared().await;
        let client = Client { refreshes_for: Some(10 * LIFETIME), ..case.client() };
        let refreshing = case.architecture.design().refreshing.unwrap();
        let mut tokens = issuer.server.issue(&client).await.unwrap();
        for uniform in [1.0, 0.0, 1.0] {
            sleep(Duration::from_secs_f64(refreshing.age_at_refresh(uniform))).await;
            assert!(validator.validate(&tokens.token).await.is_ok(), "{case}: refreshed too late");
            let refresh_token = tokens.refresh_token.expect("it may be refreshed");
            tokens = issuer.server.refresh(&client, &refresh_token, None, None).await.unwrap();
        }
        let refresh_token = tokens.refresh_token.expect("it may be refreshed");
        issuer.server.revoke(&client, &refresh_token).await.unwrap();
        assert!(issuer.server.refresh(&client, &refresh_token, None, None).await.is_err(), "{case}");
        let bound = case.architecture.design().accepts_revoked_for(f64::INFINITY).expect("it checks");
        sleep(Duration::from_secs_f64(bound).saturating_sub(2 * SECOND)).await;
        assert!(validator.validate(&tokens.token).await.is_ok(), "{case}: nobody is told");
        sleep(2 * SECOND).await;
        assert!(validator.validate(&tokens.token).await.is_err(), "{case}: alive past its bound");
    }
}
