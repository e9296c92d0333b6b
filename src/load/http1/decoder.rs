//! Finds the end of an HTTP/1.1 answer in whatever pieces it arrives.

use std::cell::RefCell;
use std::rc::Rc;

use httparse::Status;

use crate::load::http1::head::{Body, KnownHead, are_trailers};
use crate::load::malformed::MalformedAnswer;
use crate::load::transport::{Answer, Failure};

/// No header of a resource server is near this; a server that sends more is not one.
const LARGEST_HEAD: usize = 64 * 1024;

/// Bytes of one connection, read up to the end of an answer (RFC 9112, section 6.3). Public for `tests/answers` and the fuzzer.
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    stage: Stage,
    /// Shared by the connections to a server.
    known: Rc<RefCell<KnownHead>>,
    answer: Answer,
    /// Whether any byte of the next answer was read.
    has_begun: bool,
}

/// What the next byte belongs to.
#[derive(Clone, Copy)]
enum Stage {
    Head,
    /// So many bytes of body are left.
    Length(u64),
    ChunkSize,
    /// So many bytes of a chunk are left, and its end of line.
    Chunk(u64),
    Trailers,
    UntilClose,
}

impl Default for Decoder {
    /// At the beginning of an answer to a GET.
    fn default() -> Self {
        // The answers of a protected resource fit, so that one read takes a whole answer.
        let buffer = vec![0; 4096];
        Self {
            buffer,
            start: 0,
            end: 0,
            stage: Stage::Head,
            known: Rc::default(),
            answer: Answer { status: 0, reusable: false, first_byte: None },
            has_begun: false,
        }
    }
}

impl Decoder {
    /// At the beginning of an answer of a server whose head others may have read.
    pub(super) fn of_known(known: Rc<RefCell<KnownHead>>) -> Self {
        Self { known, ..Self::default() }
    }

    /// Where the next bytes are to be read into; never empty. Fails if a head, a chunk's line or trailer fields do not end.
    pub fn space(&mut self) -> Result<&mut [u8], Failure> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        if self.end == self.buffer.len() {
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            } else if self.buffer.len() < LARGEST_HEAD {
                self.buffer.resize(2 * self.buffer.len(), 0);
            } else {
                return Err(MalformedAnswer::Endless.into());
            }
        }
        Ok(&mut self.buffer[self.end..])
    }

    /// Takes note of bytes that were read; the answer if they complete one.
    pub fn filled(&mut self, bytes: usize) -> Result<Option<Answer>, Failure> {
        self.end += bytes;
        // As nearly every answer comes.
        if matches!(self.stage, Stage::Head)
            && let Some(answer) = self.known.borrow().whole(&self.buffer[self.start..self.end])
        {
            (self.start, self.has_begun) = (self.end, false);
            return Ok(Some(answer));
        }
        self.has_begun = true;
        loop {
            let unread = &self.buffer[self.start..self.end];
            let Some((used, next)) = step(self.stage, unread, &self.known, &mut self.answer)? else {
                return Ok(None);
            };
            self.start += used;
            match next {
                Some(stage) => self.stage = stage,
                None => return Ok(Some(self.complete())),
            }
        }
    }

    /// Takes note that the server will send nothing more.
    pub fn closed(&mut self) -> Result<Answer, Failure> {
        match self.stage {
            Stage::UntilClose => Ok(Answer { reusable: false, ..self.complete() }),
            _ => Err(Failure::Closed),
        }
    }

    /// Whether any byte of the answer that is not complete was read.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    fn complete(&mut self) -> Answer {
        // Bytes after the end answer no request: whatever comes next cannot be told apart.
        let reusable = self.answer.reusable && self.start == self.end;
        (self.stage, self.has_begun) = (Stage::Head, false);
        Answer { reusable, ..self.answer }
    }
}

impl From<Body> for Stage {
    fn from(body: Body) -> Self {
        match body {
            Body::AnotherHead => Self::Head,
            Body::Length(bytes) => Self::Length(bytes),
            Body::Chunked => Self::ChunkSize,
            Body::UntilClose => Self::UntilClose,
        }
    }
}

