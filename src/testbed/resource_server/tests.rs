//! Pushed revocations over a connection that breaks, and over one on which nothing comes through any more.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

use super::http_issuer::HttpIssuer;
use crate::auth::architecture::{ARCHITECTURES, Context, TokenValidator};
use crate::auth::token::jwt::Trust;
use crate::auth::token::{Policy, Rejection, TokenId, WallClock};
use crate::testbed::authorization_server;
use crate::testbed::client::{Client, uri};
use crate::testbed::spec::{AuthorizationServerSpec, Credentials};
use crate::units::Stamp;

const AUDIENCE: &str = "https://api.example/";

/// What stands between the two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    /// What is sent arrives when it is open again.
    Stalled,
    /// Connections end, and new ones do at once.
    Cut,
}

/// Passes connections on to the authorization server. Ends with the test.
async fn proxy(to: SocketAddr) -> (SocketAddr, watch::Sender<Way>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (way, seen) = watch::channel(Way::Open);
    tokio::spawn(async move {
        loop {
            let (here, _) = listener.accept().await.unwrap();
            if *seen.borrow() == Way::Cut {
                continue;
            }
            let (asked, answer) = here.into_split();
            let (answered, question) = TcpStream::connect(to).await.unwrap().into_split();
            let mut cut = seen.clone();
            let halves = [pass_on(asked, question, seen.clone()), pass_on(answered, answer, seen.clone())];
            tokio::spawn(async move {
                let [there, back] = halves;
                tokio::select! {
                    () = there => {}
                    () = back => {}
                    _ = cut.wait_for(|way| *way == Way::Cut) => {}
                }
            });
        }
    });
    (address, way)
}

async fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut way: watch::Receiver<Way>) {
    let mut bytes = [0; 4_096];
    loop {
        let Ok(number @ 1..) = from.read(&mut bytes).await else { return };
        if way.wait_for(|way| *way == Way::Open).await.is_err() {
            return;
        }
        if to.write_all(&bytes[..number]).await.is_err() {
            return;
        }
    }
}

/// A resource server whose way to its authorization server is in the hands of the test, which has a way of its own.
struct Estate {
    issuer: String,
    authorization: String,
    client: Client,
    way: watch::Sender<Way>,
    validator: Arc<dyn TokenValidator>,
    /// By which the resource server asks.
    asked: Arc<HttpIssuer>,
}

impl Estate {
    async fn of(architecture: &str) -> Self {
        let architecture = ARCHITECTURES.resolve(serde_json::from_str(architecture).unwrap()).unwrap();
        let credentials = Credentials { client_id: "bench".to_owned(), client_secret: "secret".to_owned() };
        let spec = json!({
            "listen": "127.0.0.1:0", "signature": "ES256", "signing_key": null, "store": "memory",
            "serves": [architecture],
            "clients": [{
                "client_id": credentials.client_id, "client_secret": credentials.client_secret, "scope": "read",
                "audience": AUDIENCE, "lifetime": Duration::from_hours(1), "age": Duration::ZERO,
            }],
        });
        let spec: AuthorizationServerSpec = serde_json::from_value(spec).unwrap();
        let listener = TcpListener::bind(spec.listen).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(authorization_server::prepare(spec, listener, None).await.unwrap());

        let issuer = format!("http://{address}");
        let (proxied, way) = proxy(address).await;
        let policy =
            Policy { issuer: issuer.clone(), audience: AUDIENCE.to_owned(), scope: "read".to_owned() };
        let asked = Arc::new(HttpIssuer::new(&format!("http://{proxied}"), &credentials).unwrap());
        let context = Context {
            issuer: Arc::clone(&asked) as _,
            client_id: credentials.client_id.as_str().into(),
            policy: Arc::new(policy),
            trust: Trust::default(),
            clock: WallClock::system(),
            poll_phase: 1.0,
            misses: None,
        };
        let validator = architecture.validator(context).await.unwrap();
        let (authorization, client) = (credentials.header(), Client::default());
        let estate = Self { issuer, authorization, client, way, validator, asked };
        // One that opens its channel in the background drops what it was told before.
        estate.until(|[_, _, third]| third == 1).await;
        estate
    }

