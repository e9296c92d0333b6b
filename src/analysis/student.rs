//! Student's 95 % interval (1908) of the mean of a few trials.

/// 97.5 % quantiles of Student's t for 1, 2, ... degrees of freedom.
const T: [f64; 4] = [12.706, 4.303, 3.182, 2.776];

/// The interval of two to five values; `None` for fewer or more.
pub(super) fn interval(values: &[f64]) -> Option<(f64, f64)> {
    let t = T.get(values.len().checked_sub(2)?)?;
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let half = t * (variance / n).sqrt();
    Some((mean - half, mean + half))
}

/// The interval of values that cannot be negative: of their logarithms, which noise of a machine leaves nearer to
/// normal; where one of them is zero, of themselves.
pub(super) fn interval_above_zero(values: &[f64]) -> Option<(f64, f64)> {
    if values.iter().all(|value| *value > 0.0) {
        let logarithms: Vec<f64> = values.iter().map(|value| value.ln()).collect();
        return interval(&logarithms).map(|(low, high)| (low.exp(), high.exp()));
    }
    interval(values).map(|(low, high)| (low.max(0.0), high))
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn nineteen_of_twenty_intervals_of_few_trials_hold_the_truth() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        for trials in 2..=5 {
            let runs = 4_000;
            let mut noise = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
            let covered = (0..runs)
                .filter(|_| {
                    // The noise of p90 on a shared machine, in its logarithm.
                    let values: Vec<f64> = (0..trials).map(|_| (0.17 * noise()).exp()).collect();
                    let (low, high) = interval_above_zero(&values).unwrap();
                    low <= 1.0 && high >= 1.0
                })
                .count();
            let share = covered as f64 / f64::from(runs);
            assert!((0.938..0.962).contains(&share), "{trials}: {share}");
        }
    }

    #[test]
    fn one_value_has_no_interval_and_none_reaches_below_zero() {
        assert_eq!(interval(&[1.0]), None);
        assert!(interval_above_zero(&[0.0, 1.0]).unwrap().0 >= 0.0);
        assert!(interval(&[0.0, 1.0]).unwrap().0 < 0.0);
        assert!(interval_above_zero(&[1.0, 2.0]).unwrap().0 > 0.0);
    }
}
