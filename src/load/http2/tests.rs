use std::cell::Cell;
use std::net::SocketAddr;

use hyper::Response;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::{LocalSet, spawn_local};

use super::*;
use crate::load::transport::Outgoing;
use crate::wire::{Connector, Endpoint, Wire};

/// What the server does with each request: its number among all, from 1, and the connection.
type Deed = fn(u32, &mut h2::server::Connection<tokio::net::TcpStream, Bytes>) -> Reply;

enum Reply {
    Answer,
    Reset(Reason),
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
                        Reply::Reset(reason) => respond.send_reset(reason),
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
    let server = TargetServer { connector, authority, path: "/".to_owned(), is_secure: false };
    Http2::new(&[server], 4, requests_per_connection.and_then(NonZeroU32::new))
}

/// Runs what starts tasks on this thread.
async fn local(test: impl Future<Output = ()>) {
    LocalSet::new().run_until(test).await;
}

type Pair = (Http2Sender, Http2Receiver);

async fn join(http2: &Http2, number: usize) -> Pair {
    let opened = http2.connect(ConnectionSlot { server: 0, number }).await.unwrap();
    (opened.sender, opened.receiver)
}

async fn ask((sender, receiver): &mut Pair) -> Result<Answer, Failure> {
    sender.send(&Outgoing { token: "token", proof: None, probe: None });
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
    let refused: Deed = |number, _| {
        if number == 1 { Reply::Reset(Reason::REFUSED_STREAM) } else { Reply::Answer }
    };
    let broken: Deed = |number, _| {
        if number == 1 { Reply::Reset(Reason::INTERNAL_ERROR) } else { Reply::Answer }
    };
    for (deed, failure) in [(refused, Failure::Refused), (broken, Failure::Reset)] {
        local(async {
            let (address, connections) = serve(deed).await;
            let http2 = transport(address, None);
            let (mut first, mut second) = (join(&http2, 0).await, join(&http2, 1).await);
            assert_eq!(ask(&mut first).await, Err(failure));
            drop(first);
            let mut again = join(&http2, 0).await;
            for stream in [&mut again, &mut second] {
                assert_eq!(ask(stream).await.map(|answer| answer.reusable), Ok(true));
            }
            assert_eq!(connections.get(), 1);
        })
        .await;
    }
}

/// A frame with its header (RFC 9113 section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Takes so many requests over one connection, sends these frames, and closes.
async fn serve_frames(requests: u32, frames: Vec<Vec<u8>>) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    spawn_local(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(&[frame(4, 0, 0, &[]), frame(4, 1, 0, &[])].concat()).await.unwrap();
        stream.read_exact(&mut [0; 24]).await.unwrap();
        let mut seen = 0;
        while seen < requests {
            let mut header = [0; 9];
            stream.read_exact(&mut header).await.unwrap();
            let length = u32::from_be_bytes([0, header[0], header[1], header[2]]);
            let mut payload = vec![0; length as usize];
            stream.read_exact(&mut payload).await.unwrap();
            match (header[3], header[4]) {
                (6, 0) => stream.write_all(&frame(6, 1, 0, &payload)).await.unwrap(),
                (1, _) => seen += 1,
                _ => {}
            }
        }
        stream.write_all(&frames.concat()).await.unwrap();
    });
    address
}

#[tokio::test]
async fn streams_above_the_last_of_a_goaway_were_not_processed_and_those_below_it_may_have_been() {
    let answer = frame(1, 5, 1, &[0x88]);
    let goaway = |last: u32| frame(7, 0, 0, &[last.to_be_bytes(), [0; 4]].concat());
    for (frames, third) in [
        (vec![goaway(3), answer.clone()], Failure::WentAway),
        (vec![goaway(u32::MAX >> 1), goaway(3), answer.clone()], Failure::WentAway),
        (vec![goaway(5), answer.clone()], Failure::Crossed),
        (vec![answer.clone()], Failure::Crossed),
    ] {
        local(async {
            let address = serve_frames(3, frames).await;
            let http2 = transport(address, None);
            let mut streams = Vec::new();
            for number in 0..3 {
                streams.push(join(&http2, number).await);
            }
            for (sender, _) in &mut streams {
                sender.send(&Outgoing { token: "token", proof: None, probe: None });
            }
            let mut answers = Vec::new();
            for (_, receiver) in &mut streams {
                answers.push(receiver.answer().await.map(|answer| answer.status));
            }
            assert_eq!(answers, [Ok(200), Err(Failure::Crossed), Err(third)]);
        })
        .await;
    }
}

#[tokio::test]
async fn a_connection_that_ends_without_any_answer_processed_who_knows_what() {
    local(async {
        let http2 = transport(serve_frames(1, Vec::new()).await, None);
        assert_eq!(ask(&mut join(&http2, 0).await).await, Err(Failure::Closed));
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
            sender.send(&Outgoing { token: "token", proof: None, probe: None });
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
        let refused = transport(address, None).connect(ConnectionSlot { server: 0, number: 0 }).await;
        let message = refused.err().expect("four are wanted").to_string();
        assert_eq!(message, "the server allows 3 requests at once on a connection, not 4");
    })
    .await;
}
