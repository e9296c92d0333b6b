//! A server that stalls and a generator that is stopped look the same to a user, and different to whoever asks why.

use std::path::Path;
use std::time::Duration;

use crate::analysis::{Warning, analyse};
use crate::arrival::{ArrivalProcess, Constant};
use crate::metric::MetricId;
use crate::observation::{Distribution, Load, Recording};
use crate::selftest::Effort;
use crate::selftest::bench::{Bench, SelftestError};
use crate::selftest::figures::{QUANTILES, quantile, whole};
use crate::selftest::law::Law;
use crate::selftest::machine::{Held, RunWatch};
use crate::selftest::process::{LoadProcess, PATIENCE, Pause};
use crate::selftest::report::{Case, FigureUnit, Finding, judged};
use crate::selftest::server::{Behaviour, Served, Witness};
use crate::units::{Offset, Rate, Stamp};

/// How far a quantile may be from the truth.
const TOLERANCE: f64 = 0.01;
/// The same beside the closed form, which knows nothing of the time it takes to send, or to answer, a thousand requests at once:
/// microseconds for each, tens of them in a debug build.
const CATCHING_UP: f64 = if cfg!(debug_assertions) { 0.1 } else { 0.01 };
const RATE: f64 = 1_000.0;
/// How long a request takes otherwise.
const SERVICE: Duration = Duration::from_millis(1);
/// A connection for everyone who is due while nobody answers.
const CONNECTIONS: u32 = 1_100;

/// A generator that lost its core for so much of the time was stopped.
const STOPPED: f64 = 0.08;

/// The tenth of a run in which nobody answers: of ten seconds the one from the fourth to the fifth.
struct Course {
    lasts: Duration,
    begins: Duration,
    run: Duration,
}

pub(super) fn cases(bench: &Bench, program: &Path, effort: Effort) -> Result<Vec<Case>, SelftestError> {
    let run = effort.of(Duration::from_secs(10));
    let course = Course { lasts: run / 10, begins: run * 4 / 10, run };
    let seconds = course.lasts.as_secs_f64();
    Ok(vec![
        judged(effort.tries(), &format!("A: the server stalls for {seconds} s"), || {
            stalled(bench, program, &course)
        })?,
        judged(effort.tries(), &format!("B: the generator is stopped for {seconds} s"), || {
            stopped(bench, program, &course)
        })?,
    ])
}

fn stalled(bench: &Bench, program: &Path, course: &Course) -> Result<Vec<Finding>, SelftestError> {
    let behaviour = Behaviour::Stall { service: SERVICE, after: course.begins, lasts: course.lasts };
    let seen = run(bench, program, behaviour, course, |_| Ok(()))?;
    let from = seen.first + u64_nanos(course.begins);
    let theory = course.latencies(seen.begin, [from, from + u64_nanos(course.lasts)]);
    let load = seen.load()?;
    let latency = whole(load, |second| &second.latency);
    let mut findings = seen.near("latency", &seen.latencies(), &latency, TOLERANCE);
    findings.extend(seen.near("latency, closed form,", &theory, &latency, CATCHING_UP));
    let service = whole(load, |second| &second.service);
    findings.extend(seen.near("service", &seen.witness.taken(), &service, TOLERANCE));
    let lag = quantile(&whole(load, |second| &second.lag), 0.99);
    let unfit = seen.held.hides_quantile(0.99, Duration::from_millis(1), TOLERANCE);
    findings.push(Finding::at_most("generator's lag p99", FigureUnit::Millis, (1e6, lag), unfit));
    findings.push(Finding::stated("the generator is blamed", false, seen.is_generator_blamed(), unfit));
    Ok(findings)
}

fn stopped(bench: &Bench, program: &Path, course: &Course) -> Result<Vec<Finding>, SelftestError> {
    let mut pause = None;
    let stop = |process: &mut LoadProcess| {
        pause = Some(process.pause(course.lasts)?);
        Ok(())
    };
    let law = Law::Constant(SERVICE);
    let mut seen = run(bench, program, Behaviour::Service { law, seed: 0 }, course, stop)?;
    let Pause { from, to, unsure } = pause.expect("it was stopped");
    seen.held.generator += unsure;
    let theory = course.latencies(seen.begin, [from, to].map(Stamp::nanos));
    let load = seen.load()?;
    let latency = whole(load, |second| &second.latency);
    let mut findings = seen.near("latency", &seen.latencies(), &latency, TOLERANCE);
    findings.extend(seen.near("latency, closed form,", &theory, &latency, CATCHING_UP));
    let lag = whole(load, |second| &second.lag);
    findings.extend(seen.near("generator's lag", &seen.lags(), &lag, TOLERANCE));
    let bound = quantile(&lag, 0.99) / 10.0;
    let service = quantile(&whole(load, |second| &second.service), 0.99);
    let unfit = seen.held.hides_quantile(0.99, course.lasts, TOLERANCE);
    findings.push(Finding::at_most("service p99", FigureUnit::Millis, (bound, service), unfit));
    findings.push(Finding::exact("the generator is blamed", true, seen.is_generator_blamed()));
    let left_alone = seen.undisturbed(MetricId::LatencyP99);
    findings.push(Finding::at_most("latency p99 left alone", FigureUnit::Millis, (bound, left_alone), unfit));
    Ok(findings)
}

