//! What decides when the next request is sent: a schedule, or the answer to the one before.

use std::fmt;
use std::time::Duration;

use crate::arrival::ArrivalProcess;
use crate::registry::Part;
use crate::units::{Rate, Span};

/// Open or closed loop.
#[derive(Clone, Debug)]
pub enum Pace {
    /// Requests are due by a schedule, whatever becomes of those before: many independent users.
    Open {
        /// Requests per second.
        rate: Rate,
        /// When they are due.
        arrivals: Part<dyn ArrivalProcess>,
    },
    /// Each connection is a user who waits for the answer, thinks, and sends again.
    Closed {
        /// How long a user thinks.
        think: Span,
    },
}

impl Pace {
    /// The rate of a schedule; a closed loop has the one that its answers allow.
    pub fn rate(&self) -> Option<Rate> {
        match self {
            Self::Open { rate, .. } => Some(*rate),
            Self::Closed { .. } => None,
        }
    }

    /// What decides when requests of an open loop are due.
    pub fn arrivals(&self) -> Option<&Part<dyn ArrivalProcess>> {
        match self {
            Self::Open { arrivals, .. } => Some(arrivals),
            Self::Closed { .. } => None,
        }
    }

    /// How long a user of a closed loop thinks.
    pub fn think(&self) -> Option<Duration> {
        match self {
            Self::Open { .. } => None,
            Self::Closed { think } => Some(think.duration()),
        }
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { arrivals, .. } => write!(f, "{arrivals}"),
            Self::Closed { think } => write!(f, "closed loop, think time {think}"),
        }
    }
}
