//! The generator against servers of known truth, and what this machine lets it do.

mod bench;
mod canned2;
mod cases;
mod ceiling;
mod figures;
mod known;
mod law;
mod machine;
mod noise;
mod process;
mod queueing;
mod report;
mod server;
mod waking;

use std::time::Duration;

pub use bench::{Bench, SelftestError, Sending, Tried};
pub use cases::{QUESTIONS, Question};
pub use ceiling::{Ceiling, PUNCTUAL};
pub use figures::outcomes;
pub use known::KnownTimes;
pub use law::Law;
pub use machine::Held;
pub use noise::Noise;
pub use process::LoadProcess;
pub use report::{Case, Finding, TestVerdict};
pub use server::{Behaviour, Served, Server, Witness};
pub use waking::Waking;

/// How long a selftest may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// As long as the bounds need.
    Full,
    /// A third of it: of fewer requests, so that bounds are wider where chance moves a quantile of a few.
    Quick,
}

impl Effort {
    fn of(self, full: Duration) -> Duration {
        match self {
            Self::Full => full,
            Self::Quick => full * 3 / 10,
        }
    }

    /// How often a run is repeated when the machine was unfit for it.
    fn tries(self) -> u32 {
        match self {
            Self::Full => 4,
            Self::Quick => 1,
        }
    }
}
