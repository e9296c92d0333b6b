//! What speaks HTTP for the generator.

use crate::wire::Http;

/// An implementation of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The generator's own HTTP/1.1: the request is assembled in one buffer and written at the due instant.
    Own,
    /// The library hyper: the only one for HTTP/2, and for HTTP/1.1 the peer that shows the own one to be right.
    Hyper {
        /// The version of HTTP.
        http: Http,
    },
}

impl Engine {
    /// The engine for a version of HTTP where nobody asks for another.
    pub const fn of(http: Http) -> Self {
        match http {
            Http::Http1 => Self::Own,
            Http::Http2 => Self::Hyper { http },
        }
    }

    /// Its name in recordings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Hyper { .. } => "hyper",
        }
    }
}