/// How many bytes a stage uses up and what follows: a stage, or nothing after the end of the answer.
/// `None` if there are too few bytes to tell.
fn step(
    stage: Stage,
    unread: &[u8],
    known: &RefCell<KnownHead>,
    answer: &mut Answer,
) -> Result<Option<(usize, Option<Stage>)>, Failure> {
    if unread.is_empty() && !matches!(stage, Stage::Length(0)) {
        return Ok(None);
    }
    Ok(match stage {
        Stage::Head => known.borrow_mut().parse(unread)?.map(|head| {
            *answer = head.answer;
            (head.bytes, Some(head.body.into()))
        }),
        Stage::Length(0) => Some((0, None)),
        Stage::Length(left) => Some(skip(left, unread, Stage::Length)),
        Stage::ChunkSize => chunk_size(unread)?.map(|(used, size)| {
            let next = if size == 0 { Stage::Trailers } else { Stage::Chunk(size) };
            (used, Some(next))
        }),
        Stage::Chunk(0) => match unread {
            [b'\r', b'\n', ..] => Some((2, Some(Stage::ChunkSize))),
            [b'\r'] => None,
            _ => return Err(MalformedAnswer::Chunk.into()),
        },
        Stage::Chunk(left) => Some(skip(left, unread, Stage::Chunk)),
        Stage::Trailers => match end_of_trailers(unread) {
            Some(end) if !are_trailers(&unread[..end]) => return Err(MalformedAnswer::Trailer.into()),
            end => end.map(|end| (end, None)),
        },
        Stage::UntilClose => Some((unread.len(), Some(Stage::UntilClose))),
    })
}

/// How long the line before a chunk is, and what size it tells (RFC 9112, section 7.1).
fn chunk_size(unread: &[u8]) -> Result<Option<(usize, u64)>, Failure> {
    let line_end = unread.iter().position(|byte| *byte == b'\n');
    // The library lets both through: a line without a digit, and one that ends without a carriage return.
    if !unread[0].is_ascii_hexdigit() || line_end.is_some_and(|end| !unread[..end].ends_with(b"\r")) {
        return Err(MalformedAnswer::Chunk.into());
    }
    // Nor does it take more than 16 digits, whatever they are.
    let zeros = unread.iter().take_while(|byte| **byte == b'0').count().saturating_sub(1);
    match httparse::parse_chunk_size(&unread[zeros..]).map_err(|_| MalformedAnswer::Chunk)? {
        Status::Partial => Ok(None),
        Status::Complete((used, size)) => Ok(Some((zeros + used, size))),
    }
}

/// Behind the empty line that ends trailer fields, of which there may be none.
fn end_of_trailers(unread: &[u8]) -> Option<usize> {
    if unread.starts_with(b"\r\n") {
        return Some(2);
    }
    unread.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|at| at + 4)
}

