//! Histograms of seconds side by side: quantiles of any mixture of them without merging.

use crate::observation::Distribution;

/// Cumulative counts over the buckets that any of the seconds uses.
pub(super) struct Seconds {
    /// Bucket values in nanoseconds, ascending.
    values: Vec<u64>,
    /// Row after row: of second `s`, how many durations lie in the buckets up to `b`.
    cumulative: Vec<u64>,
    /// Count and sum in nanoseconds of every second.
    totals: Vec<(f64, f64)>,
}

impl Seconds {
    /// Takes the histograms one by one: open they are large, and of each a row is kept.
    pub(super) fn new(seconds: impl Iterator<Item = Distribution>) -> Self {
        let mut totals = Vec::new();
        let seconds: Vec<Vec<(u64, u64)>> = seconds
            .map(|second| {
                let count = second.count() as f64;
                totals.push((count, second.mean().unwrap_or(0.0) * count));
                second.buckets().collect()
            })
            .collect();
        let mut values: Vec<u64> = seconds.iter().flatten().map(|(value, _)| *value).collect();
        values.sort_unstable();
        values.dedup();
        let mut cumulative = Vec::with_capacity(values.len() * seconds.len());
        for second in seconds {
            let mut buckets = second.into_iter().peekable();
            let mut count = 0;
            for value in &values {
                if let Some((_, more)) = buckets.next_if(|(bucket, _)| bucket == value) {
                    count += more;
                }
                cumulative.push(count);
            }
        }
        Self { values, cumulative, totals }
    }

    /// The quantile in seconds of the mixture in which second `s` occurs `weights[s]` times.
    pub(super) fn quantile(&self, weights: &[u32], q: f64) -> Option<f64> {
        let buckets = self.values.len();
        let last = buckets.checked_sub(1)?;
        let up_to = |bucket: usize| -> u64 {
            weights
                .iter()
                .enumerate()
                .filter(|(_, weight)| **weight > 0)
                .map(|(second, weight)| u64::from(*weight) * self.cumulative[second * buckets + bucket])
                .sum()
        };
        let total = up_to(last);
        if total == 0 {
            return None;
        }
        let rank = rank(q, total);
        let (mut low, mut high) = (0, last);
        while low < high {
            let middle = usize::midpoint(low, high);
            if up_to(middle) >= rank { high = middle } else { low = middle + 1 }
        }
        Some(self.values[low] as f64 / 1e9)
    }

    /// The mean in seconds of that mixture.
    pub(super) fn mean(&self, weights: &[u32]) -> Option<f64> {
        let (count, sum) =
            weights.iter().zip(&self.totals).fold((0.0, 0.0), |(count, sum), (weight, total)| {
                (count + f64::from(*weight) * total.0, sum + f64::from(*weight) * total.1)
            });
        (count > 0.0).then(|| sum / count / 1e9)
    }
}

/// Nearest rank, from 1: the smallest value that at least a share `q` of `total` does not exceed.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
pub(super) fn rank(q: f64, total: u64) -> u64 {
    ((q * total as f64).ceil() as u64).clamp(1, total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixture_has_the_quantiles_and_the_mean_of_the_merged_histogram() {
        let mut seconds = [Distribution::default(), Distribution::default(), Distribution::default()];
        for nanos in 1..3_000_u64 {
            seconds[(nanos % 3) as usize].record(nanos * nanos * 7);
        }
        let sparse = Seconds::new(seconds.iter().cloned());
        let mut merged = Distribution::default();
        for index in [0, 0, 2] {
            merged.add(&seconds[index]);
        }
        for q in [0.001, 0.5, 0.9, 0.99, 0.999] {
            let exact = merged.quantile(q).unwrap() as f64 / 1e9;
            assert!((sparse.quantile(&[2, 0, 1], q).unwrap() / exact - 1.0).abs() < 1e-9, "{q}");
        }
        assert!((sparse.mean(&[2, 0, 1]).unwrap() / merged.mean().unwrap() * 1e9 - 1.0).abs() < 1e-12);
        assert_eq!(Seconds::new(std::iter::empty()).quantile(&[], 0.5), None);
        assert_eq!(sparse.quantile(&[0, 0, 0], 0.5), None);
    }
}
