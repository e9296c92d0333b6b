//! What is known of a signature scheme before anything is measured.

use std::fmt;

/// What an architect weighs beside the times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Who stands behind it.
    pub status: Status,
    /// The library that does the work.
    pub library: &'static str,
    /// Whether it withstands a quantum computer, as far as is known.
    pub post_quantum: bool,
    /// The public key in bytes, in the form its standard gives it; 0 where there is none.
    pub public_key_bytes: u32,
    /// The signature in bytes, in the form that JWS asks for; the longest where it is DER, which is up to eight shorter.
    pub signature_bytes: u32,
    /// How the library answers the vectors of its peers.
    pub conformance: Conformance,
}

/// Who stands behind a scheme today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// A published standard names it for JOSE.
    Standard(&'static str),
    /// A draft names it; both may change.
    Draft(&'static str),
    /// A standard took its place: kept since it is in use.
    Superseded(&'static str),
    /// A control of the bench, never for use.
    Control,
}

/// How an implementation answers the published vectors of its peers. A test repeats them and holds this to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conformance {
    /// Every vector is decided rightly.
    Conforming {
        /// Which ones.
        vectors: &'static str,
    },
    /// Some are not: never a limit, never a winner.
    NonConforming {
        /// Which ones, and what is wrong.
        vectors: &'static str,
        /// Invalid signatures that it accepts.
        false_accepts: u32,
        /// Valid signatures that it refuses.
        false_refusals: u32,
    },
    /// No vectors exist for this form of it, but its source shows an error: never a limit, never a winner.
    Faulty {
        /// What is wrong, and who says so.
        fault: &'static str,
    },
    /// Nobody publishes vectors for this form of it.
    Unverified {
        /// Why there are none.
        reason: &'static str,
    },
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard(source) => write!(f, "standard ({source})"),
            Self::Draft(source) => write!(f, "draft ({source})"),
            Self::Superseded(source) => write!(f, "superseded ({source})"),
            Self::Control => f.write_str("control"),
        }
    }
}

impl Conformance {
    /// Whether every published vector is known to be decided rightly: false too where there are none.
    pub fn conforms(&self) -> bool {
        matches!(self, Self::Conforming { .. })
    }

    /// Whether nothing wrong is known of it: only then it may count as a limit or a winner.
    pub fn is_trusted(&self) -> bool {
        !matches!(self, Self::NonConforming { .. } | Self::Faulty { .. })
    }
}

impl fmt::Display for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conforming { vectors } => write!(f, "conforming ({vectors})"),
            Self::NonConforming { vectors, false_accepts, false_refusals } => write!(
                f,
                "NOT conforming ({vectors}: {false_accepts} forgeries accepted, {false_refusals} valid refused)"
            ),
            Self::Faulty { fault } => write!(f, "NOT conforming ({fault})"),
            Self::Unverified { reason } => write!(f, "no peer vectors ({reason})"),
        }
    }
}