    async fn post(&self, path: &str, form: String) -> hyper::body::Bytes {
        let uri = uri(&self.issuer, path).unwrap();
        self.client.post(&uri, &self.authorization, form).await.unwrap()
    }

    async fn token(&self) -> String {
        let answer = self.post("/token", "grant_type=client_credentials".to_owned()).await;
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    async fn revoke(&self, token: &str) {
        self.post("/revoke", format!("token={token}")).await;
    }

    /// Events, reconnects, and snapshots or flushes.
    fn counts(&self) -> [u64; 3] {
        let counts: Vec<u64> = self.validator.counters().into_iter().map(|(_, count)| count).collect();
        counts.try_into().unwrap()
    }

    async fn until(&self, is_so: impl Fn([u64; 3]) -> bool) {
        while !is_so(self.counts()) {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

const ARCHITECTURES_UNDER_TEST: [&str; 2] = [
    r#"{"kind": "jwt-deny-list-pushed", "silence": "500ms", "stale_on_error": "1h"}"#,
    r#"{"kind": "introspection-cached", "ttl": "1h", "push": true, "silence": "500ms"}"#,
];

#[tokio::test]
async fn a_token_that_was_revoked_while_nothing_came_through_is_refused_after_that_by_its_event() {
    for architecture in ARCHITECTURES_UNDER_TEST {
        for way in [Way::Cut, Way::Stalled] {
            let estate = Estate::of(architecture).await;
            let [kept, before, during] = [estate.token().await, estate.token().await, estate.token().await];
            for token in [&kept, &before, &during] {
                assert!(estate.validator.validate(token).await.is_ok(), "{architecture}");
            }
            estate.revoke(&before).await;
            estate.until(|[events, ..]| events == 1).await;
            assert_eq!(estate.validator.validate(&before).await.unwrap_err(), Rejection::Inactive);

            estate.way.send_replace(way);
            estate.revoke(&during).await;
            // Longer than silence counts as a break.
            sleep(Duration::from_secs(1)).await;
            assert!(estate.validator.validate(&during).await.is_ok(), "{architecture}: nobody told it");
            estate.way.send_replace(Way::Open);
            estate.until(|[events, ..]| events == 2).await;
            assert_eq!(estate.validator.validate(&during).await.unwrap_err(), Rejection::Inactive);
            assert!(estate.validator.validate(&kept).await.is_ok(), "{architecture}");
            let [events, reconnects, snapshots] = estate.counts();
            assert_eq!((events, snapshots), (2, 1), "{architecture}: by resuming");
            assert!(reconnects >= 1, "{architecture} {way:?}");
        }
    }
}

#[tokio::test]
async fn an_event_that_was_under_way_for_a_known_time_is_heard_that_much_later() {
    for architecture in ARCHITECTURES_UNDER_TEST {
        let estate = Estate::of(&architecture.replace("500ms", "1h")).await;
        let heard = || estate.asked.heard().all().unwrap();
        let [quick, held_up] = [estate.token().await, estate.token().await];
        estate.revoke(&quick).await;
        estate.until(|[events, ..]| events == 1).await;
        estate.way.send_replace(Way::Stalled);
        estate.revoke(&held_up).await;
        let acknowledged = Stamp::now();
        let held_up_for = Duration::from_millis(200);
        sleep(held_up_for).await;
        let opened = Stamp::now();
        estate.way.send_replace(Way::Open);
        while heard().len() < 2 {
            sleep(Duration::from_millis(1)).await;
        }
        let [first, second] = &heard()[..] else { panic!("{architecture}: two events") };
        assert_eq!(
            [&first.token, &second.token],
            [&quick, &held_up].map(|token| TokenId::of(token).to_base64url()).each_ref()
        );
        assert!(first.at < acknowledged && second.at >= opened, "{architecture}");
        assert!(second.at >= acknowledged + held_up_for, "{architecture}");
    }
}
