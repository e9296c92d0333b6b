//! A gateway that exchanges each JWT for a narrower one, and the resource server behind it.

use tokio::time::sleep;

use super::*;

const SETTINGS: &str = r#"{"kind": "token-exchange", "gateway": {"ttl": "10s"}, "audience": "inside"}"#;

async fn prepared() -> (Arc<Counting>, [Arc<dyn TokenValidator>; 2]) {
    let (issuer, chain) =
        Case { architecture: part(SETTINGS), signature: Some("ES256"), branch: 0 }.prepared().await;
    (issuer, chain.0.try_into().ok().expect("two hops"))
}

#[tokio::test(start_paused = true)]
async fn what_goes_inside_is_good_for_one_audience_and_one_scope_and_no_longer_than_the_token_outside() {
    let (issuer, [gateway, inner]) = prepared().await;
    let outside = issuer.server.issue(&client(AUDIENCE, "write read", Duration::ZERO)).await.unwrap();
    sleep(Duration::from_secs(5)).await;
    let verified = gateway.validate(&outside.token).await.unwrap();
    let jwt = verified.forwarded().expect("another JWT goes inside");
    let Ok(Verified::Claims(inside)) = inner.validate(jwt).await else { panic!("it is refused inside") };
    assert!(inside.aud.names("inside") && !inside.aud.names(AUDIENCE), "{inside:?}");
    assert_eq!((&*inside.scope, &inside.sub), ("read", &outside.claims.sub));
    assert_eq!(inside.exp, outside.claims.exp);
    assert!(inside.jti != outside.claims.jti && inside.iat > outside.claims.iat, "{inside:?}");
}

#[tokio::test(start_paused = true)]
async fn neither_takes_the_token_of_the_other_and_the_gateway_asks_once_a_lifetime() {
    let (issuer, [gateway, inner]) = prepared().await;
    let token = issuer.server.issue(&good()).await.unwrap().token;
    for second in 0..30 {
        gateway.validate(&token).await.unwrap();
        assert_eq!(issuer.introspections.load(Ordering::Relaxed), second / 10 + 1, "after {second} s");
        sleep(Duration::from_secs(1)).await;
    }
    let verified = gateway.validate(&token).await.unwrap();
    assert_eq!(inner.validate(&token).await.unwrap_err(), Rejection::WrongAudience);
    let jwt = verified.forwarded().unwrap();
    assert_eq!(gateway.validate(jwt).await.unwrap_err(), Rejection::WrongAudience);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_refused_without_a_question_as_its_design_says() {
    let (issuer, [gateway, _]) = prepared().await;
    let stranger = super::issuer(Some("ES256")).await;
    let unknown = stranger.server.issue(&good()).await.unwrap().token;
    let Some(caching) = part(SETTINGS).design().cache() else { panic!("it keeps answers") };
    for (token, asked) in [("garbage", !caching.reads_first), (&*unknown, true)] {
        let before = issuer.introspections.load(Ordering::Relaxed);
        assert_eq!(gateway.validate(token).await.unwrap_err(), Rejection::Inactive);
        assert_eq!(issuer.introspections.load(Ordering::Relaxed) - before, u64::from(asked), "{token}");
    }
    assert!(caching.reads_first);
}

#[tokio::test(start_paused = true)]
async fn no_more_is_given_for_a_token_than_it_allows() {
    let (issuer, [gateway, _]) = prepared().await;
    let token = issuer.server.issue(&client(AUDIENCE, "write", Duration::ZERO)).await.unwrap().token;
    assert_eq!(gateway.validate(&token).await.unwrap_err(), Rejection::InsufficientScope);
    let more = issuer.server.exchange("gateway", &token, "inside", Some("write read")).await;
    assert!(matches!(more, Err(JwtError::Scope)), "{more:?}");
}
