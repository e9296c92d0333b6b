//! What a selftest found: every figure beside the truth, and a verdict on it.

use std::fmt;

use serde::Serialize;

use crate::observation::Distribution;
use crate::selftest::figures::quantile;
use crate::selftest::machine::Held;

/// A case that was tried.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
    /// What was tried.
    pub name: String,
    /// Every figure of it.
    pub findings: Vec<Finding>,
}

/// A figure beside the truth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Which figure.
    pub quantity: String,
    /// What is true, in words with its unit.
    pub truth: String,
    /// What was reported, in the same words.
    pub reported: String,
    /// How far it may be off.
    pub tolerance: String,
    /// Whether a busy machine can make it worthless.
    #[serde(skip)]
    pub is_timed: bool,
    /// What follows.
    #[serde(flatten)]
    pub verdict: TestVerdict,
}

/// What follows from a figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum TestVerdict {
    /// It is right.
    Pass,
    /// It is wrong.
    Fail,
    /// It is wrong, but the machine, and not the generator, may be to blame.
    NotJudged {
        /// What the machine did.
        why: String,
    },
}

impl TestVerdict {
    fn of(right: bool, obstacle: Option<Held>) -> Self {
        // What a machine does to a run makes its figures wrong, never right: only a wrong one can be excused.
        match (right, obstacle) {
            (true, _) => Self::Pass,
            (false, Some(held)) => Self::NotJudged { why: held.to_string() },
            (false, None) => Self::Fail,
        }
    }
}

impl fmt::Display for TestVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("pass"),
            Self::Fail => f.write_str("FAIL"),
            Self::NotJudged { why } => write!(f, "not judged (of the time {why})"),
        }
    }
}

/// The unit of a figure that has digits behind the point.
#[derive(Clone, Copy, Debug)]
pub(super) enum FigureUnit {
    /// Given in nanoseconds.
    Millis,
    /// A plain number.
    Plain,
}

impl FigureUnit {
    fn text(self, value: f64) -> String {
        match self {
            Self::Millis => format!("{:.3} ms", value / 1e6),
            Self::Plain => format!("{value:.4}"),
        }
    }
}

impl Finding {
    /// A figure that may be off by a share of the truth.
    pub(super) fn near(
        quantity: &str,
        unit: FigureUnit,
        (truth, reported): (f64, f64),
        tolerance: f64,
        obstacle: Option<Held>,
    ) -> Self {
        let right = (reported - truth).abs() <= tolerance * truth.abs();
        Self {
            quantity: quantity.to_owned(),
            truth: unit.text(truth),
            reported: unit.text(reported),
            tolerance: format!("{:.1} %", 100.0 * tolerance),
            is_timed: true,
            verdict: TestVerdict::of(right, obstacle),
        }
    }

    /// A quantile in nanoseconds that may be off by a share of the truth, and by what chance does to one of so few requests.
    pub(super) fn quantile(
        quantity: &str,
        q: f64,
        (truth, reported): (&Distribution, &Distribution),
        tolerance: f64,
        obstacle: Option<Held>,
    ) -> Self {
        let ranks = ranks(q, reported.count());
        let [low, high] = ranks.map(|q| quantile(reported, q));
        let (truth, reported) = (quantile(truth, q), quantile(reported, q));
        let right = low <= truth * (1.0 + tolerance) && truth * (1.0 - tolerance) <= high;
        Self {
            tolerance: allowed(tolerance, q, ranks),
            verdict: TestVerdict::of(right, obstacle),
            ..Self::near(quantity, FigureUnit::Millis, (truth, reported), tolerance, None)
        }
    }

    /// The same of a figure that was estimated from so many requests.
    pub(super) fn estimated(
        quantity: &str,
        q: f64,
        (truth, reported): (&Distribution, f64),
        requests: u64,
        tolerance: f64,
    ) -> Self {
        let ranks = ranks(q, requests);
        let [low, high] = ranks.map(|q| quantile(truth, q));
        let right = low * (1.0 - tolerance) <= reported && reported <= high * (1.0 + tolerance);
        Self {
            tolerance: allowed(tolerance, q, ranks),
            verdict: TestVerdict::of(right, None),
            ..Self::near(quantity, FigureUnit::Millis, (quantile(truth, q), reported), tolerance, None)
        }
    }

