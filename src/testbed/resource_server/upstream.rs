//! The servers behind a gateway, over HTTP by pooled connections: they are sent what was accepted in turn, and their answer is the
//! gateway's.

use std::error::Error;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONNECTION, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::auth::architecture::{Branch, NotReady, Verified};
use crate::plan::PROBE_HEADER;
use crate::testbed::client::uri;
use crate::testbed::resource_server::answer::{self, Response};
use crate::testbed::resource_server::troubles::{Troubles, chain};

/// Where accepted requests go.
pub(super) struct Behind {
    servers: Vec<Upstream>,
    /// How many requests were passed on.
    turns: AtomicUsize,
}

/// A server behind a gateway.
struct Upstream {
    client: Client<HttpConnector, Empty<Bytes>>,
    resource: Uri,
    /// One for each request that may be there at once. Clients that give up are followed by others while the server has their requests
    /// still: without a limit one that is slow has ever more connections.
    at_once: Semaphore,
    /// Whether it is sent the token that clients send, though another goes inside.
    decides_on_outside: bool,
    unreached: AtomicU64,
    late: AtomicU64,
    troubles: Troubles,
}

/// How long an answer may take, as long as one of the authorization server.
const PATIENCE: Duration = crate::auth::issuer::PATIENCE;

/// The resource of this program has 23 bytes; what is no resource is not read to its end.
const MOST_BYTES: usize = 1024 * 1024;

/// The most connections that a gateway has to the server behind it, where that gets so many requests at once: those in use, and as many
/// that are idle, since one that was begun is kept though another became idle meanwhile.
pub fn most_connections(at_once: u32) -> u32 {
    at_once.saturating_mul(2)
}

impl Behind {
    /// The servers at these URLs, which decide in these ways; a server that is no part of the architecture is sent what goes inside. Each gets
    /// so many requests at once.
    pub(super) fn at(
        urls: &[String],
        branches: &[Branch<'_>],
        at_once: u32,
    ) -> Result<Option<Self>, NotReady> {
        let mut servers = Vec::new();
        for (number, url) in urls.iter().enumerate() {
            let branch = branches.get(number);
            let decides_on_outside = branch.is_some_and(|branch| !branch.architecture.decides_on_inside());
            servers.push(Upstream { decides_on_outside, ..Upstream::at(url, at_once)? });
        }
        Ok((!servers.is_empty()).then(|| Self { servers, turns: AtomicUsize::new(0) }))
    }

    /// Has the next one answer.
    pub(super) async fn pass_on(&self, headers: &HeaderMap, verified: &Verified) -> Response {
        let turn = match self.servers.len() {
            1 => 0,
            several => self.turns.fetch_add(1, Ordering::Relaxed) % several,
        };
        self.servers[turn].pass_on(headers, verified).await
    }

    /// How many requests were not answered.
    pub(super) fn unreached(&self) -> u64 {
        self.servers.iter().map(|server| server.unreached.load(Ordering::Relaxed)).sum()
    }

    /// How many requests were not answered in time.
    pub(super) fn late(&self) -> u64 {
        self.servers.iter().map(|server| server.late.load(Ordering::Relaxed)).sum()
    }
}

impl Upstream {
    /// The server at this URL, which gets so many requests at once.
    fn at(url: &str, at_once: u32) -> Result<Self, NotReady> {
        let resource = uri(url, "/resource").map_err(|_| NotReady::Upstream(url.to_owned()))?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Ok(Self {
            client: Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(at_once as usize)
                .build(connector),
            resource,
            at_once: Semaphore::new(at_once as usize),
            decides_on_outside: false,
            unreached: AtomicU64::new(0),
            late: AtomicU64::new(0),
            troubles: Troubles::default(),
        })
    }

    /// Asks it for the resource, with the token that goes inside and the mark of a probe, and gives back what it answers; 502 if it does
    /// not, and 504 if it does not in time (RFC 9110 sections 15.6.3 and 15.6.5).
    async fn pass_on(&self, headers: &HeaderMap, verified: &Verified) -> Response {
        match timeout(PATIENCE, self.answer(self.request(headers, verified))).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                self.unreached.fetch_add(1, Ordering::Relaxed);
                self.troubles.tell(&format_args!("{}: no answer: {}", self.resource, chain(&*error)));
                answer::empty(StatusCode::BAD_GATEWAY)
            }
            Err(_) => {
                self.late.fetch_add(1, Ordering::Relaxed);
                let seconds = PATIENCE.as_secs();
                self.troubles.tell(&format_args!("{}: no answer within {seconds} s", self.resource));
                answer::empty(StatusCode::GATEWAY_TIMEOUT)
            }
        }
    }

    fn request(&self, headers: &HeaderMap, verified: &Verified) -> Request<Empty<Bytes>> {
        let authorization = match verified.forwarded().filter(|_| !self.decides_on_outside) {
            Some(token) => HeaderValue::try_from(format!("Bearer {token}")).expect("base64url and dots"),
            None => headers.get(AUTHORIZATION).expect("it was accepted by that").clone(),
        };
        let mut request = Request::get(self.resource.clone()).header(AUTHORIZATION, authorization);
        if let Some(probe) = headers.get(PROBE_HEADER) {
            request = request.header(PROBE_HEADER, probe);
        }
        request.body(Empty::new()).expect("a URI and headers make a request")
    }

    async fn answer(&self, request: Request<Empty<Bytes>>) -> Result<Response, Box<dyn Error + Send + Sync>> {
        let _one_of_them = self.at_once.acquire().await.expect("it is never closed");
        let (head, body) = self.client.request(request).await?.into_parts();
        let body = Limited::new(body, MOST_BYTES).collect().await?.to_bytes();
        let mut response = Response::new(Full::new(body));
        (*response.status_mut(), *response.headers_mut()) = (head.status, head.headers);
        // They are about the connection behind the gateway (RFC 9110 section 7.6.1).
        for name in [CONNECTION, TRANSFER_ENCODING] {
            response.headers_mut().remove(name);
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use futures_util::future::join_all;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    async fn asked(url: &str) -> (StatusCode, u64, u64) {
        let behind = Behind::at(&[url.to_owned()], &[], 8).unwrap().unwrap();
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer token"))]);
        let status = behind.pass_on(&headers, &Verified::Unchecked).await.status();
        (status, behind.unreached(), behind.late())
    }

    #[tokio::test]
    async fn a_server_that_is_gone_is_a_bad_gateway_and_counted() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        assert_eq!(asked(&url).await, (StatusCode::BAD_GATEWAY, 1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_answer_in_time_is_a_gateway_timeout_and_counted() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        assert_eq!(asked(&url).await, (StatusCode::GATEWAY_TIMEOUT, 0, 1));
    }

    #[tokio::test]
    async fn more_requests_than_may_be_there_at_once_wait_and_open_no_connection() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let accepted = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&accepted);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    let mut bytes = [0; 1024];
                    while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {
                        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
                    }
                });
            }
        });
        let upstream = Upstream::at(&url, 2).unwrap();
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer token"))]);
        let answers = (0..20).map(|_| upstream.pass_on(&headers, &Verified::Unchecked));
        for answer in join_all(answers).await {
            assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        }
        let accepted = accepted.load(Ordering::Relaxed);
        assert!(accepted <= most_connections(2).into(), "{accepted} connections for 2 requests at once");
    }
}
