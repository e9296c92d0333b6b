//! The trials of one subject, in the order in which they were made.

use crate::observation::{Load, Recording, Second, Staleness, Subject};

/// Every repetition of a subject.
pub(super) struct Trials<'a> {
    pub(super) subject: &'a Subject,
    pub(super) recordings: Vec<&'a Recording>,
}

impl<'a> Trials<'a> {
    /// Groups recordings by subject, in the order in which the scenario names them.
    pub(super) fn group(recordings: &'a [Recording]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for recording in recordings {
            match groups.iter_mut().find(|group| group.subject.name == recording.subject.name) {
                Some(group) => group.recordings.push(recording),
                None => groups.push(Self { subject: &recording.subject, recordings: vec![recording] }),
            }
        }
        groups.sort_by_key(|group| group.subject.position);
        groups
    }

    /// The loads that were measured; a trial that failed before its load has none.
    pub(super) fn loads(&self) -> impl Iterator<Item = &'a Load> {
        self.recordings.iter().filter_map(|recording| recording.load.as_ref())
    }

    /// Every measured second of every trial.
    pub(super) fn seconds(&self) -> Vec<&'a Second> {
        self.loads().flat_map(|load| &load.seconds).collect()
    }

    /// How many seconds each trial was measured.
    pub(super) fn lengths(&self) -> Vec<usize> {
        self.loads().map(|load| load.seconds.len()).collect()
    }

    /// True for a subject that accepts bad tokens by design.
    pub(super) fn is_control(&self) -> bool {
        self.subject.is_control()
    }

    /// Which of `groups` the others are held against: one that checks nothing, or else one whose tokens nobody signed.
    pub(super) fn base(groups: &[Self]) -> Option<usize> {
        let unchecked = |group: &Self| group.subject.staleness == Staleness::Unchecked;
        groups.iter().position(unchecked).or_else(|| groups.iter().position(Self::is_control))
    }

    /// The seed of resampling: that of the first trial.
    pub(super) fn seed(&self) -> u64 {
        self.recordings.first().map_or(0, |recording| recording.seed)
    }
}