    /// A figure that may not exceed a bound.
    pub(super) fn at_most(
        quantity: &str,
        unit: FigureUnit,
        (bound, reported): (f64, f64),
        obstacle: Option<Held>,
    ) -> Self {
        Self {
            quantity: quantity.to_owned(),
            truth: format!("at most {}", unit.text(bound)),
            reported: unit.text(reported),
            tolerance: String::new(),
            is_timed: true,
            verdict: TestVerdict::of(reported <= bound, obstacle),
        }
    }

    /// What must be exactly so, whatever the machine does.
    pub(super) fn exact<T: fmt::Display + PartialEq + Copy>(quantity: &str, truth: T, reported: T) -> Self {
        Self { is_timed: false, ..Self::stated(quantity, truth, reported, None) }
    }

    /// What must be exactly so where the machine was fit.
    pub(super) fn stated<T: fmt::Display + PartialEq + Copy>(
        quantity: &str,
        truth: T,
        reported: T,
        obstacle: Option<Held>,
    ) -> Self {
        Self {
            quantity: quantity.to_owned(),
            truth: truth.to_string(),
            reported: reported.to_string(),
            tolerance: "exact".to_owned(),
            is_timed: true,
            verdict: TestVerdict::of(truth == reported, obstacle),
        }
    }

    /// A check that something else has made.
    pub(super) fn checked(quantity: &str, truth: String, reported: String, right: bool) -> Self {
        Self::checked_on(quantity, truth, reported, right, None)
    }

    /// The same where the machine may be to blame.
    pub(super) fn checked_on(
        quantity: &str,
        truth: String,
        reported: String,
        right: bool,
        obstacle: Option<Held>,
    ) -> Self {
        let (quantity, tolerance) = (quantity.to_owned(), String::new());
        Self {
            quantity,
            truth,
            reported,
            tolerance,
            is_timed: false,
            verdict: TestVerdict::of(right, obstacle),
        }
    }

    /// Whether something follows.
    pub fn is_judged(&self) -> bool {
        !matches!(self.verdict, TestVerdict::NotJudged { .. })
    }
}

/// With fewer requests beyond it a quantile is that of a few, as in every report: chance moves it.
const ENOUGH: f64 = 100.0;
/// So many standard deviations are no longer chance: of a hundred figures one is further off in 160 runs.
const DEVIATIONS: f64 = 4.0;

/// Between which quantiles one of so many requests lies: how many of them lie beyond it is binomial, whatever their distribution
/// (David and Nagaraja, Order Statistics, section 7.1).
fn ranks(q: f64, requests: u64) -> [f64; 2] {
    let count = requests.max(1) as f64;
    if count * (1.0 - q) >= ENOUGH {
        return [q, q];
    }
    let chance = DEVIATIONS * (q * (1.0 - q) / count).sqrt();
    [(q - chance).max(0.0), (q + chance).min(1.0)]
}

fn allowed(tolerance: f64, q: f64, [low, high]: [f64; 2]) -> String {
    let tolerance = 100.0 * tolerance;
    if low < q {
        format!("{tolerance:.1} % of p{:.1} to p{:.1}", 100.0 * low, 100.0 * high)
    } else {
        format!("{tolerance:.1} %")
    }
}

