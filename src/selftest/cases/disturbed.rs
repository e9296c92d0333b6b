//! The truth is read back while generator, server or both are stopped at random.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rustix::process::Signal;

use crate::analysis::{Summary, analyse};
use crate::metric::MetricId;
use crate::observation::Distribution;
use crate::selftest::Effort;
use crate::selftest::bench::{Bench, SelftestError};
use crate::selftest::figures::quantile;
use crate::selftest::known::{KnownServer, KnownTimes};
use crate::selftest::law::Law;
use crate::selftest::process::{LoadProcess, PATIENCE, send};
use crate::selftest::report::{Case, Finding};

/// Whom the stops hit. What watches the server's core is stopped with the server: it loses the core as well.
#[derive(Clone, Copy, Debug)]
enum Stopped {
    Generator,
    Server,
    Both,
}

/// Of the time so much is taken, in pieces between these: shorter ones than 5 % of a service do not count.
const SHARES: [(f64, [Duration; 2]); 3] = [
    (0.01, [Duration::from_millis(10), Duration::from_millis(30)]),
    (0.05, [Duration::from_millis(1), Duration::from_millis(10)]),
    (0.20, [Duration::from_micros(500), Duration::from_millis(10)]),
];
/// So narrow that chance moves its quantiles by less than the tolerance, and so long that loopback does.
const LAW: Law = Law::Uniform { from: Duration::from_millis(8), to: Duration::from_millis(12) };
const RATE: f64 = 400.0;
const CONNECTIONS: u32 = 64;
const SEED: u64 = 10;

/// With fewer requests beyond it a quantile is that of a handful, and no claim. On some virtual machines the server, which sleeps,
/// is woken up to 8 ms late by its timer though nobody has its core: a handful of such answers is no figure of the generator.
const BEYOND: f64 = 20.0;

/// What is claimed, and how far it may be from the truth.
const CLAIMS: [(MetricId, f64, f64); 4] = [
    (MetricId::LatencyP50, 0.5, 0.03),
    (MetricId::LatencyP90, 0.9, 0.03),
    (MetricId::LatencyP99, 0.99, 0.03),
    (MetricId::LatencyP999, 0.999, 0.10),
];

pub(super) fn cases(bench: &Bench, program: &Path, effort: Effort) -> Result<Vec<Case>, SelftestError> {
    let mut cases = Vec::new();
    for (share, pieces) in SHARES {
        for stopped in [Stopped::Generator, Stopped::Server, Stopped::Both] {
            cases.push(case(bench, program, effort, (share, pieces), stopped)?);
        }
    }
    Ok(cases)
}

fn case(
    bench: &Bench,
    program: &Path,
    effort: Effort,
    (share, pieces): (f64, [Duration; 2]),
    stopped: Stopped,
) -> Result<Case, SelftestError> {
    let known = KnownTimes { law: LAW, seed: SEED, cores: bench.server_cores().to_vec() };
    let server = KnownServer::start(program, &known)?;
    let id = server.id().to_string();
    let more = ["--server-process", &id];
    let lasts = effort.of(Duration::from_secs(20));
    let mut process = LoadProcess::start(program, server.address, RATE, CONNECTIONS, lasts, &more)?;
    // Connections are opened and cores watched before anything is sent.
    sleep(Duration::from_millis(500));
    let watch = process.children();
    let hit: Vec<u32> = match stopped {
        Stopped::Generator => vec![process.id()],
        Stopped::Server => watch.into_iter().chain([server.id()]).collect(),
        Stopped::Both => watch.into_iter().chain([server.id(), process.id()]).collect(),
    };
    let begun = Instant::now();
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mean = (pieces[0] + pieces[1]) / 2;
    while process.is_running() && begun.elapsed() < lasts {
        let between = mean.mul_f64((1.0 - share) / share * -(1.0 - random.random::<f64>()).ln());
        sleep(between);
        stop(&hit, pieces[0] + pieces[1].saturating_sub(pieces[0]).mul_f64(random.random()));
    }
    let (recording, _) = process.recording(lasts + PATIENCE)?;
    let truth = server.end()?;
    let summary = analyse(&[recording]).subjects.remove(0);
    let name = format!("{:.0} % of the time taken from {stopped:?}, pieces of {pieces:?}", 100.0 * share);
    Ok(Case { name, findings: findings(&summary, &truth, share) })
}

/// Stops processes for a while.
fn stop(processes: &[u32], lasts: Duration) {
    // Whoever ended meanwhile has nothing to lose.
    let tell = |signal| processes.iter().for_each(|process| drop(send(*process, signal)));
    tell(Signal::STOP);
    sleep(lasts);
    tell(Signal::CONT);
}

fn findings(summary: &Summary, truth: &Distribution, share: f64) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (metric, q, tolerance) in CLAIMS {
        let Some(estimate) = summary.estimates.get(&metric) else { continue };
        // What is not claimed need not be right.
        let followed: u64 = summary.series.moments.iter().map(|moment| moment.requests).sum();
        if !estimate.standing.is_lost() && followed as f64 * (1.0 - q) >= BEYOND {
            let figures = (truth, estimate.point * 1e9);
            findings.push(Finding::estimated(&metric.id(), q, figures, followed, tolerance));
        }
        // The figure of all requests is wrong where it must be, or this shows nothing.
        if metric == MetricId::LatencyP99 && share > 0.02 {
            let (all, truth) = (estimate.of_all.unwrap_or(0.0) * 1e9, quantile(truth, q));
            let reported = format!("{:.3} ms", all / 1e6);
            let is_wrong = (all - truth).abs() > tolerance * truth;
            findings.push(Finding::checked(
                "p99 of all requests",
                "another one".to_owned(),
                reported,
                is_wrong,
            ));
        }
    }
    findings
}
