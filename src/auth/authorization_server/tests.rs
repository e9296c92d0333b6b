//! Refresh tokens with the clock held still.

use tokio::time::sleep;

use super::*;
use crate::auth::future::BoxFuture;
use crate::auth::store::{RecordChange, Store};
use crate::auth::token::jwt::SigningKey;
use crate::auth::token::signature::SignatureScheme;
use crate::design::TokenFormat;
use crate::registry::Part;

const LIFE: Duration = Duration::from_secs(5);
const GRANT: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);

fn client(id: &str) -> Client {
    Client {
        id: id.to_owned(),
        secret: "secret".to_owned(),
        audience: "https://api.example/".to_owned(),
        scope: "read write".to_owned(),
        lifetime: LIFE,
        refreshes_for: Some(GRANT),
        age: Duration::ZERO,
        groups: Groups::default(),
    }
}

/// A store in memory, in which everybody else has a turn before anything is done.
struct Yielding(Arc<dyn TokenStore>);

impl TokenStore for Yielding {
    fn put(&self, token: TokenId, record: Record) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.0.put(token, record).await
        })
    }

    fn update<'a>(
        &'a self,
        token: TokenId,
        change: &'a RecordChange<'a>,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.0.update(token, change).await
        })
    }

    fn find(&self, token: TokenId) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.0.find(token).await
        })
    }

    fn revoked(&self) -> BoxFuture<'_, Result<Vec<RevokedToken>, StoreError>> {
        self.0.revoked()
    }

    fn take_numbers(&self, number: u64) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.0.take_numbers(number)
    }

    fn remove(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.remove()
    }
}

/// One server for each format of tokens.
async fn servers() -> Vec<AuthorizationServer> {
    let mut servers = Vec::new();
    for format in [None, Some(TokenFormat::Jwt), Some(TokenFormat::Opaque), Some(TokenFormat::Signature)] {
        let minting = format.map_or(Minting::Opaque, |format| {
            let scheme = Part::<dyn SignatureScheme>::named("ES256").unwrap();
            Minting::signed(format, SigningKey::generate(&*scheme).unwrap(), scheme, Vec::new())
        });
        let store = Part::<dyn Store>::named("memory").unwrap().open().await.unwrap();
        let issuer = "https://as.example".to_owned();
        let clients = ["one", "other"].map(client);
        let store = Arc::new(Yielding(store));
        servers.push(AuthorizationServer::new(issuer, clients, minting, store, WallClock::system()));
    }
    servers
}

impl AuthorizationServer {
    async fn is_active(&self, issued: &Issued) -> bool {
        matches!(self.introspect(&issued.token).await, Ok(Introspection::Active(_)))
    }

    async fn next(&self, issued: &Issued) -> Result<Issued, RefreshError> {
        self.refresh(&client("one"), refresh_token(issued), None, None).await
    }
}

fn refresh_token(issued: &Issued) -> &str {
    issued.refresh_token.as_deref().expect("the client may refresh")
}

/// A token that was issued right before the grant ended outlives it, and a store may forget what has expired.
#[tokio::test(start_paused = true)]
async fn a_grant_is_remembered_and_can_be_revoked_while_a_token_of_it_counts() {
    for server in servers().await {
        let first = server.issue(&client("one")).await.unwrap();
        sleep(GRANT.saturating_sub(SECOND)).await;
        let last = server.next(&first).await.unwrap();
        sleep(2 * SECOND).await;
        assert!(matches!(server.next(&last).await, Err(RefreshError::Refused)), "the grant has ended");
        assert!(server.is_active(&last).await);
        for issued in [&first, &last] {
            let presented = TokenId::of(refresh_token(issued));
            let Some(Record::Refresh(token)) = server.store.find(presented).await.unwrap() else {
                panic!("it is known")
            };
            let grant = server.store.find(token.grant).await.unwrap().expect("it is known");
            for kept_until in [Record::Refresh(token).expiry(), grant.expiry()] {
                assert!(kept_until >= last.claims.exp + server.grace, "{kept_until}");
            }
        }
        server.revoke(&client("one"), refresh_token(&first)).await.unwrap();
        assert!(!server.is_active(&last).await);
    }
}

