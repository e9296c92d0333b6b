//! The seam to whatever carries requests: HTTP/1.1, HTTP/2, and a stand-in whose answers are known beforehand.

use std::io;

use crate::load::malformed::MalformedAnswer;
use crate::units::Stamp;

/// Opens connections to the resource servers of a trial.
pub(super) trait Transport: 'static {
    /// The half that the scheduler writes to.
    type Sender: Sender;
    /// The half that a reader waits on.
    type Receiver: Receiver;

    /// Opens a place for one request at a time: a connection, or a stream of one that other places share.
    async fn connect(&self, place: ConnectionSlot) -> io::Result<Opened<Self::Sender, Self::Receiver>>;
}

/// A place for one request at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ConnectionSlot {
    /// The resource server, from 0.
    pub(super) server: usize,
    /// Its number among the places at that server, from 0.
    pub(super) number: usize,
}

/// An open place.
pub(super) struct Opened<S, R> {
    pub(super) sender: S,
    pub(super) receiver: R,
    /// Of a new connection; absent if it shares one that was open.
    pub(super) handshake: Option<Handshake>,
}

/// How a new connection began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Handshake {
    /// Whether it resumed a TLS session.
    pub(super) resumed: bool,
}

/// Sends requests over one place, one at a time.
pub(super) trait Sender: 'static {
    /// Hands over a request without waiting, so that no task switch stands between the due instant
    /// and the wire. What does not fit now is finished by the receiver, and it tells of failures.
    fn send(&mut self, outgoing: &Outgoing<'_>);
}

/// Waits for the answers of one place.
pub(super) trait Receiver: 'static {
    /// The complete answer to the request that was sent last; also ends when an idle connection breaks.
    async fn answer(&mut self) -> Result<Answer, Failure>;

    /// Whether its connection has given an answer, to whomever.
    fn has_answered(&self) -> bool;
}

/// What a request says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outgoing<'a> {
    /// The token.
    pub(super) token: &'a str,
    /// What proves that it is the sender's; without it, it is a bearer token.
    pub(super) proof: Option<&'a str>,
    /// The number of the probe, if it is one.
    pub(super) probe: Option<u64>,
}

/// What stands before a bearer token in its header, and before one with a proof.
pub(super) const SCHEMES: [&str; 2] = ["Bearer ", "DPoP "];

/// The header with what proves that a token is the sender's (RFC 9449 section 4.1).
pub(super) const PROOF_HEADER: &str = "dpop";

impl Outgoing<'_> {
    /// What stands before the token in its header (RFC 6750 section 2.1, RFC 9449 section 7.1).
    pub(super) fn scheme(&self) -> &'static str {
        SCHEMES[self.kind()]
    }

    /// Which of [`SCHEMES`] it has.
    pub(super) fn kind(&self) -> usize {
        usize::from(self.proof.is_some())
    }
}

/// A complete answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Whether the place can carry another request.
    pub reusable: bool,
    /// When its first byte was seen; absent if all of it came at once.
    pub first_byte: Option<Stamp>,
}

/// Why a request ended without a right or wrong answer; its text is a key in the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The server ended the connection before the answer was complete.
    #[error("connection closed")]
    Closed,
    /// The same on a connection that had answered before, without a byte of this answer: the request may have crossed on the
    /// wire a close of the idle connection (RFC 9112 section 9.3.1).
    #[error("connection closed")]
    Crossed,
    /// The server goes away, and says that it did not process this request (HTTP/2, RFC 9113 section 6.8).
    #[error("server went away")]
    WentAway,
    /// The server says of this request alone that it did not process it (HTTP/2, RFC 9113 section 8.7).
    #[error("stream refused")]
    Refused,
    /// The server gave up this request, not the connection (HTTP/2, RFC 9113 section 6.4).
    #[error("stream reset")]
    Reset,
    /// The system gave another reason.
    #[error("{0}")]
    System(io::ErrorKind),
    /// The bytes that came back are no answer of the protocol.
    #[error("not HTTP: {0}")]
    NotHttp(MalformedAnswer),
    /// An answer, but neither an acceptance nor a refusal.
    #[error("status {0}")]
    Status(u16),
    /// A refusal of a token that had expired before the answer came.
    #[error("{}", crate::observation::TOKEN_EXPIRED)]
    Expired,
    /// No answer within the limit.
    #[error("timed out")]
    TimedOut,
    /// It waited for a connection, and the server refused every one.
    #[error("cannot connect")]
    Unreachable,
    /// The trial ended before the answer came.
    #[error("not answered")]
    Unanswered,
    /// The trial ended before a connection was free.
    #[error("not sent")]
    Unsent,
}

impl Failure {
    /// What this is on a connection: the request may be sent again if the connection had answered before and nothing of this
    /// answer came.
    pub(super) fn on_connection(self, may_have_crossed: bool) -> Self {
        if self == Self::Closed && may_have_crossed { Self::Crossed } else { self }
    }
}

impl From<MalformedAnswer> for Failure {
    fn from(fault: MalformedAnswer) -> Self {
        Self::NotHttp(fault)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::from(error.kind())
    }
}

impl From<io::ErrorKind> for Failure {
    fn from(kind: io::ErrorKind) -> Self {
        match kind {
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::NotConnected => Self::Closed,
            kind => Self::System(kind),
        }
    }
}
