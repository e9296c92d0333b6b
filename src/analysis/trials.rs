//! The trials of one subject, in the order in which they were made.

use std::borrow::Cow;

use crate::analysis::ladder::{Ladder, LoadStep, StepOutcome, same_rate};
use crate::design::Checks;
use crate::metric::thousands;
use crate::observation::{Load, Recording, Second, Subject, Workload};

/// Every repetition of a subject; of one that was measured at several rates, every one at one of them.
pub(super) struct Trials<'a> {
    pub(super) subject: Subject,
    /// The rate, if others were tried too.
    pub(super) rate: Option<f64>,
    pub(super) recordings: Vec<&'a Recording>,
    /// What its signature was timed in, which does not depend on the rate.
    pub(super) timed: Vec<&'a Recording>,
}

impl<'a> Trials<'a> {
    /// Groups recordings by subject, in the order in which the scenario names them.
    pub(super) fn group(recordings: &[&'a Recording]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for recording in recordings.iter().copied() {
            match groups.iter_mut().find(|group| group.subject.name == recording.subject.name) {
                Some(group) => group.recordings.push(recording),
                None => groups.push(Self::at(recording.subject.clone(), None, vec![recording])),
            }
        }
        for group in &mut groups {
            group.timed.clone_from(&group.recordings);
        }
        groups.sort_by_key(|group| group.subject.position);
        groups
    }

    fn at(subject: Subject, rate: Option<f64>, recordings: Vec<&'a Recording>) -> Self {
        Self { subject, rate, timed: recordings.clone(), recordings }
    }

    /// Trials at different rates apart: those of a sweep each under a name of its own, lowest rate first; of a search those
    /// at the highest rate that passed.
    pub(super) fn apart(self, ladder: Option<&Ladder>) -> Vec<Self> {
        let Some(ladder) = ladder else { return vec![self] };
        let steps = || self.recordings.iter().zip(&ladder.steps);
        if ladder.is_search {
            let Some(rate) = ladder.representative() else { return vec![self] };
            let passed = |step: &LoadStep| step.outcome == StepOutcome::Passed;
            let any = steps().any(|(_, step)| passed(step));
            let chosen = steps().filter(|(_, step)| same_rate(step.rate, rate) && (passed(step) || !any));
            let chosen = chosen.map(|(recording, _)| *recording).collect();
            return vec![Self { rate: Some(rate), recordings: chosen, ..self }];
        }
        let mut rates: Vec<f64> = ladder.steps.iter().map(|step| step.rate).collect();
        rates.sort_unstable_by(f64::total_cmp);
        rates.dedup();
        let each = |rate: f64| {
            let same =
                steps().filter(|(_, step)| same_rate(step.rate, rate)).map(|(recording, _)| *recording);
            let name = format!("{} at {}/s", self.subject.name, thousands(&rate.to_string()));
            Self::at(Subject { name, ..self.subject.clone() }, Some(rate), same.collect())
        };
        rates.into_iter().map(each).collect()
    }

    /// The same trials as others have made of them.
    pub(super) fn as_made<'b>(&self, made: &'b [Cow<'_, Recording>]) -> Trials<'b>
    where
        'a: 'b,
    {
        Trials {
            subject: self.subject.clone(),
            rate: self.rate,
            recordings: made.iter().map(AsRef::as_ref).collect(),
            timed: self.timed.clone(),
        }
    }

    /// Some of them.
    pub(super) fn only(&self, recordings: Vec<&'a Recording>) -> Self {
        Self::at(self.subject.clone(), self.rate, recordings)
    }

    /// The loads that were measured; a trial that failed before its load has none.
    pub(super) fn loads(&self) -> impl Iterator<Item = &'a Load> {
        self.recordings.iter().filter_map(|recording| recording.load.as_ref())
    }

    /// Every measured second of every trial.
    pub(super) fn seconds(&self) -> Vec<&'a Second> {
        self.loads().flat_map(|load| &load.seconds).collect()
    }

    /// The round of each trial, and how many seconds it was measured.
    pub(super) fn rounds(&self) -> Vec<(u32, usize)> {
        let length =
            |recording: &&Recording| Some((recording.repetition, recording.load.as_ref()?.seconds.len()));
        self.recordings.iter().filter_map(length).collect()
    }

    /// What was sent in the first of them; the others differ in the rate at most.
    pub(super) fn workload(&self) -> &'a Workload {
        let first = self.recordings.first().or(self.timed.first());
        &first.expect("a subject has a trial").workload
    }

    /// True for a subject that accepts bad tokens by design.
    pub(super) fn is_control(&self) -> bool {
        self.subject.is_control()
    }

    /// What the group at `index` is held against, of those at the same rate: one that checks nothing, or else one whose
    /// tokens nobody signed.
    pub(super) fn base(groups: &[Self], index: usize) -> Option<usize> {
        let same = |group: &Self| group.rate == groups[index].rate;
        let unchecked = |group: &Self| same(group) && group.subject.design.checks == Checks::Nothing;
        let control = |group: &Self| same(group) && group.is_control();
        groups.iter().position(unchecked).or_else(|| groups.iter().position(control))
    }

    /// The seed of resampling: that of the first trial.
    pub(super) fn seed(&self) -> u64 {
        self.recordings.first().map_or(0, |recording| recording.seed)
    }
}
