//! A single worker with a queue is reported as queueing theory has it.

use std::time::Duration;

use crate::arrival::Poisson;
use crate::load::Engine;
use crate::observation::Distribution;
use crate::selftest::Effort;
use crate::selftest::bench::{Bench, SelftestError, Sending};
use crate::selftest::figures::{quantile, whole};
use crate::selftest::law::Law;
use crate::selftest::queueing::{Theory, sojourns};
use crate::selftest::report::{Case, FigureUnit, Finding, judged};
use crate::selftest::server::Behaviour;

/// How long the worker works on a request, on average: 3 % of it are more than the 100 to 180 us by which a request over loopback
/// is longer, the most where nothing is optimised.
const WORK: Duration = Duration::from_millis(7);
/// How far a figure may be from that of the same instants and the same times of work, which is exact.
const TOLERANCE: f64 = 0.03;
/// So many runs of other seeds tell how far a run is from the average by chance.
const OTHERS: u64 = 200;
/// And so many standard deviations of theirs are no longer chance.
const DEVIATIONS: f64 = 4.0;

pub(super) fn cases(bench: &Bench, effort: Effort) -> Result<Vec<Case>, SelftestError> {
    let mut cases = Vec::new();
    for (name, law) in [("M/M/1", Law::Exponential { mean: WORK }), ("M/D/1", Law::Constant(WORK))] {
        for load in [0.5, 0.8, 0.9] {
            cases.push(case(bench, effort, name, law, load)?);
        }
    }
    Ok(cases)
}

fn case(bench: &Bench, effort: Effort, name: &str, law: Law, load: f64) -> Result<Case, SelftestError> {
    let (rate, seed) = (load / WORK.as_secs_f64(), 11);
    let lasts = effort.of(Duration::from_secs(10));
    let sending =
        Sending { engine: Engine::Http1, connections: 400, arrivals: &Poisson {}, rate, lasts, seed };
    // Another seed, or a long gap would be followed by long work.
    let work = seed + 1;
    let exact = sojourns(sending.instants(), law.times(work));
    let theory = Theory::of(law, rate).expect("it is one of both");
    let chance = Chance::of(&sending, law);
    judged(effort.tries(), &format!("queue, {name} at {:.0} % load", 100.0 * load), || {
        let tried = bench.run(Behaviour::Worker { law, seed: work }, &sending)?;
        let found = whole(&tried.driven.load, |second| &second.latency);
        let means = (mean(&exact), mean(&found));
        let p99s = (quantile(&exact, 0.99), quantile(&found, 0.99));
        // What is late joins a queue that is longer by as much as there is load.
        let unfit = tried.held.hides_share(1.0 / (1.0 - load), TOLERANCE);
        // One long pause makes more of a queue than many short ones.
        let unfit =
            unfit.or(tried.held.hides_queueing(load, Duration::from_secs_f64(means.0 / 1e9), TOLERANCE));
        let length = Duration::from_secs_f64(p99s.0 / 1e9);
        let tail = unfit.or(tried.held.hides_quantile(0.99, length, TOLERANCE));
        let near =
            |quantity, figures, unfit| Finding::near(quantity, FigureUnit::Millis, figures, TOLERANCE, unfit);
        let by_chance = |quantity, truth: f64, reported, deviation: f64, unfit| {
            let tolerance = TOLERANCE + DEVIATIONS * deviation / (1e9 * truth);
            Finding::near(quantity, FigureUnit::Millis, (1e9 * truth, reported), tolerance, unfit)
        };
        let mut findings = vec![
            near("mean, of the same instants", means, unfit),
            Finding::quantile("p99, of the same instants", 0.99, (&exact, &found), TOLERANCE, tail),
            by_chance("mean, closed form", theory.mean, means.1, chance.mean, unfit),
        ];
        findings.extend(theory.p99.map(|p99| by_chance("p99, closed form", p99, p99s.1, chance.p99, tail)));
        Ok(findings)
    })
}

/// How far runs of this length scatter, as standard deviations in nanoseconds.
struct Chance {
    mean: f64,
    p99: f64,
}

impl Chance {
    fn of(sending: &Sending<'_>, law: Law) -> Self {
        let runs = (1_000..1_000 + OTHERS).map(|seed| {
            let other = Sending { seed, ..sending.clone() };
            sojourns(other.instants(), law.times(seed + OTHERS))
        });
        let (means, p99s): (Vec<f64>, Vec<f64>) = runs.map(|run| (mean(&run), quantile(&run, 0.99))).unzip();
        Self { mean: deviation(&means), p99: deviation(&p99s) }
    }
}

fn mean(distribution: &Distribution) -> f64 {
    distribution.mean().unwrap_or(0.0)
}

fn deviation(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt()
}
