//! What holds for any bytes at all. The fuzz target (`fuzz/fuzz_targets/answer.rs`) includes this very file.

use std::time::Duration;

use bearerbench::load::Decoder;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::Builder;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;

/// So many bytes reach either client by a single read, after which both know whether something follows the answer.
const ONE_READ: usize = 4096;

/// What a client makes of the bytes that answer its only request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// They are a whole answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Whether the connection can carry another request.
        reusable: bool,
    },
    /// More is to come.
    Unfinished,
    /// They are none, or the end of the connection cut it off.
    Broken,
}

/// Never panics; does not depend on the pieces in which bytes arrive; and makes of them what hyper makes of them.
pub(crate) fn holds(bytes: &[u8], piece: usize) {
    let bytes = &bytes[..bytes.len().min(ONE_READ)];
    for ends in [false, true] {
        let found = ours(bytes, usize::MAX, ends);
        assert_eq!(status(ours(bytes, piece, ends)), status(found), "in pieces of {piece}, ends: {ends}");
        // What a line feed by itself means is left to who receives it (RFC 9112, section 2.2).
        if has_bare_line_feed(bytes) {
            continue;
        }
        // Hyper takes a line that continues the one before it in a head, as we do, but not in trailer fields.
        if has_trailer_that_goes_on(bytes) {
            continue;
        }
        let expected = hypers(bytes, ends);
        // Hyper finds fault with trailer fields at once, we when all of them are there.
        let ended = [bytes, b"\r\n\r\n"].concat();
        let comes_later = expected == Outcome::Broken && ours(&ended, usize::MAX, false) == expected;
        if found != Outcome::Unfinished || !comes_later {
            assert_eq!(found, expected, "ends: {ends}, {}", bytes.escape_ascii());
        }
    }
}

fn has_bare_line_feed(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    // Behind the last there is none.
    lines.next_back();
    lines.any(|line| !line.ends_with(b"\r"))
}

/// Whether a line behind the last chunk begins with a space and continues another.
fn has_trailer_that_goes_on(bytes: &[u8]) -> bool {
    // Only zeros, which an extension may follow (RFC 9112 section 7.1).
    let is_last_chunk = |line: &&[u8]| {
        let zeros = line.iter().take_while(|byte| **byte == b'0').count();
        zeros > 0 && line.get(zeros).is_some_and(|next| b"\r; \t".contains(next))
    };
    let goes_on = |line: &[u8]| line.starts_with(b"\r\n ") || line.starts_with(b"\r\n\t");
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    // The first line behind it continues nothing.
    lines.find(is_last_chunk).is_some() && lines.collect::<Vec<_>>().concat().windows(3).any(goes_on)
}

/// What does not depend on whether surplus bytes came along with the answer.
fn status(outcome: Outcome) -> Result<u16, Outcome> {
    match outcome {
        Outcome::Answer { status, .. } => Ok(status),
        other => Err(other),
    }
}

/// What the decoder of the load generator says; `ends` if the server closes the connection behind the bytes.
pub(crate) fn ours(bytes: &[u8], piece: usize, ends: bool) -> Outcome {
    let mut decoder = Decoder::default();
    let mut rest = bytes;
    let outcome = loop {
        if rest.is_empty() {
            break if ends { decoder.closed() } else { return Outcome::Unfinished };
        }
        let space = match decoder.space() {
            Ok(space) => space,
            Err(failure) => break Err(failure),
        };
        let size = piece.clamp(1, rest.len()).min(space.len());
        let (next, after) = rest.split_at(size);
        space[..size].copy_from_slice(next);
        rest = after;
        match decoder.filled(size) {
            Ok(None) => {}
            Ok(Some(answer)) => break Ok(answer),
            Err(failure) => break Err(failure),
        }
    };
    outcome.map_or(Outcome::Broken, |answer| Outcome::Answer {
        status: answer.status,
        reusable: answer.reusable && !ends,
    })
}

/// The same from hyper.
fn hypers(bytes: &[u8], ends: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime without sockets").block_on(async {
        let (client, mut server) = tokio::io::duplex(2 * ONE_READ);
        let mut builder = Builder::new();
        // By itself it takes neither lines that continue the one before them nor more than 100 fields.
        builder.allow_obsolete_multiline_headers_in_responses(true).max_headers(ONE_READ);
        let handshake = builder.handshake(TokioIo::new(client));
        let (mut sender, connection) = handshake.await.expect("nothing is sent yet");
        tokio::spawn(connection);
        let request = Request::get("/").body(Empty::<Bytes>::new()).expect("a request without surprises");
        let exchange = async {
            let answer = sender.send_request(request).await?;
            let status = answer.status().as_u16();
            answer.into_body().collect().await?;
            Ok::<_, hyper::Error>((status, sender.ready().await.is_ok()))
        };
        let serve = async {
            // A client may find bytes before its request at fault.
            tokio::task::yield_now().await;
            server.write_all(bytes).await.expect("the pipe takes all of it");
            if ends {
                server.shutdown().await.expect("the pipe is open");
            }
        };
        // Time stands still while there is something to do, so this is not a question of speed.
        let waited = tokio::time::timeout(Duration::from_secs(1), async { tokio::join!(exchange, serve).0 });
        match waited.await {
            Ok(Ok((status, reusable))) => Outcome::Answer { status, reusable: reusable && !ends },
            Ok(Err(_)) => Outcome::Broken,
            Err(_) => Outcome::Unfinished,
        }
    })
}
