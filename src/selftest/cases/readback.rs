//! Known service times are read back, whatever the law and whichever engine.

use std::time::Duration;

use crate::arrival::Poisson;
use crate::load::Engine;
use crate::observation::Distribution;
use crate::selftest::Effort;
use crate::selftest::bench::{Bench, SelftestError, Sending};
use crate::selftest::figures::{QUANTILES, quantile, whole};
use crate::selftest::law::Law;
use crate::selftest::machine::Held;
use crate::selftest::report::{Case, Finding, judged};
use crate::selftest::server::Behaviour;

/// How far a quantile may be from the truth.
const TOLERANCE: f64 = 0.02;

/// So long that 2 % of them are more than the 20 to 60 us by which a request is longer than its service.
const LAWS: [Law; 4] = [
    Law::Constant(Duration::from_millis(10)),
    Law::Uniform { from: Duration::from_millis(10), to: Duration::from_millis(30) },
    Law::Exponential { mean: Duration::from_millis(20) },
    Law::Bimodal { short: Duration::from_millis(10), long: Duration::from_millis(100), share: 0.1 },
];

/// Both engines for HTTP/1.1.
pub(super) const ENGINES: [Engine; 2] = [Engine::Http1, Engine::Hyper];

/// The only seed: both engines send at the same instants, and the server draws the same times for both.
const SEED: u64 = 4;

/// A case for each law and engine, and one that compares the engines.
pub(super) fn cases(bench: &Bench, effort: Effort) -> Result<Vec<Case>, SelftestError> {
    let mut cases = Vec::new();
    for law in LAWS {
        let mut latencies = Vec::new();
        for engine in ENGINES {
            let name = format!("service time, {law}, engine {}", engine.name());
            cases.push(judged(effort.tries(), &name, || {
                let (truth, reported, held) = read_back(bench, law, engine, effort)?;
                let findings = compare(&truth, &reported, &[held]);
                latencies.push((engine, reported, held));
                Ok::<_, SelftestError>(findings)
            })?);
        }
        let name = format!("service time, {law}, both engines agree");
        cases.push(Case { name, findings: agree(&latencies) });
    }
    Ok(cases)
}

fn read_back(
    bench: &Bench,
    law: Law,
    engine: Engine,
    effort: Effort,
) -> Result<(Distribution, Distribution, Held), SelftestError> {
    let sending = Sending {
        engine,
        connections: 120,
        arrivals: &Poisson {},
        rate: 1_000.0,
        lasts: effort.of(Duration::from_secs(8)),
        seed: SEED,
    };
    let tried = bench.run(Behaviour::Service { law, seed: SEED + 1 }, &sending)?;
    let latency = whole(&tried.driven.load, |second| &second.latency);
    Ok((tried.witness.planned(), latency, tried.held))
}

fn compare(truth: &Distribution, reported: &Distribution, held: &[Held]) -> Vec<Finding> {
    let finding = |(q, name): (f64, &str)| {
        let length = Duration::from_secs_f64(quantile(truth, q) / 1e9);
        let unfit = held.iter().find_map(|held| held.hides_quantile(q, length, TOLERANCE));
        Finding::quantile(name, q, (truth, reported), TOLERANCE, unfit)
    };
    QUANTILES.into_iter().map(finding).collect()
}

/// The quietest run of each engine beside that of the other.
fn agree(latencies: &[(Engine, Distribution, Held)]) -> Vec<Finding> {
    let quietest = |engine: Engine| {
        let runs = latencies.iter().filter(move |(of, ..)| *of == engine);
        runs.min_by_key(|(_, _, held)| held.whole())
    };
    let [own, hyper] = ENGINES.map(quietest);
    let Some(((_, own, held), (_, hyper, other))) = own.zip(hyper) else { return Vec::new() };
    compare(hyper, own, &[*held, *other])
}
