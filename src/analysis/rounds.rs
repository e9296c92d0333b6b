//! Rounds that were disturbed all through: decided by what the machine did, never by what was measured or of whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::observation::{Load, Recording};

/// With less of its requests left alone a trial is what the gaps were, and its estimate a guess.
const LEFT_ALONE: f64 = 0.2;

/// Whether something else had the machine during any of the trials of a round so much that the round is worth repeating.
pub fn is_disturbed_through(round: &[&Recording]) -> bool {
    // Steps of a search or a sweep have rules of their own.
    let measured = round.iter().filter(|recording| recording.step.is_none() && recording.failure.is_none());
    measured.filter_map(|recording| recording.load.as_ref()).any(is_disturbed)
}

fn is_disturbed(load: &Load) -> bool {
    let answered: u64 = load.seconds.iter().map(|second| second.latency.count()).sum();
    let disturbed = load.seconds.iter().filter_map(|second| second.disturbed.as_ref());
    let uncounted: u64 = disturbed.map(|disturbed| disturbed.uncounted).sum();
    answered > 0 && (answered - uncounted.min(answered)) as f64 / (answered as f64) < LEFT_ALONE
}

/// The recordings without the rounds that were repeated, and how many those are: a round that was disturbed all through
/// counts only if no other stands in for it.
pub(super) fn without_repeated(recordings: &[Recording]) -> (Vec<&Recording>, usize) {
    let mut rounds: BTreeMap<u32, Vec<&Recording>> = BTreeMap::new();
    for recording in recordings {
        rounds.entry(recording.repetition).or_default().push(recording);
    }
    let mut by_seed: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
    for (number, round) in &rounds {
        by_seed.entry(round[0].seed).or_default().push(*number);
    }
    let mut repeated = BTreeSet::new();
    for same in by_seed.values() {
        let mut disturbed: Vec<u32> =
            same.iter().copied().filter(|number| is_disturbed_through(&rounds[number])).collect();
        if disturbed.len() == same.len() {
            disturbed.pop();
        }
        repeated.extend(disturbed);
    }
    let kept = recordings.iter().filter(|recording| !repeated.contains(&recording.repetition));
    (kept.collect(), repeated.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};
    use crate::observation::Disturbed;

    fn round(repetition: u32, seed: u64, disturbed: bool) -> Vec<Recording> {
        let mut round = [0, 1].map(synthetic::recording).to_vec();
        for recording in &mut round {
            (recording.repetition, recording.seed) = (repetition, seed);
        }
        if disturbed {
            for second in &mut round[1].load.as_mut().unwrap().seconds {
                let uncounted = second.latency.count() * 9 / 10;
                second.disturbed.insert(Disturbed::default()).uncounted = uncounted;
            }
        }
        round
    }

    #[test]
    fn a_round_that_was_disturbed_through_is_left_out_where_another_stands_in_for_it() {
        let quiet = round(0, 1, false);
        assert!(!is_disturbed_through(&quiet.iter().collect::<Vec<_>>()));
        let noisy = round(1, 2, true);
        assert!(is_disturbed_through(&noisy.iter().collect::<Vec<_>>()));
        let both = [quiet.clone(), noisy.clone()].concat();
        assert_eq!(without_repeated(&both).1, 0, "nothing stands in for it");
        let twice = [quiet.clone(), noisy.clone(), round(2, 3, true), round(3, 2, true)].concat();
        let (kept, repeated) = without_repeated(&twice);
        let kept: BTreeSet<u32> = kept.iter().map(|recording| recording.repetition).collect();
        assert_eq!((kept, repeated), ([0, 2, 3].into(), 1), "nothing stands in for the one with seed 3");
        let again = [quiet, noisy, round(2, 2, false)].concat();
        let (kept, repeated) = without_repeated(&again);
        assert_eq!((kept.len(), repeated), (4, 1));
        assert!(kept.iter().all(|recording| recording.repetition != 1), "whole, whoever was hit");
        let analysis = analyse(&again);
        assert_eq!((analysis.subjects[0].trials, analysis.repeated_rounds), (2, 1));
    }
}