fn skip(left: u64, unread: &[u8], stage: fn(u64) -> Stage) -> (usize, Option<Stage>) {
    let used = usize::try_from(left).map_or(unread.len(), |left| left.min(unread.len()));
    (used, Some(stage(left - used as u64)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What comes out when the bytes arrive in pieces of these sizes and the connection then ends.
    fn decode(bytes: &[u8], pieces: &[usize]) -> Result<Answer, Failure> {
        decode_next(&mut Decoder::default(), bytes, pieces)
    }

    fn decode_next(decoder: &mut Decoder, bytes: &[u8], pieces: &[usize]) -> Result<Answer, Failure> {
        let (mut rest, mut sizes) = (bytes, pieces.iter().copied().cycle());
        while !rest.is_empty() {
            let space = decoder.space()?;
            let size = sizes.next().unwrap_or(usize::MAX).clamp(1, rest.len()).min(space.len());
            let (piece, after) = rest.split_at(size);
            space[..size].copy_from_slice(piece);
            rest = after;
            if let Some(answer) = decoder.filled(size)? {
                return Ok(answer);
            }
        }
        decoder.closed()
    }

    type Expected = Result<(u16, bool), Failure>;
    const ANSWERS: [(&str, Expected); 21] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Ok((200, true))),
        (
            "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nWWW-Authenticate: Bearer\r\n\r\n",
            Ok((401, true)),
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n", Ok((204, true))),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", Ok((304, true))),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!", Ok((200, true))),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nT: 1\r\n\r\n",
            Ok((200, true)),
        ),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", Ok((200, false))),
        ("HTTP/1.1 200 OK\r\n\r\nuntil the end", Ok((200, false))),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", Ok((200, false))),
        ("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok", Ok((200, true))),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut off", Err(Failure::Closed)),
        (
            "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\t c\r\nContent-Length:\r\n  2\r\nConnection: a,\r\n close\r\n\r\nok",
            Ok((200, false)),
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT: 1\r\n 2\r\n\r\n", Ok((200, true))),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 8\r\n\r\n",
            Err(Failure::NotHttp(MalformedAnswer::Length)),
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
            Err(Failure::NotHttp(MalformedAnswer::Chunk)),
        ),
        ("SSH-2.0-OpenSSH_9.2\r\n", Err(Failure::NotHttp(MalformedAnswer::StatusLine))),
        (
            "HTTP/1.1 200 OK\r\nA: 1\r\nno colon here\r\nB: 2\r\n\r\n",
            Err(Failure::NotHttp(MalformedAnswer::NoColon(3))),
        ),
        ("HTTP/1.1 200 OK\r\nA : 1\r\n\r\n", Err(Failure::NotHttp(MalformedAnswer::Name(2)))),
        (
            "HTTP/1.1 200 OK\r\nA: 1\r\n 2\r\nB: \x01\r\n\r\n",
            Err(Failure::NotHttp(MalformedAnswer::Value(4))),
        ),
        ("HTTP/1.1 200 OK\r\n A: 1\r\n\r\n", Err(Failure::NotHttp(MalformedAnswer::Fold(2)))),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno colon here\r\n\r\n",
            Err(Failure::NotHttp(MalformedAnswer::Trailer)),
        ),
    ];

    #[test]
    fn every_way_to_end_an_answer_is_understood() {
        for (text, expected) in ANSWERS {
            let found = decode(text.as_bytes(), &[usize::MAX]).map(|answer| (answer.status, answer.reusable));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_connection_with_bytes_after_the_answer_is_not_used_again() {
        let answer = decode(b"HTTP/1.1 204 No Content\r\n\r\nHTTP", &[usize::MAX]).unwrap();
        assert!(!answer.reusable);
    }

    #[test]
    fn a_head_without_an_end_is_given_up() {
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(2 * LARGEST_HEAD));
        assert_eq!(decode(endless.as_bytes(), &[usize::MAX]), Err(MalformedAnswer::Endless.into()));
    }

    #[test]
    fn a_head_may_have_as_many_fields_as_fit_into_it() {
        for fields in [99, 100, 101, 8_000] {
            let text = format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "a:1\r\n".repeat(fields));
            assert_eq!(decode(text.as_bytes(), &[700]).map(|answer| answer.status), Ok(200), "{fields}");
        }
    }

    #[test]
    fn a_body_larger_than_the_buffer_passes_through_it() {
        let large = format!("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{}", "x".repeat(1_000_000));
        assert_eq!(
            decode(large.as_bytes(), &[usize::MAX]),
            Ok(Answer { status: 200, reusable: true, first_byte: None })
        );
    }

    proptest! {
        #[test]
        fn the_pieces_in_which_an_answer_arrives_change_nothing(
            which in 0..ANSWERS.len(),
            pieces in prop::collection::vec(1..20_usize, 1..10),
        ) {
            let bytes = ANSWERS[which].0.as_bytes();
            prop_assert_eq!(decode(bytes, &pieces), decode(bytes, &[usize::MAX]));
        }

        #[test]
        fn what_a_connection_answered_before_changes_nothing(
            order in prop::collection::vec(0..ANSWERS.len(), 1..6),
            piece in 1..60_usize,
        ) {
            let mut decoder = Decoder::default();
            for which in order {
                let bytes = ANSWERS[which].0.as_bytes();
                let alone = decode(bytes, &[piece]);
                prop_assert_eq!(decode_next(&mut decoder, bytes, &[piece]), alone);
                if alone.is_ok_and(|answer| answer.reusable) { continue }
                // Another connection, but the head is known.
                decoder = Decoder { known: decoder.known, ..Decoder::default() };
            }
        }

        #[test]
        fn no_bytes_make_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..500),
            begins_well in any::<bool>(),
        ) {
            let mut answer = if begins_well { b"HTTP/1.1 200 OK\r\n".to_vec() } else { Vec::new() };
            answer.extend(bytes);
            let _ = decode(&answer, &[7]);
        }
    }
}
