//! The status line and the header fields of an HTTP/1.1 answer.

use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig, Response, Status};

use crate::load::transport::{Answer, Failure};

/// More header fields than any server in use sends.
const MOST_HEADERS: usize = 64;

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
        let status = response.code.ok_or(Failure::NotHttp)?;
        let framing = Framing::of(response.headers)?;
        let body = match framing {
            _ if matches!(status, 101 | 204 | 304) => Body::Length(0),
            _ if (100..200).contains(&status) => Body::AnotherHead,
            Framing { chunked: true, .. } => Body::Chunked,
            Framing { length: Some(length), .. } => Body::Length(length),
            _ => Body::UntilClose,
        };
        let persistent = if response.version == Some(1) { !framing.close } else { framing.keep_alive };
        // After 101 the connection speaks another protocol.
        Ok(Some(Self {
            bytes,
            answer: Answer { status, reusable: persistent && status != 101, first_byte: None },
            body,
        }))
    }
}

/// What the header fields say about the end of the body and of the connection.
#[derive(Clone, Copy, Default)]
struct Framing {
    length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
}

impl Framing {
    fn of(headers: &[Header<'_>]) -> Result<Self, Failure> {
        let mut framing = Self::default();
        for header in headers {
            let value = header.value.trim_ascii();
            if header.name.eq_ignore_ascii_case("content-length") {
                let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                let length = length.ok_or(Failure::NotHttp)?;
                if framing.length.is_some_and(|before| before != length) {
                    return Err(Failure::NotHttp);
                }
                framing.length = Some(length);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                let last = value.rsplit(|byte| *byte == b',').next().unwrap_or_default();
                framing.chunked = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
            } else if header.name.eq_ignore_ascii_case("connection") {
                for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                    framing.close |= option.eq_ignore_ascii_case(b"close");
                    framing.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
        }
        Ok(framing)
    }
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
