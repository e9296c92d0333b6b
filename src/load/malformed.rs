//! What is wrong with bytes that should be an answer: what was found, and where.

use h2::Reason;
use httparse::Error;

/// Why bytes are no answer. Its text is part of a key in the recording, so it says where, but repeats no byte of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedAnswer {
    /// The head does not begin with a version and a status (RFC 9112 section 4).
    #[error("it does not begin with HTTP/1.1 or HTTP/1.0 and a status")]
    StatusLine,
    /// A header line by its number, from 1 for the status line (RFC 9112 section 5).
    #[error("line {0} of its head has no colon")]
    NoColon(u32),
    /// A header line whose name is none.
    #[error("in line {0} of its head a character stands before the colon that no header name has")]
    Name(u32),
    /// A header line whose value is none.
    #[error("in line {0} of its head a control character stands behind the colon")]
    Value(u32),
    /// A header line that continues nothing (RFC 9112 section 2.2).
    #[error("line {0} of its head begins with a space, but no header field stands before it")]
    Fold(u32),
    /// Something that must end does not.
    #[error("its head, the line before a chunk, or its trailer fields are larger than 64 KiB")]
    Endless,
    /// Where the body ends is told wrongly (RFC 9112 section 6.3).
    #[error("its Content-Length is no number, or there are two that differ")]
    Length,
    /// A coding that the version does not have (RFC 9112 section 6.1).
    #[error("it is of HTTP/1.0 and has a Transfer-Encoding")]
    Coding,
    /// The line before a chunk, or the end of one (RFC 9112 section 7.1).
    #[error("a chunk of its body does not begin with its size, or does not end with it")]
    Chunk,
    /// A trailer field (RFC 9112 section 7.1.2).
    #[error("a trailer field behind its body is none")]
    Trailer,
    /// What the library hyper finds at fault, which does not say where; it takes up to 1,000 header fields.
    #[error("hyper cannot read it")]
    Hyper,
    /// What the library h2 finds at fault (RFC 9113 section 7).
    #[error("HTTP/2: {0}")]
    Http2(Reason),
}

impl MalformedAnswer {
    /// Looks again at a head that cannot be read, for the line that is to blame. `None` if that line is not complete yet.
    pub(super) fn of_head(head: &[u8], error: Error) -> Option<Self> {
        match error {
            Error::HeaderName | Error::HeaderValue | Error::NewLine => {}
            Error::TooManyHeaders => return Some(Self::Endless),
            Error::Status | Error::Token | Error::Version => return Some(Self::StatusLine),
        }
        let head = behind_empty_lines(head);
        if head.starts_with(b"\r") {
            // It ends no line, so that no later one is to blame.
            return Some(Self::StatusLine);
        }
        let lines = head.split_inclusive(|byte| *byte == b'\n').zip(1..).skip(1);
        for (line, number) in lines {
            let text = line.strip_suffix(b"\n")?;
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if text.is_empty() {
                break;
            }
            if let Some(fault) = of_line(text, number) {
                return Some(fault);
            }
        }
        Some(Self::StatusLine)
    }
}

/// What stands behind the empty lines that may come before a status line (RFC 9112 section 2.2).
fn behind_empty_lines(mut head: &[u8]) -> &[u8] {
    while let Some(rest) = head.strip_prefix(b"\r\n").or_else(|| head.strip_prefix(b"\n")) {
        head = rest;
    }
    head
}

/// What is wrong with a header line without its end.
fn of_line(line: &[u8], number: u32) -> Option<MalformedAnswer> {
    let is_control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    let has_control = |value: &[u8]| value.iter().any(is_control).then_some(MalformedAnswer::Value(number));
    if line.starts_with(b" ") || line.starts_with(b"\t") {
        // The second line is the first that can hold a field.
        return if number == 2 { Some(MalformedAnswer::Fold(number)) } else { has_control(line) };
    }
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return Some(MalformedAnswer::NoColon(number));
    };
    let (name, value) = line.split_at(colon);
    if name.is_empty() || !name.iter().all(|byte| is_of_name(*byte)) {
        return Some(MalformedAnswer::Name(number));
    }
    has_control(value)
}

/// A character of a token (RFC 9110 section 5.6.2).
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
