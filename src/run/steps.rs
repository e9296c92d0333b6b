//! What is measured one after the other for a trial of the plan: itself once, or the steps of a search that begins with it.

use std::collections::HashMap;

use crate::plan::{Judgement, Plan, Trial, Walk};
use crate::units::Rate;

/// The trials that a trial of the plan stands for.
pub(super) enum Steps<'a> {
    /// Itself, unless it was taken.
    Once(Option<&'a Trial>),
    /// It is the first step of a search.
    Search(&'a Trial, Box<Walk>),
}

impl<'a> Steps<'a> {
    /// Begins with `first`. `found` tells what earlier repetitions found, by the position of the subject.
    pub(super) fn of(plan: &Plan, first: &'a Trial, found: &HashMap<u32, Rate>) -> Self {
        match plan.search.as_ref().zip(first.workload.pace.rate()) {
            Some((search, rate)) => {
                let walk = search.walk(rate, found.get(&first.subject.position).copied());
                Self::Search(first, Box::new(walk))
            }
            None => Self::Once(Some(first)),
        }
    }

    /// What is to be measured next.
    pub(super) fn next(&self) -> Option<Trial> {
        match self {
            Self::Once(trial) => trial.cloned(),
            Self::Search(first, walk) => walk.step(first),
        }
    }

    /// It was measured; `judge` says what it showed.
    pub(super) fn took(&mut self, judge: impl FnOnce() -> Judgement) {
        match self {
            Self::Once(trial) => *trial = None,
            Self::Search(_, walk) => walk.judged(judge()),
        }
    }

    /// The highest rate that passed, if one was sought.
    pub(super) fn found(&self) -> Option<Rate> {
        match self {
            Self::Once(_) => None,
            Self::Search(_, walk) => walk.passed(),
        }
    }
}
