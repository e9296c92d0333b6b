//! Student's 95 % interval (1908) of the mean of a few trials.

/// 97.5 % quantiles of Student's t for 1, 2, ... degrees of freedom.
const T: [f64; 4] = [12.706, 4.303, 3.182, 2.776];
/// That of the standard normal.
const Z: f64 = 1.959_964;

/// The 97.5 % quantile, of more degrees of freedom by the expansion of Abramowitz and Stegun (26.7.5), which is off by less than
/// 0.001 then.
fn t(degrees: usize) -> Option<f64> {
    if degrees <= T.len() {
        return T.get(degrees.checked_sub(1)?).copied();
    }
    let [z3, z5, z7, z9] = [3, 5, 7, 9].map(|power| Z.powi(power));
    let terms = [
        Z,
        (z3 + Z) / 4.0,
        (5.0 * z5 + 16.0 * z3 + 3.0 * Z) / 96.0,
        (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * Z) / 384.0,
        (79.0 * z9 + 776.0 * z7 + 1_482.0 * z5 - 1_920.0 * z3 - 945.0 * Z) / 92_160.0,
    ];
    Some(terms.iter().rev().fold(0.0, |sum, term| sum / degrees as f64 + term))
}

/// The interval of two values or more; `None` for fewer.
pub(super) fn interval(values: &[f64]) -> Option<(f64, f64)> {
    let t = t(values.len().checked_sub(1)?)?;
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
    fn quantiles_are_those_of_the_tables() {
        for (degrees, expected) in
            [(1, 12.706), (5, 2.571), (7, 2.365), (10, 2.228), (30, 2.042), (120, 1.980)]
        {
            assert!((t(degrees).unwrap() - expected).abs() < 0.001, "{degrees}: {:?}", t(degrees));
        }
        assert_eq!(t(0), None);
    }

    #[test]
    fn one_value_has_no_interval_and_none_reaches_below_zero() {
        assert_eq!(interval(&[1.0]), None);
        assert!(interval_above_zero(&[0.0, 1.0]).unwrap().0 >= 0.0);
        assert!(interval(&[0.0, 1.0]).unwrap().0 < 0.0);
        assert!(interval_above_zero(&[1.0, 2.0]).unwrap().0 > 0.0);
    }
}
