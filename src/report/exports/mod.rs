//! Files for other tools: the histograms of every subject in the formats of `HdrHistogram`.

mod interval_log;
mod names;
mod percentiles;

use crate::observation::{Distribution, Recording};

/// A file of a subject.
#[derive(Debug)]
pub(super) struct Export {
    /// Its name in the folder of the run.
    pub(super) name: String,
    pub(super) text: String,
}

/// An interval log and a percentile distribution of every subject of which anything was measured.
pub(super) fn exports(recordings: &[Recording]) -> Vec<Export> {
    let mut subjects: Vec<(&str, Vec<&Recording>)> = Vec::new();
    for recording in recordings.iter().filter(|recording| recording.load.is_some()) {
        let name = recording.subject.name.as_str();
        match subjects.iter_mut().find(|(known, _)| *known == name) {
            Some((_, trials)) => trials.push(recording),
            None => subjects.push((name, vec![recording])),
        }
    }
    let files = names::files(subjects.iter().map(|(name, _)| *name));
    let each = subjects.iter().zip(files).flat_map(|((_, trials), file)| {
        let log = Export { name: format!("{file}.hlog"), text: interval_log::text(trials) };
        let distribution = Export { name: format!("{file}.hgrm"), text: percentiles::text(&latency(trials)) };
        [log, distribution]
    });
    each.collect()
}

fn latency(trials: &[&Recording]) -> Distribution {
    let mut latency = Distribution::default();
    for second in trials.iter().filter_map(|trial| trial.load.as_ref()).flat_map(|load| &load.seconds) {
        latency.add(&second.latency.open());
    }
    latency
}
