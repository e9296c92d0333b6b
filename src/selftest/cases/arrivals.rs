//! Arrivals as the server sees them follow the law of the plan.

use std::time::Duration;

use crate::arrival::{Constant, Poisson};
use crate::load::Engine;
use crate::selftest::Effort;
use crate::selftest::bench::{Bench, SelftestError, Sending};
use crate::selftest::law::Law;
use crate::selftest::report::{Case, FigureUnit, Finding, judged};
use crate::selftest::server::Behaviour;

/// The 1 % point of the Kolmogorov distribution, to be divided by the root of the number of gaps.
const KOLMOGOROV: f64 = 1.628;
/// Gaps of a generator that sends by a clock of milliseconds vary by more than they are long.
const VARIATION: f64 = 0.15;
/// What the machine may add to the variation, so that it is not judged by it.
const OF_THE_MACHINE: f64 = 0.05;

/// Answered at once, and stamped.
const STAMPED: Behaviour = Behaviour::Service { law: Law::Constant(Duration::ZERO), seed: 0 };

pub(super) fn cases(bench: &Bench, effort: Effort) -> Result<Vec<Case>, SelftestError> {
    let mut cases = vec![poisson(bench, effort)?];
    for rate in [2_000.0, 10_000.0] {
        cases.push(constant(bench, effort, rate)?);
    }
    Ok(cases)
}

fn poisson(bench: &Bench, effort: Effort) -> Result<Case, SelftestError> {
    let rate = 2_000.0;
    let lasts = effort.of(Duration::from_secs(10));
    let sending =
        Sending { engine: Engine::Http1, connections: 32, arrivals: &Poisson {}, rate, lasts, seed: 7 };
    judged(effort.tries(), "arrivals at the server, poisson 2000/s", || {
        let tried = bench.run(STAMPED, &sending)?;
        let gaps = tried.witness.gaps();
        let (distance, critical) = (distance(&gaps, rate), KOLMOGOROV / (gaps.len() as f64).sqrt());
        let quantity = format!("Kolmogorov-Smirnov distance, n = {}, level 1 %", gaps.len());
        // Whatever is held up moves two gaps from their place in the order.
        let unfit = tried.held.hides_share(2.0, critical / 4.0);
        Ok(vec![Finding::at_most(&quantity, FigureUnit::Plain, (critical, distance), unfit)])
    })
}

fn constant(bench: &Bench, effort: Effort, rate: f64) -> Result<Case, SelftestError> {
    let lasts = effort.of(Duration::from_secs(4));
    let sending =
        Sending { engine: Engine::Http1, connections: 32, arrivals: &Constant {}, rate, lasts, seed: 0 };
    judged(effort.tries(), &format!("arrivals at the server, constant {rate}/s"), || {
        let tried = bench.run(STAMPED, &sending)?;
        let gaps = tried.witness.gaps();
        let quantity = format!("variation of the gaps, n = {}", gaps.len());
        // A single pause of this length adds so much to the variation; several short ones add less.
        let pause = OF_THE_MACHINE * (gaps.len() as f64).sqrt() / rate;
        let unfit = tried.held.hides_whole(Duration::from_secs_f64(pause));
        Ok(vec![Finding::at_most(&quantity, FigureUnit::Plain, (VARIATION, variation(&gaps)), unfit)])
    })
}

/// How far the gaps are from exponential ones of this rate, at the worst place.
fn distance(gaps: &[f64], rate: f64) -> f64 {
    let mut gaps = gaps.to_vec();
    gaps.sort_by(f64::total_cmp);
    let count = gaps.len() as f64;
    let at = |(rank, gap): (usize, &f64)| {
        let expected = 1.0 - (-rate * gap).exp();
        let (below, above) = (rank as f64 / count, (rank + 1) as f64 / count);
        (expected - below).abs().max((expected - above).abs())
    };
    gaps.iter().enumerate().map(at).fold(0.0, f64::max)
}

/// The standard deviation over the mean.
fn variation(gaps: &[f64]) -> f64 {
    let count = gaps.len() as f64;
    let mean = gaps.iter().sum::<f64>() / count;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / count;
    variance.sqrt() / mean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrival::ArrivalProcess;
    use crate::units::{Offset, Rate};

    /// The gaps of a plan when a generator sends by a clock that ticks every so often.
    fn gaps(arrivals: &dyn ArrivalProcess, tick_nanos: u64) -> Vec<f64> {
        let instants = arrivals.instants(Rate::try_from(2_000.0).unwrap(), 7).take(20_001);
        let sent: Vec<u64> =
            instants.map(|due: Offset| due.nanos().div_ceil(tick_nanos) * tick_nanos).collect();
        sent.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1e9).collect()
    }

    #[test]
    fn a_generator_that_sends_when_requests_are_due_passes_and_one_by_milliseconds_is_found_out() {
        let critical = KOLMOGOROV / 20_000.0_f64.sqrt();
        assert!(distance(&gaps(&Poisson {}, 1), 2_000.0) < critical);
        assert!(distance(&gaps(&Poisson {}, 1_000_000), 2_000.0) > 10.0 * critical);
        assert!(variation(&gaps(&Constant {}, 1)) < 0.001);
        assert!(variation(&gaps(&Constant {}, 1_000_000)) > 0.9);
    }
}
