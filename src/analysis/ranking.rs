//! Who is faster than whom, as far as the rounds of a run tell.

use crate::analysis::{Basis, Estimate, Summary, student};
use crate::metric::MetricId;

/// Whether a latency of `quick` is shorter than that of `slow` by more than chance (at 5 %): by the logarithm of their ratio within
/// each round, since the machine may run at another speed in the next. Of a single round by their intervals, which must not
/// overlap. False where either is unknown.
pub fn is_faster(metric: MetricId, quick: &Summary, slow: &Summary) -> bool {
    let known = |summary: &Summary| {
        summary.estimates.get(&metric).copied().filter(|estimate| !estimate.standing.is_lost())
    };
    let Some((first, second)) = known(quick).zip(known(slow)) else { return false };
    // Where requests got no answer, nothing bounds a latency from above; what the generator was late by may be all of the difference.
    let Some(high) = first.high.filter(|_| first.point < second.point - second.bias) else { return false };
    let ratios = ratios(metric, quick, slow);
    if ratios.len() > 1 {
        return student::interval(&ratios).is_some_and(|(low, _)| low > 0.0);
    }
    let is_known = |estimate: &Estimate| estimate.basis != Basis::TooFew;
    is_known(&first) && is_known(&second) && high < second.low - second.bias
}

/// Summaries by place; `ranked` begins with the fastest. Whoever is not told apart from the first of a place shares it, and so does
/// everybody between the two.
pub fn groups<'a>(metric: MetricId, ranked: &[&'a Summary]) -> Vec<Vec<&'a Summary>> {
    let mut groups: Vec<Vec<&Summary>> = Vec::new();
    for one in ranked {
        let place = groups.iter().position(|group| !is_faster(metric, group[0], one)).unwrap_or(groups.len());
        let mut shared: Vec<&Summary> = groups.drain(place..).flatten().collect();
        shared.push(one);
        groups.push(shared);
    }
    groups
}

/// The logarithm of slow / quick, of each round in which both were measured.
fn ratios(metric: MetricId, quick: &Summary, slow: &Summary) -> Vec<f64> {
    let (Some(quick), Some(slow)) = (quick.by_round.get(&metric), slow.by_round.get(&metric)) else {
        return Vec::new();
    };
    let ratio = |(round, quick): (&u32, &f64)| Some((slow.get(round)? / quick).ln());
    quick.iter().filter_map(ratio).filter(|ratio| ratio.is_finite()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::analysis::{analyse, synthetic};

    const P50: MetricId = MetricId::LatencyP50;

    /// Subjects that took so many microseconds in each of the rounds.
    fn measured(rounds: &[&[f64]]) -> Vec<Summary> {
        let mut subjects = analyse(&synthetic::recordings()).subjects;
        subjects.truncate(rounds.len());
        for (summary, rounds) in subjects.iter_mut().zip(rounds) {
            let mean = rounds.iter().sum::<f64>() / rounds.len().max(1) as f64;
            summary.estimates.get_mut(&P50).unwrap().point = mean;
            summary.by_round.insert(P50, (0..).zip(rounds.iter().copied()).collect());
        }
        subjects
    }

    #[test]
    fn a_machine_that_changes_its_speed_hides_no_difference_within_its_rounds() {
        let subjects = measured(&[&[80.0, 120.0, 100.0, 90.0], &[97.0, 141.0, 121.0, 111.0]]);
        assert!(is_faster(P50, &subjects[0], &subjects[1]));
        assert!(!is_faster(P50, &subjects[1], &subjects[0]));
        let subjects = measured(&[&[80.0, 120.0, 100.0, 90.0], &[97.0, 101.0, 121.0, 80.0]]);
        assert!(!is_faster(P50, &subjects[0], &subjects[1]));
    }

    #[test]
    fn one_of_twenty_pairs_that_are_alike_is_called_different() {
        use rand::{RngExt, SeedableRng};
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(11);
        let mut noise = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        let mut subjects = measured(&[&[], &[]]);
        let (pairs, mut different) = (2_000, 0);
        for _ in 0..pairs {
            for summary in &mut subjects {
                let rounds: BTreeMap<u32, f64> = (0..8).map(|round| (round, (0.1 * noise()).exp())).collect();
                summary.estimates.get_mut(&P50).unwrap().point = rounds.values().sum::<f64>() / 8.0;
                summary.by_round.insert(P50, rounds);
            }
            let [one, other] = [&subjects[0], &subjects[1]];
            different += u32::from(is_faster(P50, one, other) || is_faster(P50, other, one));
        }
        let share = f64::from(different) / f64::from(pairs);
        assert!((0.035..0.065).contains(&share), "{share}");
    }

    #[test]
    fn who_is_not_told_apart_shares_a_place() {
        let subjects = measured(&[
            &[50.0, 51.0, 49.0],
            &[90.0, 91.0, 92.0],
            &[120.0, 121.0, 122.0],
            &[121.0, 119.0, 124.0],
            &[200.0, 210.0, 220.0],
        ]);
        let groups = groups(P50, &subjects.iter().collect::<Vec<_>>());
        assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 2, 1]);
        let noisy = measured(&[&[100.0, 101.0, 99.0], &[110.0, 111.0, 109.0], &[112.0, 90.0, 140.0]]);
        let groups = super::groups(P50, &noisy.iter().collect::<Vec<_>>());
        assert_eq!(
            groups.iter().map(Vec::len).collect::<Vec<_>>(),
            [3],
            "the last may be as fast as the first"
        );
    }
}