#[tokio::test(start_paused = true)]
async fn each_refresh_token_brings_a_token_and_the_next_one_until_the_grant_ends() {
    for server in servers().await {
        let first = server.issue(&client("one")).await.unwrap();
        let mut issued = vec![first];
        for _ in 0..14 {
            sleep(4 * SECOND).await;
            let next = server.next(issued.last().unwrap()).await.unwrap();
            assert!(server.is_active(&next).await && server.is_active(issued.last().unwrap()).await);
            assert_eq!(next.claims.scope, "read write");
            assert_eq!(next.claims.exp, server.now() + LIFE);
            issued.push(next);
        }
        let mut all: Vec<&str> = issued.iter().flat_map(|one| [&*one.token, refresh_token(one)]).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 30, "no token twice");
        sleep(3 * SECOND).await;
        issued.push(server.next(issued.last().unwrap()).await.unwrap());
        sleep(SECOND).await;
        let last = issued.last().unwrap();
        assert!(matches!(server.next(last).await, Err(RefreshError::Refused)), "a minute is over");
        assert!(server.is_active(last).await, "it lives as long as any other");
        assert_eq!(server.revocations(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_is_used_twice_ends_everything_that_was_issued_for_its_grant() {
    for server in servers().await {
        let (stolen, another) =
            (server.issue(&client("one")).await.unwrap(), server.issue(&client("one")).await.unwrap());
        let second = server.next(&stolen).await.unwrap();
        let third = server.next(&second).await.unwrap();
        assert!(matches!(server.next(&stolen).await, Err(RefreshError::Reused)));
        for issued in [&stolen, &second, &third] {
            assert!(!server.is_active(issued).await);
            assert!(matches!(server.next(issued).await, Err(RefreshError::Refused)));
        }
        let mut revoked: Vec<_> =
            server.revoked().await.unwrap().into_iter().map(|token| token.jti).collect();
        let mut family = [&stolen, &second, &third].map(|issued| Arc::from(&*issued.claims.jti));
        revoked.sort_unstable();
        family.sort_unstable();
        assert_eq!(revoked, family, "whoever fetches the list of revoked tokens learns of all of them, once");
        assert_eq!(server.revocations(), 3);
        assert!(server.is_active(&another).await && server.next(&another).await.is_ok(), "another grant");
    }
}

#[tokio::test(start_paused = true)]
async fn access_tokens_that_have_expired_are_not_revoked_with_their_grant() {
    for server in servers().await {
        let first = server.issue(&client("one")).await.unwrap();
        let second = server.next(&first).await.unwrap();
        sleep(6 * SECOND).await;
        let third = server.next(&second).await.unwrap();
        assert!(matches!(server.next(&second).await, Err(RefreshError::Reused)));
        assert!(!server.is_active(&third).await);
        assert_eq!(server.revocations(), 1);
    }
}

/// Both have read that the refresh token counts before one of them has used it.
#[tokio::test(start_paused = true)]
async fn of_two_who_use_a_refresh_token_at_once_one_is_served_and_then_nobody() {
    for server in servers().await {
        let issued = server.issue(&client("one")).await.unwrap();
        let (one, other) = tokio::join!(server.next(&issued), server.next(&issued));
        let (served, refused) = if one.is_ok() { (one, other) } else { (other, one) };
        assert!(matches!(refused, Err(RefreshError::Reused)), "{refused:?}");
        let served = served.unwrap();
        assert!(!server.is_active(&served).await && !server.is_active(&issued).await);
        assert!(matches!(server.next(&served).await, Err(RefreshError::Refused)));
    }
}

#[tokio::test(start_paused = true)]
async fn with_any_refresh_token_of_a_grant_all_of_it_is_revoked_and_with_an_access_token_that_one() {
    for server in servers().await {
        for used in [0, 1] {
            let first = server.issue(&client("one")).await.unwrap();
            let second = server.next(&first).await.unwrap();
            let issued = [first, second];
            server.revoke(&client("one"), refresh_token(&issued[used])).await.unwrap();
            assert!(!server.is_active(&issued[0]).await && !server.is_active(&issued[1]).await);
            assert!(matches!(server.next(&issued[1]).await, Err(RefreshError::Refused)), "at once");
        }
        let issued = server.issue(&client("one")).await.unwrap();
        server.revoke(&client("one"), &issued.token).await.unwrap();
        assert!(!server.is_active(&issued).await);
        assert!(server.next(&issued).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_revocation_while_a_token_is_refreshed_leaves_nothing_that_works() {
    for server in servers().await {
        let issued = server.issue(&client("one")).await.unwrap();
        let one = client("one");
        let revoking = server.revoke(&one, refresh_token(&issued));
        let (next, revoked) = tokio::join!(server.next(&issued), revoking);
        revoked.unwrap();
        assert!(!server.is_active(&issued).await);
        match next {
            Ok(next) => assert!(!server.is_active(&next).await && server.next(&next).await.is_err()),
            Err(refused) => assert!(matches!(refused, RefreshError::Refused), "{refused:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn refresh_tokens_are_of_their_client_allow_no_more_and_open_no_resource() {
    for server in servers().await {
        let issued = server.issue(&client("one")).await.unwrap();
        let token = refresh_token(&issued);
        let refused = server.refresh(&client("other"), token, None, None).await;
        assert!(matches!(refused, Err(RefreshError::Refused)));
        assert!(matches!(server.revoke(&client("other"), token).await, Err(RevokeError::OfAnotherClient)));
        let more = server.refresh(&client("one"), token, Some("read admin"), None).await;
        assert!(matches!(more, Err(RefreshError::Scope)));
        let refused = server.refresh(&client("one"), "rubbish", None, None).await;
        assert!(matches!(refused, Err(RefreshError::Refused)));
        let refused = server.refresh(&client("one"), &issued.token, None, None).await;
        assert!(matches!(refused, Err(RefreshError::Refused)), "an access token");
        assert!(matches!(server.introspect(token).await, Ok(Introspection::Inactive)));
        let less = server.refresh(&client("one"), token, Some("read"), None).await.unwrap();
        assert_eq!(less.claims.scope, "read", "none of the refusals has used it up");
        assert_eq!(server.next(&less).await.unwrap().claims.scope, "read write");
        let once = Client { refreshes_for: None, ..client("one") };
        assert!(server.issue(&once).await.unwrap().refresh_token.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_issued_together_are_as_good_as_any_and_none_is_issued_twice() {
    for server in servers().await {
        let once = Client { refreshes_for: None, ..client("one") };
        let many = server.issue_many(&once, 100).await.unwrap();
        let mut texts: Vec<&str> = many.iter().map(|issued| &*issued.token).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), 100);
        for issued in many.iter().step_by(33) {
            assert!(server.is_active(issued).await && issued.refresh_token.is_none());
            server.revoke(&once, &issued.token).await.unwrap();
            assert!(!server.is_active(issued).await);
        }
        assert!(server.is_active(&many[1]).await);
        assert!(server.issue_many(&once, 0).await.unwrap().is_empty());
    }
}
