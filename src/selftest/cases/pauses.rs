//! A server that stalls and a generator that is stopped look the same to a user, and different to whoever asks why.

use std::path::Path;
use std::time::Duration;

use crate::analysis::{Warning, analyse};
use crate::arrival::{ArrivalProcess, Constant};
use crate::observation::{Distribution, Load, Recording};
use crate::selftest::Effort;
use crate::selftest::bench::{Bench, SelftestError};
use crate::selftest::figures::{QUANTILES, quantile, whole};
use crate::selftest::machine::{Held, Watch};
use crate::selftest::process::{Pause, Process};
use crate::selftest::report::{Case, Finding, Unit, judged};
use crate::selftest::server::{Behaviour, Server};
use crate::units::{Offset, Rate, Stamp};

/// How far a quantile may be from the truth.
const TOLERANCE: f64 = 0.01;
const RATE: f64 = 1_000.0;
/// How long a request takes otherwise.
const SERVICE: Duration = Duration::from_millis(1);
/// A connection for everyone who is due while nobody answers.
const CONNECTIONS: u32 = 1_100;
/// The generator's process ends so long after its last request, at the most.
const PATIENCE: Duration = Duration::from_secs(30);

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
    let server = bench.serve(behaviour)?;
    let (recording, held, begin) = run(bench, program, server, course, |_| Ok(()))?;
    let end = begin + u64_nanos(course.begins + course.lasts);
    let truth = latencies(course, begin, [begin + u64_nanos(course.begins), end], SERVICE);
    let load = load(&recording)?;
    let mut findings = near(&truth, &whole(load, |second| &second.latency), "latency", held);
    findings.extend(near(&truth, &whole(load, |second| &second.service), "service", held));
    let lag = quantile(&whole(load, |second| &second.lag), 0.99);
    let unfit = held.hides_quantile(0.99, Duration::from_millis(1), TOLERANCE);
    findings.push(Finding::at_most("generator's lag p99", Unit::Millis, (1e6, lag), unfit));
    findings.push(Finding::stated("the generator is blamed", false, is_blamed(&recording), unfit));
    Ok(findings)
}

fn stopped(bench: &Bench, program: &Path, course: &Course) -> Result<Vec<Finding>, SelftestError> {
    let server =
        bench.serve(Behaviour::Stall { service: SERVICE, after: course.run * 100, lasts: SERVICE })?;
    let mut seen = None;
    let stop = |process: &mut Process| {
        seen = Some(process.pause(course.lasts)?);
        Ok(())
    };
    let (recording, mut held, begin) = run(bench, program, server, course, stop)?;
    let Pause { from, to, unsure } = seen.expect("it was stopped");
    held.generator += unsure;
    let [from, to] = [from, to].map(Stamp::nanos);
    let load = load(&recording)?;
    // Due in the meantime, and sent as soon as it went on.
    let late = latencies(course, begin, [from, to], Duration::ZERO);
    let truth = latencies(course, begin, [from, to], SERVICE);
    let mut findings = near(&truth, &whole(load, |second| &second.latency), "latency", held);
    let lag = whole(load, |second| &second.lag);
    findings.extend(near(&late, &lag, "generator's lag", held).into_iter().skip(1));
    let bound = quantile(&lag, 0.99) / 10.0;
    let service = quantile(&whole(load, |second| &second.service), 0.99);
    let unfit = held.hides_quantile(0.99, course.lasts, TOLERANCE);
    findings.push(Finding::at_most("service p99", Unit::Millis, (bound, service), unfit));
    findings.push(Finding::exact("the generator is blamed", true, is_blamed(&recording)));
    Ok(findings)
}

/// The recording of a process, what the machine did meanwhile, and when its load began, in nanoseconds of the clock.
fn run(
    bench: &Bench,
    program: &Path,
    server: Server,
    course: &Course,
    meanwhile: impl FnOnce(&mut Process) -> Result<(), SelftestError>,
) -> Result<(Recording, Held, u64), SelftestError> {
    let mut process = Process::start(program, &server, RATE, CONNECTIONS, course.run)?;
    process.reach(&server, Duration::ZERO)?;
    let watch = Watch::begin(server.task(), bench.server_cores());
    process.reach(&server, course.begins)?;
    meanwhile(&mut process)?;
    let (recording, waited) = process.recording(course.run + PATIENCE)?;
    let mut held = watch.end(waited);
    // Its first request is due at its very beginning.
    let begin = server.first_arrival().expect("the beginning was reached").nanos();
    held.server = held.server.max(server.end().paused);
    Ok((recording, held, begin))
}

/// The latencies of a plan at equal gaps when whoever is due, or would be answered, in the meantime has to wait for its end.
fn latencies(course: &Course, begin: u64, [from, to]: [u64; 2], service: Duration) -> Distribution {
    let rate = Rate::try_from(RATE).expect("above zero");
    let end = Offset::from(course.run);
    let instants = Constant {}.instants(rate, 0).take_while(|due| *due < end);
    instants.fold(Distribution::default(), |mut sum, due| {
        let due = begin + due.nanos();
        let answered = due + u64_nanos(service);
        let answered = if (from..to).contains(&answered) { to } else { answered };
        sum.record(answered - due);
        sum
    })
}

fn near(truth: &Distribution, reported: &Distribution, part: &str, held: Held) -> Vec<Finding> {
    [(0.95, "p95"), QUANTILES[1], QUANTILES[2]]
        .into_iter()
        .map(|(q, name)| {
            let figures = (quantile(truth, q), quantile(reported, q));
            let length = Duration::from_secs_f64(figures.0 / 1e9);
            let unfit = held.hides_quantile(q, length, TOLERANCE);
            Finding::near(&format!("{part} {name}"), Unit::Millis, figures, TOLERANCE, unfit)
        })
        .collect()
}

fn is_blamed(recording: &Recording) -> bool {
    let analysis = analyse(std::slice::from_ref(recording));
    let mut warnings = analysis.subjects.iter().flat_map(|subject| &subject.warnings);
    warnings.any(|warning| matches!(warning, Warning::GeneratorLate { .. }))
}

fn load(recording: &Recording) -> Result<&Load, SelftestError> {
    let nothing = || SelftestError::Process { what: "it measured nothing".to_owned() };
    recording.load.as_ref().ok_or_else(nothing)
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
        let truth = latencies(&course, 0, [4_000_000_000, 5_000_000_000], SERVICE);
        // The prototypes' figures, which took 4 ms for a request.
        for (q, millis) in [(0.95, 504.0), (0.99, 901.0), (0.999, 990.0)] {
            let found = quantile(&truth, q) / 1e6;
            assert!((found / millis - 1.0).abs() < 0.01, "{q}: {found} ms");
        }
        assert_eq!(truth.count(), 10_000);
    }
}
