//! The percentile distribution (`.hgrm`) that `HdrHistogram` prints and plotters read, in milliseconds.

use std::fmt::Write as _;

use crate::observation::Distribution;

/// Steps between 0 and 50 %, 50 and 75 %, and so on: what `outputPercentileDistribution` takes unless told otherwise.
const STEPS: u32 = 5;
/// Of a histogram with three significant digits.
const SUB_BUCKETS: u32 = 2_048;
const NANOS_PER_MILLISECOND: f64 = 1e6;

/// What `outputPercentileDistribution` prints, with six decimals instead of three, since an answer may take 40 µs, and
/// with the exact maximum and mean where it has those of buckets.
pub(super) fn text(distribution: &Distribution) -> String {
    let mut text = String::new();
    let histogram = distribution.histogram();
    let milliseconds = |nanos: u64| nanos as f64 / NANOS_PER_MILLISECOND;
    let (min, max) = (distribution.min().unwrap_or(0), distribution.max().unwrap_or(0));
    let mut line = |arguments: std::fmt::Arguments<'_>| writeln!(text, "{arguments}").expect("text grows");
    line(format_args!(
        "{:>12} {:>14} {:>10} {:>14}\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    ));
    let mut count = 0;
    for step in histogram.iter_quantiles(STEPS) {
        count += step.count_since_last_iteration();
        let value = milliseconds(step.value_iterated_to().clamp(min, max));
        let q = step.quantile_iterated_to();
        if q < 1.0 {
            line(format_args!("{value:12.6} {q:.12} {count:10} {:14.2}", 1.0 / (1.0 - q)));
        } else {
            line(format_args!("{value:12.6} {q:.12} {count:10}"));
        }
    }
    let (mean, deviation) = (distribution.mean().unwrap_or(0.0), histogram.stdev());
    line(format_args!(
        "#[Mean    = {:12.6}, StdDeviation   = {:12.6}]",
        mean / NANOS_PER_MILLISECOND,
        deviation / NANOS_PER_MILLISECOND
    ));
    line(format_args!(
        "#[Max     = {:12.6}, Total count    = {:12}]",
        milliseconds(max),
        distribution.count()
    ));
    let buckets = histogram.buckets();
    line(format_args!("#[Buckets = {buckets:12}, SubBuckets     = {SUB_BUCKETS:12}]"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_go_up_to_the_exact_maximum_and_counts_to_the_total() {
        let mut distribution = Distribution::default();
        (1..=1_000_u64).for_each(|number| distribution.record(number * 40_001));
        let text = text(&distribution);
        let rows: Vec<Vec<f64>> = text
            .lines()
            .skip(2)
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split_whitespace().map(|field| field.parse().unwrap()).collect())
            .collect();
        assert!(rows.len() > 20 && rows.is_sorted_by(|a, b| a[0] <= b[0] && a[1] <= b[1] && a[2] <= b[2]));
        assert!((rows[0][0] / 0.040_001 - 1.0).abs() < 0.001, "{:?}", rows[0]);
        assert_eq!(rows.last().unwrap()[..], [40.001, 1.0, 1_000.0]);
        let median = rows.iter().find(|row| row[1] >= 0.5).unwrap();
        assert!((median[0] / 20.0 - 1.0).abs() < 0.002 && (median[3] - 2.0).abs() < 1e-9, "{median:?}");
        assert!(text.starts_with("       Value     Percentile TotalCount 1/(1-Percentile)\n\n"), "{text}");
        assert!(text.contains("#[Max     =    40.001000, Total count    =         1000]\n"), "{text}");
    }

    #[test]
    fn nothing_measured_is_an_empty_distribution() {
        assert!(text(&Distribution::default()).contains("Total count    =            0]"));
    }
}
