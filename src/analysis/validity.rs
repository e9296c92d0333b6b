//! Whether figures may be believed, and who is to blame if not.

use serde::Serialize;

use crate::analysis::{Analysis, Gravity, Summary, Warning};

/// What a run says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// Nothing was found that speaks against the figures.
    Valid,
    /// They may be off.
    Suspect,
    /// They mean nothing.
    Invalid,
}

impl Validity {
    /// What the heaviest of the warnings leaves of the figures.
    pub fn of<'a>(warnings: impl IntoIterator<Item = &'a Warning>) -> Self {
        match warnings.into_iter().map(Warning::gravity).max() {
            Some(Gravity::Unfit) => Self::Invalid,
            Some(Gravity::Doubtful) => Self::Suspect,
            Some(Gravity::Note) | None => Self::Valid,
        }
    }
}

/// Whose doing it is that a figure must be doubted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The load generator: another one would have seen other figures of the same servers.
    Generator,
    /// The servers, or the connections they were given: they did not keep up with the plan.
    Servers,
    /// The machine: somebody else used it too.
    Machine,
    /// The subject: it did not do what it claims to do.
    Subject,
    /// What was asked for: the scenario, the build, an interrupt.
    Setup,
}

impl Blame {
    /// True if it lies with the bench rather than with what it measures, so that the figures tell nothing of the latter.
    pub fn is_of_the_bench(self) -> bool {
        matches!(self, Self::Generator | Self::Machine)
    }
}

impl Analysis {
    /// Whether the run as a whole may be believed.
    pub fn validity(&self) -> Validity {
        let subjects = self.subjects.iter().flat_map(|summary| &summary.warnings);
        Validity::of(self.warnings.iter().chain(subjects))
    }

    /// The first reason for which the bench measured itself or its machine, and the subject that suffered from it.
    pub fn unusable(&self) -> Option<(&Summary, &Warning)> {
        self.subjects.iter().find_map(|summary| Some((summary, summary.unusable()?)))
    }
}

impl Summary {
    /// Whether its figures may be believed.
    pub fn validity(&self) -> Validity {
        Validity::of(&self.warnings)
    }

    /// The first reason for which its figures are those of the bench or its machine.
    pub fn unusable(&self) -> Option<&Warning> {
        let is_fatal =
            |warning: &&Warning| warning.gravity() == Gravity::Unfit && warning.blame().is_of_the_bench();
        self.warnings.iter().find(is_fatal)
    }
}
