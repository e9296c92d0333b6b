//! A gateway that has a JWT for each opaque token, and the resource server behind it.

use tokio::time::sleep;

use super::*;

const SETTINGS: &str = r#"{"kind": "phantom-token", "gateway": {"ttl": "10s"}}"#;

/// The authorization server, the gateway, and the server behind it.
async fn prepared() -> (Arc<Counting>, [Arc<dyn TokenValidator>; 2]) {
    let (issuer, chain) =
        Case { architecture: part(SETTINGS), signature: Some("ES256"), branch: 0 }.prepared().await;
    (issuer, chain.0.try_into().ok().expect("two hops"))
}

#[tokio::test(start_paused = true)]
async fn the_jwt_that_goes_inside_says_what_the_opaque_token_means() {
    let (issuer, [gateway, inner]) = prepared().await;
    let outside = issuer.server.issue(&good()).await.unwrap();
    let verified = gateway.validate(&outside.token).await.unwrap();
    let jwt = verified.forwarded().expect("a JWT goes inside");
    let Ok(Verified::Claims(claims)) = inner.validate(jwt).await else { panic!("it is refused inside") };
    assert_eq!(claims, outside.claims);
    assert!(!outside.token.contains('.'), "clients hold no JWT");
}

#[tokio::test(start_paused = true)]
async fn neither_takes_the_token_of_the_other() {
    let (issuer, [gateway, inner]) = prepared().await;
    let token = issuer.server.issue(&good()).await.unwrap().token;
    let verified = gateway.validate(&token).await.unwrap();
    let jwt = verified.forwarded().unwrap();
    assert_eq!(gateway.validate(jwt).await.unwrap_err(), Rejection::Inactive);
    assert_eq!(inner.validate(&token).await.unwrap_err(), Rejection::NotThreeParts);
}

#[tokio::test(start_paused = true)]
async fn the_authorization_server_is_asked_once_a_lifetime_of_the_answer_and_never_from_inside() {
    let (issuer, [gateway, inner]) = prepared().await;
    let token = issuer.server.issue(&good()).await.unwrap().token;
    for second in 0..50 {
        let verified = gateway.validate(&token).await.unwrap();
        assert!(inner.validate(verified.forwarded().unwrap()).await.is_ok());
        let asked = issuer.introspections.load(Ordering::Relaxed);
        assert_eq!(asked, second / 10 + 1, "after {second} s");
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!((gateway.cache().hits, gateway.cache().misses), (45, 5));
    assert_eq!(issuer.fetches.load(Ordering::Relaxed), 1, "the keys, by the server inside");
}

#[tokio::test(start_paused = true)]
async fn an_authorization_server_that_signs_nothing_has_no_jwt_to_give() {
    let issuer = issuer(None).await;
    let gateway = validator(SETTINGS, &issuer).await;
    let token = issuer.server.issue(&good()).await.unwrap().token;
    assert_eq!(gateway.validate(&token).await.unwrap_err(), Rejection::Undecided);
}

#[test]
fn an_answer_that_is_no_jwt_is_no_answer() {
    let read = |answer: &str| Introspection::from_jwt(Some(answer.to_owned()));
    for unfit in ["", "{}", "a.b", "e30.e30", "e30.e30.\u{e9}", "e30.e30.e30 ", "e30.W10.e30"] {
        assert!(read(unfit).is_err(), "{unfit}");
    }
    let Ok(Introspection::Active(claims)) = read("e30.e30.e30") else { panic!("a JWT") };
    assert_eq!(claims.jwt.as_deref(), Some("e30.e30.e30"));
    assert!(matches!(Introspection::from_jwt(None), Ok(Introspection::Inactive)));
}
