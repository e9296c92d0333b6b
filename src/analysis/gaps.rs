//! What was taken from generator and servers, and whether it came by chance.

use crate::analysis::Warning;
use crate::analysis::steady::kendall;
use crate::analysis::trials::Trials;
use crate::observation::{Load, Second, Side};

/// Less than this share of the time is not worth a word.
const TAKEN: f64 = 0.01;
/// Fewer seconds than this share that nobody saw to their end are not worth a word either.
const UNSEEN: f64 = 0.05;
/// And this much more is needed to ask what it follows.
const ENOUGH: f64 = 0.02;
/// Seconds without which a rank correlation tells nothing.
const FEWEST: usize = 8;
/// Two-sided 1 % of the standard normal.
const CRITICAL: f64 = 2.576;

/// Whether anybody looked for gaps on that side, in every trial that has a load.
pub(super) fn were_looked_for(trials: &Trials<'_>, side: Side) -> bool {
    trials.loads().next().is_some()
        && trials.loads().all(|load| load.gaps.iter().any(|core| core.side == side))
}

/// What gaps did to a subject.
pub(super) fn warnings(trials: &Trials<'_>) -> Vec<Warning> {
    let [generator, servers] = [Side::Generator, Side::Servers].map(|side| share(trials, side));
    let unseen = unseen(trials);
    if generator.max(servers) < TAKEN {
        return unseen.into_iter().collect();
    }
    let shortest = shortest(trials);
    let disturbed = Warning::Disturbed { generator, servers, uncounted: uncounted(trials), shortest };
    let follows = (generator.max(servers) >= ENOUGH).then(|| correlation(trials)).flatten();
    let follows = follows.map(|correlation| Warning::GapsFollowLoad { correlation });
    [Some(disturbed), unseen, follows].into_iter().flatten().collect()
}

/// Seconds in which the watch of the servers' cores could not see enough of them.
fn unseen(trials: &Trials<'_>) -> Option<Warning> {
    let most = |load: &Load| load.gaps.iter().map(|core| core.unseen_seconds).max().unwrap_or(0);
    let (seconds, of) = (trials.loads().map(most).sum::<u64>(), trials.seconds().len() as u64);
    (seconds as f64 > UNSEEN * of as f64).then_some(Warning::GapsUnseen { seconds, of })
}

/// Share of the time that was taken from the core of that side that lost most.
fn share(trials: &Trials<'_>, side: Side) -> f64 {
    let nanos = |load: &Load| {
        let cores = load.gaps.iter().filter(|core| core.side == side);
        cores.map(|core| core.nanos).max().unwrap_or(0) as f64
    };
    let seconds: f64 = trials.loads().map(|load| load.measured_seconds).sum();
    trials.loads().map(nanos).sum::<f64>() / 1e9 / seconds.max(f64::MIN_POSITIVE)
}

/// From which length on every gap counted, in seconds.
fn shortest(trials: &Trials<'_>) -> f64 {
    let seconds = trials.seconds();
    let disturbed = seconds.iter().filter_map(|second| second.disturbed.as_ref());
    disturbed.map(|disturbed| disturbed.least_nanos).max().unwrap_or(0) as f64 / 1e9
}

/// Share of the answered requests that stood in the way of a gap or of what it left.
pub(super) fn uncounted(trials: &Trials<'_>) -> f64 {
    let seconds = trials.seconds();
    let answered: u64 = seconds.iter().map(|second| second.latency.count()).sum();
    let uncounted = |second: &&Second| second.disturbed.as_ref().map_or(0, |disturbed| disturbed.uncounted);
    seconds.iter().map(uncounted).sum::<u64>() as f64 / answered.max(1) as f64
}

