//! What speaks HTTP for the generator.

use crate::wire::Http;

/// An implementation of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The generator's own HTTP/1.1: the request is assembled in one buffer and written at the due instant.
    Http1,
    /// HTTP/2 by the library h2.
    Http2,
    /// HTTP/1.1 by the library hyper: the peer that shows the own one to be right.
    Hyper,
}

impl Engine {
    /// The engine for a version of HTTP where nobody asks for another.
    pub const fn of(http: Http) -> Self {
        match http {
            Http::Http1 => Self::Http1,
            Http::Http2 => Self::Http2,
        }
    }

    /// Its name in recordings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http1 => "own",
            Self::Http2 => "h2",
            Self::Hyper => "hyper",
        }
    }
}
