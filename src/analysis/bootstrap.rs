//! Intervals by resampling seconds: a stationary block bootstrap (Politis & Romano, JASA 1994), over trials first.
//! A few trials are too few to resample: Student's interval of their values stands instead.

use std::collections::BTreeMap;
use std::ops::Range;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::analysis::standing::Bracket;
use crate::analysis::student;
use crate::analysis::{Basis, Estimate, Standing};

/// Enough that the ends of a 95 % interval move by less than a tenth of its width.
const REPLICATES: usize = 600;
/// Resampling five trials or fewer cannot reach 95 %: all of them are the same one too often.
const FEWEST_TRIALS: usize = 6;
/// Two seconds have no spread to speak of.
const FEWEST_SECONDS: usize = 3;

/// Ways in which a run could have gone: how often each second occurs in each of them.
pub(super) struct Resamples {
    weights: Vec<Vec<u32>>,
    /// Which seconds belong to each trial, and in which round it was made.
    trials: Vec<(u32, Range<usize>)>,
    method: Method,
}

/// How an interval is found.
#[derive(Clone, Copy)]
enum Method {
    /// There is too little to find one from.
    Nothing,
    /// Student's, from the value of each trial.
    Student,
    /// This share of the resamples is cut off at either end.
    Percentiles { tail: f64, basis: Basis },
}

/// A value and what it would have been in each resample.
#[derive(Clone)]
pub(super) struct Sampled {
    pub(super) point: f64,
    pub(super) replicates: Vec<f64>,
    /// What it was in each trial by itself, by its round.
    pub(super) trials: Vec<(u32, f64)>,
    pub(super) few_samples: bool,
    /// True if nothing bounds the value from above: requests without an answer may have taken any time.
    pub(super) at_least: bool,
    /// Where the truth lies by what is known of the bench; absent for what the bench does not move.
    pub(super) bracket: Option<Bracket>,
    /// See [`Estimate::of_all`].
    pub(super) of_all: Option<f64>,
    /// True if it is a difference, which may lie on either side of zero.
    is_difference: bool,
}

impl Resamples {
    /// Draws resamples of trials that last so many seconds each; the same for the same seed.
    pub(super) fn draw(lengths: &[usize], seed: u64) -> Self {
        let rounds: Vec<(u32, usize)> = (0..).zip(lengths.iter().copied()).collect();
        Self::draw_rounds(&rounds, seed, seed)
    }

    /// The same of trials in rounds, with their lengths. `rounds_seed` decides which rounds are drawn: subjects that share it share
    /// them, so that what disturbed a round is in both, and not in their difference.
    pub(super) fn draw_rounds(rounds: &[(u32, usize)], rounds_seed: u64, seed: u64) -> Self {
        let rounds: Vec<(u32, usize)> = rounds.iter().copied().filter(|(_, length)| *length > 0).collect();
        let lengths: Vec<usize> = rounds.iter().map(|(_, length)| *length).collect();
        let begin = |trial: usize| lengths[..trial].iter().sum::<usize>();
        let of_trial = |(trial, (round, _)): (usize, &(u32, usize))| (*round, begin(trial)..begin(trial + 1));
        let trials = rounds.iter().enumerate().map(of_trial).collect();
        let percentiles = |units, basis| Method::Percentiles { tail: tail(units), basis };
        let method = match lengths[..] {
            [] => Method::Nothing,
            [seconds] if seconds < FEWEST_SECONDS => Method::Nothing,
            [seconds] => percentiles(seconds, Basis::WithinRun),
            _ if lengths.len() < FEWEST_TRIALS => Method::Student,
            _ => percentiles(lengths.len(), Basis::AcrossRuns),
        };
        let replicates = if matches!(method, Method::Percentiles { .. }) { REPLICATES } else { 0 };
        let mut random = [rounds_seed, seed].map(ChaCha8Rng::seed_from_u64);
        random[1].set_stream(1);
        let weights = (0..replicates).map(|_| resample(&lengths, &mut random)).collect();
        Self { weights, trials, method }
    }

    /// A value with its replicates; `None` where `of` has no value. Resamples without a value are left out.
    pub(super) fn sample(&self, point: Option<f64>, of: impl Fn(&[u32]) -> Option<f64>) -> Option<Sampled> {
        let point = point?;
        let seconds = self.trials.last().map_or(0, |(_, last)| last.end);
        let alone = |trial: &Range<usize>| -> Vec<u32> {
            (0..seconds).map(|second| u32::from(trial.contains(&second))).collect()
        };
        Some(Sampled {
            point,
            replicates: self.weights.iter().filter_map(|weights| of(weights)).collect(),
            trials: self
                .trials
                .iter()
                .filter_map(|(round, trial)| Some((*round, of(&alone(trial))?)))
                .collect(),
            few_samples: false,
            at_least: false,
            bracket: None,
            of_all: None,
            is_difference: false,
        })
    }

