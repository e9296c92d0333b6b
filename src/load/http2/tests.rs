use std::cell::Cell;
use std::net::SocketAddr;

use hyper::Response;
use tokio::net::TcpListener;
use tokio::task::{LocalSet, spawn_local};

use super::*;
use crate::load::transport::Outgoing;
use crate::wire::{Connector, Endpoint, Wire};

/// What the server does with each request: its number among all, from 1, and the connection.
type Deed = fn(u32, &mut h2::server::Connection<tokio::net::TcpStream, Bytes>) -> Reply;

enum Reply {
    Answer,
    Reset,
    Silence,
}

/// A server, and how many connections it has seen.
async fn serve(deed: Deed) -> (SocketAddr, Rc<Cell<u32>>) {
    let (address, [connections, _]) = serve_at_once(100, deed).await;
    (address, connections)
}

/// The same, with so many requests at once on a connection; and how many connections and requests it has seen.
async fn serve_at_once(streams: u32, deed: Deed) -> (SocketAddr, [Rc<Cell<u32>>; 2]) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (connections, requests) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let seen = [Rc::clone(&connections), Rc::clone(&requests)];
    spawn_local(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            connections.set(connections.get() + 1);
            let requests = Rc::clone(&requests);
            spawn_local(async move {
                let mut builder = h2::server::Builder::new();
                let handshake = builder.max_concurrent_streams(streams).handshake(stream);
                let mut connection = handshake.await.unwrap();
                let mut unanswered = Vec::new();
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    requests.set(requests.get() + 1);
                    match deed(requests.get(), &mut connection) {
                        Reply::Answer => {
                            respond.send_response(Response::new(()), true).unwrap();
                        }
                        Reply::Reset => respond.send_reset(h2::Reason::REFUSED_STREAM),
                        Reply::Silence => unanswered.push(respond),
                    }
                }
            });
        }
    });
    (address, seen)
}

fn transport(address: SocketAddr, requests_per_connection: Option<u32>) -> Http2 {
    let connector = Connector::new(Endpoint::Tcp(address), &Wire::default(), None, "localhost").unwrap();
    let authority = "localhost".to_owned();
    let server = Server { connector, authority, path: "/".to_owned(), is_secure: false };
    Http2::new(&[server], 4, requests_per_connection.and_then(NonZeroU32::new))
}

/// Runs what starts tasks on this thread.
async fn local(test: impl Future<Output = ()>) {
    LocalSet::new().run_until(test).await;
}

type Pair = (Http2Sender, Http2Receiver);

async fn join(http2: &Http2, number: usize) -> Pair {
    let opened = http2.connect(Place { server: 0, number }).await.unwrap();
    (opened.sender, opened.receiver)
}

async fn ask((sender, receiver): &mut Pair) -> Result<Answer, Failure> {
    sender.send(&Outgoing { token: "token", probe: None });
    receiver.answer().await
}

#[tokio::test]
async fn a_server_that_goes_away_loses_no_request_and_its_idle_streams_hear_of_it() {
    let deed: Deed = |number, connection| {
        if number == 2 {
            connection.graceful_shutdown();
        }
        Reply::Answer
    };
    local(async {
        let (address, connections) = serve(deed).await;
        let http2 = transport(address, None);
        let (mut first, mut second) = (join(&http2, 0).await, join(&http2, 1).await);
        assert_eq!(ask(&mut first).await.map(|answer| answer.reusable), Ok(true));
        assert_eq!(ask(&mut first).await.map(|answer| answer.status), Ok(200));
        assert_eq!(second.1.answer().await, Err(Failure::Closed), "it was idle");
        let mut third = join(&http2, 1).await;
        assert_eq!(ask(&mut third).await.map(|answer| answer.reusable), Ok(true));
        assert_eq!(connections.get(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_is_reset_costs_its_request_and_not_the_connection() {
    local(async {
        let (address, connections) =
            serve(|number, _| if number == 1 { Reply::Reset } else { Reply::Answer }).await;
        let http2 = transport(address, None);
        let (mut first, mut second) = (join(&http2, 0).await, join(&http2, 1).await);
        assert_eq!(ask(&mut first).await, Err(Failure::Reset));
        drop(first);
        let mut again = join(&http2, 0).await;
        for stream in [&mut again, &mut second] {
            assert_eq!(ask(stream).await.map(|answer| answer.reusable), Ok(true));
        }
        assert_eq!(connections.get(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_nobody_waits_for_any_more_has_the_connection_replaced_every_time() {
    local(async {
        let (address, [connections, requests]) =
            serve_at_once(100, |number, _| if number < 3 { Reply::Silence } else { Reply::Answer }).await;
        let http2 = transport(address, None);
        for expected in [1, 2] {
            let (mut sender, mut receiver) = join(&http2, 0).await;
            sender.send(&Outgoing { token: "token", probe: None });
            let arrives = async {
                while requests.get() < expected {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                answer = receiver.answer() => panic!("{answer:?}"),
                () = arrives => {}
            }
            assert_eq!(connections.get(), expected);
        }
        assert!(ask(&mut join(&http2, 0).await).await.is_ok());
        assert_eq!(connections.get(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_connection_is_replaced_after_so_many_requests_of_all_its_streams() {
    local(async {
        let (address, connections) = serve(|_, _| Reply::Answer).await;
        let http2 = transport(address, Some(4));
        let (mut first, mut second) = (join(&http2, 0).await, join(&http2, 1).await);
        let mut reusable = Vec::new();
        for _ in 0..2 {
            for stream in [&mut first, &mut second] {
                reusable.push(ask(stream).await.unwrap().reusable);
            }
        }
        assert_eq!(reusable, [true, true, true, false]);
        assert_eq!(first.1.answer().await, Err(Failure::Closed));
        assert!(ask(&mut join(&http2, 0).await).await.unwrap().reusable);
        assert_eq!(connections.get(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_allows_fewer_streams_is_refused_before_anything_is_sent() {
    local(async {
        let (address, _) = serve_at_once(3, |_, _| Reply::Answer).await;
        let refused = transport(address, None).connect(Place { server: 0, number: 0 }).await;
        let message = refused.err().expect("four are wanted").to_string();
        assert_eq!(message, "the server allows 3 requests at once on a connection, not 4");
    })
    .await;
}
