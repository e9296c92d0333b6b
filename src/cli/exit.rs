//! Exit codes, and how an error is told.

use std::process::ExitCode;

use crate::cli::output;
use crate::cli::token::Unusable;
use crate::observation::ReadError;
use crate::run::{OutputError, Unfit};
use crate::scenario::InvalidScenario;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Fine.
    Success,
    /// Something failed.
    Failed,
    /// The command line is wrong, or a file that it names: a scenario, a recording, a key.
    Usage,
    /// The machine cannot do what was asked, or the run measured its load generator rather than the servers.
    Unfit,
    /// A threshold was crossed.
    ThresholdCrossed,
    /// Somebody wanted it to stop.
    Interrupted,
}

/// Something on the command line that cannot be meant so, in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct BadArgument(pub(super) String);

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Success => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Unfit => 12,
            Exit::ThresholdCrossed => 99,
            Exit::Interrupted => 130,
        })
    }
}

/// Tells the error with all its causes, and says which exit code fits it.
pub(super) fn explain(error: &anyhow::Error) -> Exit {
    output::tell(&format!("bearerbench: {error:#}"));
    let cannot_be_made = error.downcast_ref::<OutputError>().is_some_and(OutputError::is_of_the_folder);
    let is_bad = error.is::<InvalidScenario>()
        || error.is::<ReadError>()
        || error.is::<Unusable>()
        || error.is::<BadArgument>();
    if is_bad || cannot_be_made {
        Exit::Usage
    } else if error.is::<Unfit>() {
        Exit::Unfit
    } else {
        Exit::Failed
    }
}