    /// The value with its 95 % interval, if there is enough to tell one.
    pub(super) fn estimate(&self, sampled: &Sampled) -> Estimate {
        let found = match self.method {
            Method::Nothing => None,
            Method::Student if sampled.is_difference => student::interval(&sampled.of_trials()),
            Method::Student => student::interval_above_zero(&sampled.of_trials()),
            Method::Percentiles { tail, .. } => percentiles(&sampled.replicates, tail),
        };
        let basis = match self.method {
            _ if found.is_none() => Basis::TooFew,
            Method::Percentiles { basis, .. } => basis,
            Method::Student | Method::Nothing => Basis::AcrossRuns,
        };
        let (low, high) = found.unwrap_or((sampled.point, sampled.point));
        let bracket = sampled.bracket;
        Estimate {
            point: sampled.point,
            low: low.min(sampled.point),
            high: (!sampled.at_least).then(|| high.max(sampled.point)),
            basis,
            few_samples: sampled.few_samples,
            standing: bracket.map_or(Standing::Sound, |bracket| Standing::of(bracket, high - low)),
            bias: bracket.map_or(0.0, Bracket::width),
            of_all: sampled.of_all,
        }
    }
}

impl Sampled {
    /// What it was in each round by itself.
    pub(super) fn by_round(&self) -> BTreeMap<u32, f64> {
        self.trials.iter().copied().collect()
    }

    fn of_trials(&self) -> Vec<f64> {
        self.trials.iter().map(|(_, value)| *value).collect()
    }

    /// The difference of two values, taken within each round, since what disturbs a round disturbs both; none if nothing bounds it
    /// from below. The value itself is the difference of the values: that of all requests of each.
    pub(super) fn minus(&self, other: &Self) -> Option<Self> {
        let pairs = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        let same = |round: u32| other.trials.iter().find(|(of, _)| *of == round);
        let within = |(round, value): &(u32, f64)| Some((*round, value - same(*round)?.1));
        (!other.at_least).then(|| Self {
            point: self.point - other.point,
            replicates: pairs(&self.replicates, &other.replicates),
            trials: self.trials.iter().filter_map(within).collect(),
            few_samples: self.few_samples || other.few_samples,
            at_least: self.at_least,
            bracket: self.bracket.zip(other.bracket).and_then(|(a, b)| a.minus(b)),
            of_all: self.of_all.zip(other.of_all).map(|(a, b)| a - b),
            is_difference: true,
        })
    }
}

/// What is left of the replicates without a share at either end.
fn percentiles(replicates: &[f64], tail: f64) -> Option<(f64, f64)> {
    let mut sorted = replicates.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let cut = (tail * sorted.len() as f64) as usize;
    Some((*sorted.get(cut)?, *sorted.get(sorted.len().checked_sub(1 + cut)?)?))
}

/// Trials with replacement, and in each of them blocks of seconds of random length that wrap around.
fn resample(lengths: &[usize], [rounds, random]: &mut [ChaCha8Rng; 2]) -> Vec<u32> {
    let mut weights = vec![0; lengths.iter().sum()];
    for _ in lengths {
        let trial = rounds.random_range(0..lengths.len());
        let (first, length) = (lengths[..trial].iter().sum::<usize>(), lengths[trial]);
        // The mean block grows with the cube root of the length, as Politis and Romano advise.
        let go_on = 1.0 - 1.0 / (length as f64).cbrt().max(1.0);
        let mut second = 0;
        for index in 0..length {
            let continues = index > 0 && random.random_bool(go_on);
            second = if continues { (second + 1) % length } else { random.random_range(0..length) };
            weights[first + second] += 1;
        }
    }
    weights
}

/// The share to cut off at either end: 2.5 %, less for few units, whose plain percentile interval is too
/// narrow (the expanded percentile interval of Hesterberg, The American Statistician 69, 2015).
fn tail(units: usize) -> f64 {
    if units < 2 {
        return 0.0;
    }
    let freedom = units as f64 - 1.0;
    let z = 1.959_964_f64;
    // Student's t by Cornish and Fisher's expansion (Abramowitz & Stegun 26.7.5).
    let t = z
        + (z.powi(3) + z) / (4.0 * freedom)
        + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * freedom.powi(2));
    upper_normal(t * (units as f64 / freedom).sqrt())
}