/// How closely gaps follow the load, if they do: the estimate supposes that they come whatever the requests do.
fn correlation(trials: &Trials<'_>) -> Option<f64> {
    let whole = |load: &Load| load.lengths().map(|length| length > 0.999).collect::<Vec<_>>();
    let pairs: Vec<(f64, f64)> = trials
        .loads()
        .flat_map(|load| load.seconds.iter().zip(whole(load)))
        .filter(|(_, is_whole)| *is_whole)
        .map(|(second, _)| {
            let taken = second.disturbed.as_ref().map_or(0, |disturbed| disturbed.gap_nanos);
            (second.outcomes.planned() as f64, taken as f64)
        })
        .collect();
    if pairs.len() < FEWEST {
        return None;
    }
    let (tau, deviations) = kendall(&pairs);
    (deviations > CRITICAL).then_some(tau)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Gravity, analyse, synthetic};
    use crate::observation::{CoreGaps, Disturbed, Recording, VALID};
    use crate::units::Offset;

    /// Introspection, with gaps of so many nanoseconds in each of its seconds and so many requests more.
    fn with(seconds: impl Fn(usize) -> (u64, u64)) -> Recording {
        let mut recording = synthetic::recording(1);
        let load = recording.load.as_mut().unwrap();
        let mut core = CoreGaps::of(Side::Servers, Some(0));
        for (index, second) in load.seconds.iter_mut().enumerate() {
            let (gap_nanos, more) = seconds(index);
            core.add([Offset::default(), Offset::from_nanos(gap_nanos)]);
            let valid = second.outcomes.class_mut(VALID);
            (valid.planned, valid.sent, valid.accepted) =
                (valid.planned + more, valid.sent + more, valid.accepted + more);
            let followed = |sealed: &crate::observation::Sealed| crate::observation::Followed {
                ended: sealed.clone(),
                ..Default::default()
            };
            let mut disturbed = Disturbed::default();
            disturbed.latency = followed(&second.latency);
            disturbed.service = followed(&second.service);
            (disturbed.uncounted, disturbed.gap_nanos, disturbed.least_nanos) = (100, gap_nanos, 5_000);
            second.disturbed = Some(disturbed);
        }
        load.gaps = vec![CoreGaps::of(Side::Generator, Some(1)), core];
        recording
    }

    #[test]
    fn what_was_taken_is_told_and_is_no_reason_to_doubt() {
        let summary = analyse(&[with(|_| (50_000_000, 0))]).subjects.remove(0);
        let [Warning::Disturbed { generator, servers, uncounted, shortest }] = summary.warnings[..] else {
            panic!("{:?}", summary.warnings)
        };
        assert!((shortest - 5e-6).abs() < 1e-12);
        assert!(generator.abs() < 1e-9 && (servers - 0.05).abs() < 1e-9 && (uncounted - 0.1).abs() < 1e-3);
        assert_eq!(summary.warnings[0].gravity(), Gravity::Note);
        assert_eq!(analyse(&[with(|_| (5_000_000, 0))]).subjects[0].warnings, []);
    }

    #[test]
    fn seconds_that_nobody_saw_to_their_end_are_told_if_they_are_many() {
        let unseen = |seconds| {
            let mut recording = with(|_| (0, 0));
            recording.load.as_mut().unwrap().gaps[1].unseen_seconds = seconds;
            analyse(&[recording]).subjects.remove(0).warnings
        };
        let of = synthetic::recording(1).load.unwrap().seconds.len() as u64;
        assert_eq!(unseen(0), []);
        assert_eq!(unseen(of / 2), [Warning::GapsUnseen { seconds: of / 2, of }]);
        assert_eq!(unseen(of / 2)[0].gravity(), Gravity::Note);
    }

    #[test]
    fn gaps_that_grow_with_the_load_are_no_chance() {
        let follows = |recording| {
            let summary = analyse(&[recording]).subjects.remove(0);
            summary.warnings.iter().any(|warning| matches!(warning, Warning::GapsFollowLoad { .. }))
        };
        assert!(follows(with(|second| (second as u64 * 20_000_000, second as u64 * 10))));
        assert!(!follows(with(|second| ((second as u64 * 7 % 10) * 20_000_000, second as u64 * 10))));
        assert!(!follows(with(|second| (second as u64 * 1_000_000, second as u64 * 10))), "too little");
    }
}
