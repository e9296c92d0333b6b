//! A gateway before a service that verifies JWTs and one that introspects.

use super::*;

const SETTINGS: &str = r#"{"kind": "hybrid", "gateway": {"ttl": "10s"}}"#;

#[tokio::test(start_paused = true)]
async fn one_service_is_asked_about_nothing_and_the_other_about_every_request_that_the_gateway_accepts() {
    for (branch, asked, after) in [(0, 1, [true, true]), (1, 4, [false, false])] {
        let case = Case { architecture: part(SETTINGS), signature: Some("ES256"), branch };
        let (issuer, chain) = case.prepared().await;
        let token = issuer.server.issue(&good()).await.unwrap().token;
        for _ in 0..3 {
            assert!(chain.validate(&token).await.is_ok());
        }
        chain.validate("garbage").await.unwrap_err();
        // One of the gateway about the token, one about the garbage.
        assert_eq!(issuer.introspections.load(Ordering::Relaxed), asked + 1, "branch {branch}");
        issuer.server.revoke(&good(), &token).await.unwrap();
        let accepted = [chain.validate(&token).await.is_ok(), chain.validate(&token).await.is_ok()];
        assert_eq!(accepted, after, "branch {branch}, while the gateway keeps its answer");
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert!(chain.validate(&token).await.is_err(), "branch {branch}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_service_that_introspects_is_sent_what_clients_send_and_the_other_a_jwt() {
    let architecture = part(SETTINGS);
    let behind: Vec<(&str, bool)> =
        architecture.at_hop(1).iter().map(|one| (one.name, one.architecture.decides_on_inside())).collect();
    assert_eq!(behind, [("jwt", true), ("introspection", false)]);
    assert_eq!(architecture.at_hop(0).len(), 1);
    assert!(architecture.at_hop(2).is_empty());
    assert_eq!(architecture.everywhere().count(), 3);
    assert_eq!(part(r#"{"kind": "phantom-token", "gateway": {"ttl": "10s"}}"#).everywhere().count(), 2);
    assert_eq!(part(r#""jwt""#).everywhere().count(), 1);
}
