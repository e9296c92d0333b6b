//! The status line and the header fields of an HTTP/1.1 answer.

use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig, Response, Status};

use crate::load::transport::{Answer, Failure};

/// More header fields than any server in use sends.
pub(super) const MOST_HEADERS: usize = 100;

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
        let mut headers = [const { MaybeUninit::uninit() }; MOST_HEADERS];
        let mut response = Response::new(&mut []);
        let parsed =
            ParserConfig::default().parse_response_with_uninit_headers(&mut response, unread, &mut headers);
        let Status::Complete(bytes) = parsed.map_err(|_| Failure::NotHttp)? else {
            return Ok(None);
        };
        let status = response.code.filter(|status| *status >= 100).ok_or(Failure::NotHttp)?;
        let framing = Framing::of(response.headers);
        let is_current = response.version == Some(1);
        let body = match (status, framing.chunked) {
            (101 | 204 | 304, _) => Body::Length(0),
            (100..200, _) => Body::AnotherHead,
            // A relay of that age passes on the field and not what it says (RFC 9112, section 6.1).
            (_, Some(_)) if !is_current => return Err(Failure::NotHttp),
            (_, Some(true)) => Body::Chunked,
            (_, Some(false)) => Body::UntilClose,
            (_, None) => framing.length?.map_or(Body::UntilClose, Body::Length),
        };
        let persistent = !framing.close && (is_current || framing.keep_alive);
        // After 101 the connection speaks another protocol.
        Ok(Some(Self {
            bytes,
            answer: Answer { status, reusable: persistent && status != 101, first_byte: None },
            body,
        }))
    }
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
    let length = digits.and_then(|digits| digits.parse().ok()).ok_or(Failure::NotHttp)?;
    if before.is_some_and(|before| before != length) { Err(Failure::NotHttp) } else { Ok(Some(length)) }
}

/// The last head of a connection: a server repeats it byte for byte, but for a date each second, and comparing it costs
/// a tenth of reading it again.
#[derive(Default)]
pub(super) struct Known {
    bytes: Vec<u8>,
    head: Option<Head>,
}

impl Known {
    /// The same as [`Head::parse`].
    pub(super) fn parse(&mut self, unread: &[u8]) -> Result<Option<Head>, Failure> {
        if self.head.is_some() && unread.starts_with(&self.bytes) {
            return Ok(self.head);
        }
        self.head = Head::parse(unread)?;
        if let Some(head) = &self.head {
            self.bytes.clear();
            self.bytes.extend_from_slice(&unread[..head.bytes]);
        }
        Ok(self.head)
    }
}