/// What everybody saw of a run.
struct Seen {
    recording: Recording,
    held: Held,
    witness: Witness,
    /// When the load began, in nanoseconds of the clock.
    begin: u64,
    /// When its first request arrived, from which the server counts.
    first: u64,
}

fn run(
    bench: &Bench,
    program: &Path,
    behaviour: Behaviour,
    course: &Course,
    meanwhile: impl FnOnce(&mut LoadProcess) -> Result<(), SelftestError>,
) -> Result<Seen, SelftestError> {
    let server = bench.serve(behaviour)?;
    let mut process = LoadProcess::start(
        program,
        server.address(),
        RATE,
        CONNECTIONS,
        course.run,
        &["--arrivals", "constant"],
    )?;
    process.reach(&server, Duration::ZERO)?;
    let watch = RunWatch::begin(server.task(), bench.server_cores());
    process.watch();
    process.reach(&server, course.begins)?;
    meanwhile(&mut process)?;
    let (recording, waited) = process.recording(course.run + PATIENCE)?;
    let mut held = watch.end(waited);
    let first = server.first_arrival().expect("the beginning was reached").nanos();
    let witness = server.end();
    // The first request is due at the very beginning, but it may have been late: of all requests some was not.
    let before = witness.served.iter().zip(instants());
    let before = before.map(|(served, due)| served.arrived.nanos().saturating_sub(due.nanos()));
    let begin = before.min().unwrap_or(first);
    held.server = held.server.max(witness.paused);
    Ok(Seen { recording, held, witness, begin, first })
}

impl Seen {
    /// From the instant a request was due to the answer, by the server's stamps.
    fn latencies(&self) -> Distribution {
        self.since_due(|served| served.answered)
    }

    /// From the instant a request was due to its arrival, by the server's stamps.
    fn lags(&self) -> Distribution {
        self.since_due(|served| Some(served.arrived))
    }

    /// At equal gaps requests arrive in the order in which they are due.
    fn since_due(&self, until: fn(&Served) -> Option<Stamp>) -> Distribution {
        self.witness.served.iter().zip(instants()).fold(Distribution::default(), |mut sum, (served, due)| {
            if let Some(until) = until(served) {
                sum.record(until.nanos().saturating_sub(self.begin + due.nanos()));
            }
            sum
        })
    }

    fn near(
        &self,
        part: &str,
        truth: &Distribution,
        reported: &Distribution,
        tolerance: f64,
    ) -> Vec<Finding> {
        let finding = |(q, name): (f64, &str)| {
            let length = Duration::from_secs_f64(quantile(truth, q) / 1e9);
            let unfit = self.held.hides_quantile(q, length, tolerance);
            Finding::quantile(&format!("{part} {name}"), q, (truth, reported), tolerance, unfit)
        };
        [(0.95, "p95"), QUANTILES[1], QUANTILES[2]].into_iter().map(finding).collect()
    }

    fn load(&self) -> Result<&Load, SelftestError> {
        let nothing = || SelftestError::Process { what: "it measured nothing".to_owned() };
        self.recording.load.as_ref().ok_or_else(nothing)
    }

    /// Whether it says that something stopped the generator.
    fn is_generator_blamed(&self) -> bool {
        let analysis = analyse(std::slice::from_ref(&self.recording));
        let mut warnings = analysis.subjects.iter().flat_map(|subject| &subject.warnings);
        warnings
            .any(|warning| matches!(warning, Warning::Disturbed { generator, .. } if *generator > STOPPED))
    }

    /// The latency without what the gap disturbed, in nanoseconds.
    fn undisturbed(&self, metric: MetricId) -> f64 {
        let analysis = analyse(std::slice::from_ref(&self.recording));
        let estimate = analysis.subjects.first().and_then(|subject| subject.estimates.get(&metric).copied());
        estimate.map_or(0.0, |estimate| estimate.point * 1e9)
    }
}

impl Course {
    /// The latencies when whoever would be answered in the meantime has to wait for its end, and no longer.
    fn latencies(&self, begin: u64, [from, to]: [u64; 2]) -> Distribution {
        let end = Offset::from(self.run);
        instants().take_while(|due| *due < end).fold(Distribution::default(), |mut sum, due| {
            let due = begin + due.nanos();
            let answered = due + u64_nanos(SERVICE);
            let answered = if (from..to).contains(&answered) { to } else { answered };
            sum.record(answered - due);
            sum
        })
    }
}

fn instants() -> impl Iterator<Item = Offset> {
    Constant {}.instants(Rate::try_from(RATE).expect("above zero"), 0)
}

fn u64_nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).expect("less than 584 years")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_without_an_answer_in_ten_is_what_theory_says() {
        let second = Duration::from_secs(1);
        let course = Course { lasts: second, begins: 4 * second, run: 10 * second };
        let truth = course.latencies(0, [4_000_000_000, 5_000_000_000]);
        // The prototypes' figures, which took 4 ms for a request.
        for (q, millis) in [(0.95, 504.0), (0.99, 901.0), (0.999, 990.0)] {
            let found = quantile(&truth, q) / 1e6;
            assert!((found / millis - 1.0).abs() < 0.01, "{q}: {found} ms");
        }
        assert_eq!(truth.count(), 10_000);
    }
}
