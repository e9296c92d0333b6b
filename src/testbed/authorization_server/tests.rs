//! Streams of revocations that nobody reads.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;

use super::table;
use crate::auth::authorization_server::{AuthorizationServer, Client, Minting};
use crate::auth::store::Store;
use crate::auth::token::{Groups, WallClock};
use crate::registry::Part;
use crate::testbed::listener::{Impatient, NoDelay};
use crate::testbed::revocation_events;
use crate::testbed::spec::Credentials;

/// Far less than is sent here.
const SOCKET_BUFFER: u32 = 64 * 1024;

/// An authorization server that ends connections whose other end takes nothing for so long, and a client of it.
struct Served {
    server: Arc<AuthorizationServer>,
    client: Client,
    address: std::net::SocketAddr,
}

impl Served {
    async fn with_patience(patience: Duration) -> Self {
        let client = Client {
            id: "client".to_owned(),
            secret: "secret".to_owned(),
            audience: "https://api.example/".to_owned(),
            scope: "read".to_owned(),
            lifetime: Duration::from_hours(1),
            age: Duration::ZERO,
            refreshes_for: None,
            groups: Groups::default(),
        };
        let store = Part::<dyn Store>::named("memory").unwrap().open().await.unwrap();
        let (issuer, clock) = ("https://as.example".to_owned(), WallClock::system());
        let server = AuthorizationServer::new(issuer, [client.clone()], Minting::Opaque, store, clock);
        let server = Arc::new(server);
        let socket = TcpSocket::new_v4().unwrap();
        // Accepted sockets have it too: little is under way to who does not read.
        socket.set_send_buffer_size(SOCKET_BUFFER).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(16).unwrap();
        let address = listener.local_addr().unwrap();
        let listener = Impatient(NoDelay(listener), patience);
        let routes = table::routes(Arc::clone(&server), None);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { server, client, address }
    }

    /// A stream that was begun, and takes next to nothing that is not read.
    async fn subscribed(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(SOCKET_BUFFER).unwrap();
        let mut stream = socket.connect(self.address).await.unwrap();
        let credentials =
            Credentials { client_id: self.client.id.clone(), client_secret: self.client.secret.clone() };
        let path = revocation_events::path(Duration::from_secs(1));
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: {}\r\n\r\n",
            self.address,
            credentials.header()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        self.until_subscribers(1).await;
        stream
    }

    async fn until_subscribers(&self, number: usize) {
        while self.server.feed().subscribers() != number {
            sleep(Duration::from_millis(1)).await;
        }
    }

    async fn revoke(&self, tokens: usize) {
        for _ in 0..tokens {
            let token = self.server.issue(&self.client).await.unwrap().token;
            self.server.revoke(&self.client, &token).await.unwrap();
        }
    }
}

/// More than the buffers on the way take, and than an authorization server keeps.
const MANY: usize = 30_000;

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_more_slowly_than_tokens_are_revoked_is_disconnected_and_nothing_is_kept_for_it() {
    let served = Served::with_patience(Duration::from_mins(10)).await;
    let mut stream = served.subscribed().await;
    served.revoke(MANY).await;
    let mut received = Vec::new();
    // It ends, where a stream that is read goes on for ever.
    let _ = stream.read_to_end(&mut received).await;
    let events = String::from_utf8_lossy(&received).matches("event: revoked").count();
    assert!(events < MANY / 2, "{events} events");
    served.until_subscribers(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_nothing_at_all_is_disconnected() {
    let served = Served::with_patience(Duration::from_millis(100)).await;
    let stream = served.subscribed().await;
    served.revoke(MANY).await;
    served.until_subscribers(0).await;
    drop(stream);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_is_forgotten() {
    let served = Served::with_patience(Duration::from_mins(10)).await;
    let stream = served.subscribed().await;
    drop(stream);
    served.until_subscribers(0).await;
}