/// P(Z > z) of the standard normal (Abramowitz & Stegun 26.2.17; error below 1e-7).
fn upper_normal(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let polynomial = [1.330_274_429, -1.821_255_978, 1.781_477_937, -0.356_563_782, 0.319_381_530]
        .into_iter()
        .fold(0.0, |sum, coefficient| (sum + coefficient) * t);
    (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * polynomial
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval_of_the_mean(values: &[f64], seed: u64) -> Estimate {
        let resamples = Resamples::draw(&[values.len()], seed);
        let mean = |weights: &[u32]| {
            let total: u32 = weights.iter().sum();
            Some(weights.iter().zip(values).map(|(w, v)| f64::from(*w) * v).sum::<f64>() / f64::from(total))
        };
        let sampled = resamples.sample(mean(&vec![1; values.len()]), mean).unwrap();
        resamples.estimate(&sampled)
    }

    #[test]
    fn the_normal_tail_is_that_of_the_tables() {
        assert!((upper_normal(1.959_964) - 0.025).abs() < 1e-6);
        assert!((tail(10) - 0.0087).abs() < 2e-4, "{}", tail(10));
        assert!((tail(100_000) - 0.025).abs() < 1e-4);
    }

    #[test]
    fn an_interval_of_ten_seconds_covers_the_truth_in_about_19_of_20_runs() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let runs = 200;
        let covered = (0..runs)
            .filter(|seed| {
                // Uniform sums: near enough to normal, mean 0.
                let values: Vec<f64> =
                    (0..10).map(|_| (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0).collect();
                let estimate = interval_of_the_mean(&values, *seed);
                estimate.low <= 0.0 && estimate.high.unwrap() >= 0.0
            })
            .count();
        assert!((178..=198).contains(&covered), "{covered} of {runs}");
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_and_every_resample_is_as_long_as_the_run() {
        let values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0];
        assert_eq!(interval_of_the_mean(&values, 1), interval_of_the_mean(&values, 1));
        for weights in Resamples::draw(&[6], 1).weights {
            assert_eq!(weights.iter().sum::<u32>(), 6);
        }
    }

    /// The mean of trials of three equal seconds each.
    fn of_trials(values: &[f64]) -> Estimate {
        let seconds: Vec<f64> = values.iter().flat_map(|value| [*value; 3]).collect();
        let resamples = Resamples::draw(&vec![3; values.len()], 1);
        let mean = |weights: &[u32]| {
            let total: u32 = weights.iter().sum();
            Some(weights.iter().zip(&seconds).map(|(w, v)| f64::from(*w) * v).sum::<f64>() / f64::from(total))
        };
        resamples.estimate(&resamples.sample(mean(&vec![1; seconds.len()]), mean).unwrap())
    }

    #[test]
    fn several_trials_are_resampled_as_trials_first() {
        let estimate = of_trials(&[1.0, 1.0, 1.0, 9.0, 9.0, 9.0]);
        assert_eq!((estimate.low, estimate.high, estimate.basis), (1.0, Some(9.0), Basis::AcrossRuns));
    }

    #[test]
    fn few_trials_have_students_interval() {
        let estimate = of_trials(&[2.0, 8.0]);
        // ln 4 ± 12.706 ln(2).
        assert!(
            (estimate.high.unwrap().ln() - (4_f64.ln() + 12.706 * 2_f64.ln())).abs() < 1e-9,
            "{estimate:?}"
        );
        assert!(estimate.low > 0.0 && estimate.low < 0.001, "{estimate:?}");
        assert_eq!((estimate.point, estimate.basis), (5.0, Basis::AcrossRuns));
    }

    #[test]
    fn what_disturbs_a_round_is_in_no_difference_and_a_round_without_a_pair_is_left_out() {
        let of = |rounds: &[(u32, f64)], seed: u64| {
            let lengths: Vec<(u32, usize)> = rounds.iter().map(|(round, _)| (*round, 1)).collect();
            let resamples = Resamples::draw_rounds(&lengths, 7, seed);
            let mean = |weights: &[u32]| {
                let sum: f64 =
                    weights.iter().zip(rounds).map(|(weight, (_, value))| f64::from(*weight) * value).sum();
                Some(sum / f64::from(weights.iter().sum::<u32>()))
            };
            let sampled = resamples.sample(mean(&vec![1; rounds.len()]), mean).unwrap();
            (resamples, sampled)
        };
        // Three rounds, of which the middle one was slow for everybody; one is missing.
        let (resamples, subject) = of(&[(0, 11.0), (1, 31.0), (2, 12.0)], 1);
        let (_, control) = of(&[(1, 30.0), (2, 11.0)], 2);
        let difference = resamples.estimate(&subject.minus(&control).unwrap());
        assert_eq!(subject.minus(&control).unwrap().trials, [(1, 1.0), (2, 1.0)]);
        assert!(difference.low <= 1.0, "{difference:?}");
        // Eight rounds are resampled, the same ones for both.
        let noise = [0.0, 50.0, 3.0, 7.0, 90.0, 1.0, 20.0, 4.0];
        let with = |more: f64| (0..).zip(noise.map(|noise| noise + more)).collect::<Vec<(u32, f64)>>();
        let ((resamples, subject), (_, control)) = (of(&with(5.0), 1), of(&with(3.0), 2));
        let difference = resamples.estimate(&subject.minus(&control).unwrap());
        assert!(
            (difference.low - 2.0).abs() < 1e-9 && (difference.high.unwrap() - 2.0).abs() < 1e-9,
            "{difference:?}"
        );
    }

    #[test]
    fn a_run_of_less_than_three_seconds_has_no_interval() {
        for seconds in [&[1.0][..], &[1.0, 2.0]] {
            assert_eq!(interval_of_the_mean(seconds, 1).basis, Basis::TooFew);
        }
        assert_eq!(interval_of_the_mean(&[1.0, 2.0, 3.0], 1).basis, Basis::WithinRun);
    }
}
