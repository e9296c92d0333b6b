//! The status line and the header fields of an HTTP/1.1 answer.

use std::mem::MaybeUninit;

use httparse::{Error, Header, ParserConfig, Response, Status};

use crate::load::malformed::MalformedAnswer;
use crate::load::transport::{Answer, Failure};

/// A head has rarely more header fields; where it has, there is room for as many as fit into it.
const USUAL_FIELDS: usize = 100;
/// A name of a character, a colon, and the end of the line.
const SHORTEST_FIELD: usize = 3;

/// Everything before the body.
#[derive(Clone, Copy)]
pub(super) struct Head {
    /// How long it is, its empty line included.
    pub(super) bytes: usize,
    pub(super) answer: Answer,
    pub(super) body: Body,
}

/// How the body ends (RFC 9112, section 6.3).
#[derive(Clone, Copy)]
pub(super) enum Body {
    /// None: the head was an interim answer, and the real one follows.
    AnotherHead,
    /// After so many bytes.
    Length(u64),
    Chunked,
    UntilClose,
}

impl Head {
    /// Reads a head. `None` if its end is not there yet.
    pub(super) fn parse(unread: &[u8]) -> Result<Option<Self>, Failure> {
        match read(unread, Self::of) {
            Ok(head) => head.transpose(),
            Err(error) => MalformedAnswer::of_head(unread, error).map_or(Ok(None), |fault| Err(fault.into())),
        }
    }

    fn of(response: &Response<'_, '_>, bytes: usize) -> Result<Self, Failure> {
        let status = response.code.filter(|status| *status >= 100).ok_or(MalformedAnswer::StatusLine)?;
        let framing = Framing::of(response.headers);
        let is_current = response.version == Some(1);
        let body = match (status, framing.chunked) {
            (101 | 204 | 304, _) => Body::Length(0),
            (100..200, _) => Body::AnotherHead,
            // A relay of that age passes on the field and not what it says (RFC 9112, section 6.1).
            (_, Some(_)) if !is_current => return Err(MalformedAnswer::Coding.into()),
            (_, Some(true)) => Body::Chunked,
            (_, Some(false)) => Body::UntilClose,
            (_, None) => framing.length?.map_or(Body::UntilClose, Body::Length),
        };
        let persistent = !framing.close && (is_current || framing.keep_alive);
        // After 101 the connection speaks another protocol.
        Ok(Self {
            bytes,
            answer: Answer { status, reusable: persistent && status != 101, first_byte: None },
            body,
        })
    }
}

/// Reads a status line and header fields, and hands them on with their length. `None` if their end is not there yet.
fn read<T>(unread: &[u8], then: fn(&Response<'_, '_>, usize) -> T) -> Result<Option<T>, Error> {
    let mut usual = [const { MaybeUninit::uninit() }; USUAL_FIELDS];
    match read_into(unread, &mut usual, then) {
        Err(Error::TooManyHeaders) => {
            let mut room = vec![MaybeUninit::uninit(); unread.len() / SHORTEST_FIELD];
            read_into(unread, &mut room, then)
        }
        other => other,
    }
}

fn read_into<'a, T>(
    unread: &'a [u8],
    fields: &mut [MaybeUninit<Header<'a>>],
    then: fn(&Response<'_, '_>, usize) -> T,
) -> Result<Option<T>, Error> {
    let mut response = Response::new(&mut []);
    let mut config = ParserConfig::default();
    // A line that begins with a space continues the one before it (RFC 9112 section 5.2).
    config.allow_obsolete_multiline_headers_in_responses(true);
    let read = config.parse_response_with_uninit_headers(&mut response, unread, fields)?;
    let Status::Complete(bytes) = read else { return Ok(None) };
    Ok(Some(then(&response, bytes)))
}

/// Whether these are trailer fields up to the empty line that ends them: fields as in a head (RFC 9112 section 7.1.2).
pub(super) fn are_trailers(bytes: &[u8]) -> bool {
    let head = [b"HTTP/1.1 200\r\n", bytes].concat();
    matches!(read(&head, |_, _| ()), Ok(Some(())))
}

/// What the header fields say about the end of the body and of the connection.
struct Framing {
    /// Read only where nothing else tells the end of the body.
    length: Result<Option<u64>, Failure>,
    /// Whether the last of the transfer codings is chunked; absent if there are none.
    chunked: Option<bool>,
    close: bool,
    keep_alive: bool,
}

impl Framing {
    fn of(headers: &[Header<'_>]) -> Self {
        let mut framing = Self { length: Ok(None), chunked: None, close: false, keep_alive: false };
        for Header { name, value } in headers {
            let mut members = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            if name.eq_ignore_ascii_case("content-length") {
                framing.length = framing.length.and_then(|before| members.try_fold(before, same));
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                let last = members.next_back().unwrap_or_default();
                framing.chunked = Some(value.is_ascii() && last.eq_ignore_ascii_case(b"chunked"));
            } else if name.eq_ignore_ascii_case("connection") {
                for option in members {
                    framing.close |= option.eq_ignore_ascii_case(b"close");
                    framing.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
        }
        framing
    }
}

/// A length, after others that have to be the same.
fn same(before: Option<u64>, member: &[u8]) -> Result<Option<u64>, Failure> {
    let digits =
        std::str::from_utf8(member).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let length = digits.and_then(|digits| digits.parse().ok()).ok_or(MalformedAnswer::Length)?;
    if before.is_some_and(|before| before != length) {
        Err(MalformedAnswer::Length.into())
    } else {
        Ok(Some(length))
    }
}

/// The last head of a server: it repeats that byte for byte on every connection, but for a date each second, and comparing it
/// costs a tenth of reading it again.
#[derive(Default)]
pub(super) struct KnownHead {
    bytes: Vec<u8>,
    head: Option<Head>,
}

impl KnownHead {
    /// The answer if these bytes are the known head and a body of the length that it tells, and nothing else.
    pub(super) fn whole(&self, unread: &[u8]) -> Option<Answer> {
        let Head { bytes, answer, body: Body::Length(length) } = self.head? else { return None };
        let is_whole = unread.len().checked_sub(bytes).is_some_and(|body| body as u64 == length);
        (is_whole && unread.starts_with(&self.bytes)).then_some(answer)
    }

    /// The same as [`Head::parse`].
    pub(super) fn parse(&mut self, unread: &[u8]) -> Result<Option<Head>, Failure> {
        if self.head.is_some() && unread.starts_with(&self.bytes) {
            return Ok(self.head);
        }
        let head = Head::parse(unread)?;
        // A part of a head on one connection says nothing about the next.
        if let Some(head) = &head {
            self.bytes.clear();
            self.bytes.extend_from_slice(&unread[..head.bytes]);
            self.head = Some(*head);
        }
        Ok(head)
    }
}
