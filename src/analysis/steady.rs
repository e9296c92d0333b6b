//! Whether a run drifted: a trend test over the medians of its seconds.
//!
//! MSER-5 needs batches shorter than the seconds that a recording keeps, so a trend is looked for instead:
//! Mann (1945) and Kendall's rank test at 1 %, and only a change that matters in size counts.

use std::cmp::Ordering;

/// Fewer seconds than this tell nothing about a trend.
const FEWEST: usize = 8;
/// Two-sided 1 % of the standard normal.
const CRITICAL: f64 = 2.576;
/// The margin of p50 in comparisons is 5 %; a drift of twice that cannot be overlooked.
const CHANGE: f64 = 0.10;

/// The relative change from the first third of the run to its last, if the run drifted.
pub(super) fn drift(medians: &[f64]) -> Option<f64> {
    let n = medians.len();
    if n < FEWEST {
        return None;
    }
    let third = n / 3;
    let (first, last) = (median(&medians[..third]), median(&medians[n - third..]));
    let change = last / first - 1.0;
    (trend(medians).abs() > CRITICAL && change.abs() > CHANGE).then_some(change)
}

/// Kendall's S of a series against time, in standard deviations, with the correction for continuity.
fn trend(values: &[f64]) -> f64 {
    let series: Vec<(f64, f64)> = values.iter().enumerate().map(|(at, value)| (at as f64, *value)).collect();
    kendall(&series).1
}

/// Kendall's rank correlation (tau-a) of pairs, and his S in standard deviations, with the correction for continuity.
pub(super) fn kendall(pairs: &[(f64, f64)]) -> (f64, f64) {
    let n = pairs.len() as f64;
    let sign = |earlier: f64, later: f64| match later.total_cmp(&earlier) {
        Ordering::Less => -1.0,
        Ordering::Equal => 0.0,
        Ordering::Greater => 1.0,
    };
    let s: f64 = pairs
        .iter()
        .enumerate()
        .flat_map(|(index, earlier)| pairs[index + 1..].iter().map(move |later| (earlier, later)))
        .map(|(earlier, later)| sign(earlier.0, later.0) * sign(earlier.1, later.1))
        .sum();
    let continuous = s - if s == 0.0 { 0.0 } else { s.signum() };
    (s / (n * (n - 1.0) / 2.0), continuous / (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt())
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_gets_slower_is_seen_and_noise_is_not() {
        let slower: Vec<f64> = (0..10).map(|second| 1.0 + 0.05 * f64::from(second)).collect();
        assert!(drift(&slower).unwrap() > 0.2);
        assert_eq!(drift(&[1.0, 1.3, 0.9, 1.1, 1.2, 0.8, 1.3, 0.9, 1.1, 1.0]), None);
        let barely: Vec<f64> = (0..10).map(|second| 1.0 + 0.001 * f64::from(second)).collect();
        assert_eq!(drift(&barely), None, "a trend too small to matter");
        assert_eq!(drift(&[1.0, 2.0, 3.0]), None, "too few seconds");
    }
}
