//! What a server of known truth does with a request.

use std::time::Duration;

use crate::selftest::law::Law;

/// What a server does with every request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Behaviour {
    /// It accepts it at once.
    Canned,
    /// It accepts it after a time that is drawn, however many others it serves meanwhile.
    Service {
        /// The law of the times.
        law: Law,
        /// Decides every draw.
        seed: u64,
    },
    /// The same, but it sleeps in between: then others can see whether its core is taken.
    Asleep {
        /// The law of the times.
        law: Law,
        /// Decides every draw.
        seed: u64,
    },
    /// It has a single worker, who takes one request after the other in the order in which they came.
    Worker {
        /// The law of the times it works on one.
        law: Law,
        /// Decides every draw.
        seed: u64,
    },
    /// It accepts it after a time, but while it stands still it answers nobody.
    Stall {
        /// How long a request takes otherwise.
        service: Duration,
        /// When it begins to stand still, counted from the first request.
        after: Duration,
        /// For how long.
        lasts: Duration,
    },
    /// It refuses the token `bad`.
    Judge,
    /// It accepts it and closes, and its answer says so.
    CloseAfterEachAnswer,
    /// It accepts it and closes without a word.
    CloseUnannounced,
    /// It closes.
    CloseWithoutAnswer,
    /// It answers what is not HTTP.
    Garbage,
    /// It does nothing.
    Silence,
    /// It accepts so many requests, then it is gone.
    DieAfter(u64),
    /// It answers 503.
    Unavailable,
    /// Another HTTP server: it knows no such resource.
    NotFound,
    /// Not an HTTP server: it greets as SSH does and closes on what it does not understand.
    Ssh,
}

/// What is done with one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reaction {
    /// These bytes, and what becomes of the connection.
    Answer(&'static str, Then),
    /// The connection is left as it is.
    Nothing,
    /// The whole server ends.
    Die,
}

/// What becomes of a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Then {
    Keep,
    Close,
}

pub(super) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

impl Behaviour {
    /// What is said to everyone who connects.
    pub(super) fn greeting(&self) -> &'static str {
        match self {
            Self::Ssh => "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
            _ => "",
        }
    }

    /// What is done with a request, the `number`th from 0.
    pub(super) fn reaction(&self, request: &[u8], number: u64) -> Reaction {
        use Then::{Close, Keep};
        match self {
            Self::Judge if contains(request, b"Bearer bad\r\n") => Reaction::Answer(
                "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n",
                Keep,
            ),
            Self::CloseAfterEachAnswer => {
                Reaction::Answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", Close)
            }
            Self::CloseUnannounced => Reaction::Answer(OK, Close),
            Self::CloseWithoutAnswer => Reaction::Answer("", Close),
            Self::Garbage => Reaction::Answer("220 mail.example ESMTP\r\n", Keep),
            Self::Silence => Reaction::Nothing,
            Self::DieAfter(requests) if number >= *requests => Reaction::Die,
            Self::Unavailable => {
                Reaction::Answer("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", Keep)
            }
            Self::NotFound => {
                Reaction::Answer("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found", Keep)
            }
            Self::Ssh => Reaction::Answer("Invalid SSH identification string.\r\n", Close),
            Self::Canned
            | Self::Service { .. }
            | Self::Asleep { .. }
            | Self::Worker { .. }
            | Self::Stall { .. }
            | Self::Judge
            | Self::DieAfter(_) => Reaction::Answer(OK, Keep),
        }
    }
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|part| part == wanted)
}
