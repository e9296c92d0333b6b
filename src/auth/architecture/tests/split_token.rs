//! A gateway that has header and claims for each signature, and the resource server behind it.

use super::*;
use crate::auth::token::TokenId;

const SETTINGS: &str = r#"{"kind": "split-token", "gateway": {"ttl": "10s"}}"#;

async fn prepared(alg: &'static str) -> (Arc<Counting>, [Arc<dyn TokenValidator>; 2]) {
    let (issuer, chain) =
        Case { architecture: part(SETTINGS), signature: Some(alg), branch: 0 }.prepared().await;
    (issuer, chain.0.try_into().ok().expect("two hops"))
}

#[tokio::test(start_paused = true)]
async fn what_is_signed_once_is_whole_again_inside() {
    // Signatures that are the same for the same claims, and those that never are.
    for alg in ["Ed25519", "ES256", "ML-DSA-65"] {
        let (issuer, [gateway, inner]) = prepared(alg).await;
        let outside = issuer.server.issue(&good()).await.unwrap();
        assert!(!outside.token.contains('.'), "{alg}: clients hold the signature alone");
        let verified = gateway.validate(&outside.token).await.unwrap();
        let jwt = verified.forwarded().expect("a JWT goes inside");
        assert!(jwt.ends_with(&format!(".{}", outside.token)), "{alg}: {jwt}");
        let Ok(Verified::Claims(claims)) = inner.validate(jwt).await else { panic!("{alg}: refused inside") };
        assert_eq!(claims, outside.claims, "{alg}");
    }
}

#[tokio::test(start_paused = true)]
async fn neither_takes_the_token_of_the_other_and_the_gateway_asks_once() {
    let (issuer, [gateway, inner]) = prepared("ES256").await;
    let token = issuer.server.issue(&good()).await.unwrap().token;
    for _ in 0..100 {
        gateway.validate(&token).await.unwrap();
    }
    assert_eq!(issuer.introspections.load(Ordering::Relaxed), 1);
    let verified = gateway.validate(&token).await.unwrap();
    let jwt = verified.forwarded().unwrap();
    assert_eq!(gateway.validate(jwt).await.unwrap_err(), Rejection::Inactive);
    assert_eq!(inner.validate(&token).await.unwrap_err(), Rejection::NotThreeParts);
}

#[test]
fn tokens_without_a_signature_cannot_be_split() {
    let scheme = Part::<dyn SignatureScheme>::named("none").unwrap();
    assert!(part(SETTINGS).accepts(&*scheme).unwrap_err().contains("choose a scheme that signs"));
}

#[test]
fn the_hash_by_which_servers_ask_for_a_token_comes_back_from_its_text() {
    let id = TokenId::of("token");
    assert_eq!(TokenId::from_base64url(&id.to_base64url()), Some(id));
    for unfit in ["", "AAAA", "rubbish!"] {
        assert_eq!(TokenId::from_base64url(unfit), None, "{unfit}");
    }
}