/// Tries a case until every figure was judged, at most so often. The first run that came out right, or that was wrong
/// on a machine that was fit, is the one that counts for a figure: there is no second chance.
pub(super) fn judged<E>(
    tries: u32,
    name: &str,
    mut attempt: impl FnMut() -> Result<Vec<Finding>, E>,
) -> Result<Case, E> {
    let mut findings: Vec<Finding> = Vec::new();
    for _ in 0..tries.max(1) {
        let next = attempt()?;
        if findings.is_empty() {
            findings = next;
        } else {
            for (known, next) in findings.iter_mut().zip(next) {
                if !known.is_judged() {
                    *known = next;
                }
            }
        }
        if findings.iter().all(Finding::is_judged) {
            break;
        }
    }
    Ok(Case { name: name.to_owned(), findings })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use super::*;

    fn busy() -> Held {
        Held { lasted: Duration::from_secs(1), server: Duration::from_millis(9), ..Held::default() }
    }

    #[test]
    fn a_figure_within_its_tolerance_passes_and_one_outside_fails_unless_the_machine_was_unfit() {
        let near =
            |reported, unfit| Finding::near("p50", FigureUnit::Millis, (1e6, reported), 0.02, unfit).verdict;
        assert_eq!((near(1.019e6, None), near(1.021e6, None)), (TestVerdict::Pass, TestVerdict::Fail));
        assert_eq!(near(1.019e6, Some(busy())), TestVerdict::Pass);
        let why = near(1.021e6, Some(busy())).to_string();
        assert!(why.ends_with("the server 0.90 %; the host took 0.00 %)"), "{why}");
        assert_eq!(Finding::at_most("lag", FigureUnit::Plain, (1.0, 1.1), None).verdict, TestVerdict::Fail);
        assert_eq!(Finding::exact("lost", 0, 0).verdict, TestVerdict::Pass);
    }

    #[test]
    fn a_quantile_of_few_requests_may_be_off_by_as_many_as_chance_moves_beyond_it() {
        // All take 10 ms, but for a few that the machine delayed.
        let of = |requests: u64, delayed: u64| {
            let mut distribution = Distribution::default();
            distribution.record_many(10_000_000, requests - delayed);
            distribution.record_many(18_000_000, delayed);
            distribution
        };
        let verdict = |q, requests, delayed| {
            let figures = (&of(requests, 0), &of(requests, delayed));
            Finding::quantile("", q, figures, 0.02, None)
        };
        // Three of 2,400 are the whole tail of p99.9; of p99 twenty more may be late, and not fifty.
        assert_eq!(verdict(0.999, 2_400, 3).verdict, TestVerdict::Pass);
        assert_eq!(verdict(0.999, 2_400, 30).verdict, TestVerdict::Fail);
        assert_eq!(verdict(0.99, 2_400, 40).verdict, TestVerdict::Pass);
        assert_eq!(verdict(0.99, 2_400, 50).verdict, TestVerdict::Fail);
        assert_eq!(verdict(0.99, 2_400, 0).tolerance, "2.0 % of p98.2 to p99.8");
        // Of enough requests nothing is chance.
        assert_eq!(verdict(0.99, 12_000, 121).verdict, TestVerdict::Fail);
        assert_eq!(verdict(0.5, 2_400, 1_201).verdict, TestVerdict::Fail);
        assert_eq!(verdict(0.5, 2_400, 0).tolerance, "2.0 %");
        // Whatever is off by more than the tolerance in all requests is found of few, too.
        let slow = of(2_400, 2_400);
        assert_eq!(
            Finding::quantile("", 0.999, (&of(2_400, 0), &slow), 0.02, None).verdict,
            TestVerdict::Fail
        );
        let estimated =
            |reported| Finding::estimated("", 0.99, (&of(2_400, 30), reported), 2_400, 0.02).verdict;
        assert_eq!(
            [10.1e6, 18.0e6, 9.7e6, 18.5e6].map(estimated),
            [TestVerdict::Pass, TestVerdict::Pass, TestVerdict::Fail, TestVerdict::Fail]
        );
    }

    #[test]
    fn the_first_run_that_judges_counts_for_each_figure_and_later_ones_change_nothing() {
        let mut run = 0;
        let case = judged(5, "x", || {
            run += 1;
            let figure = |reported, unfit| Finding::near("q", FigureUnit::Plain, (1.0, reported), 0.1, unfit);
            let (first, second) = match run {
                1 => (figure(1.0, None), figure(2.0, Some(busy()))),
                2 => (figure(2.0, None), figure(2.0, Some(busy()))),
                _ => (figure(2.0, None), figure(1.0, None)),
            };
            Ok::<_, Infallible>(vec![first, second])
        });
        let verdicts: Vec<_> = case.unwrap().findings.into_iter().map(|finding| finding.verdict).collect();
        assert_eq!((run, verdicts), (3, vec![TestVerdict::Pass, TestVerdict::Pass]));
    }
}
