//! How many times as long one thing takes as another, measured side by side.

use std::time::{Duration, Instant};

use super::interval::{Interval, Judgement};
use super::subjects::Subject;

/// Each batch lasts about this long: short against what disturbs a machine, long against a look at the clock.
const BATCH: Duration = Duration::from_micros(400);
const PAIRS: usize = 1_500;

/// From this bare verification on, a target holds for the whole validation of every scheme.
const SLOW: Duration = Duration::from_micros(30);

/// One row a scheme: the times of the quietest batches, and the ratios.
pub(crate) fn print(subjects: &[Subject], quick: bool) {
    let pairs = if quick { 3 } else { PAIRS };
    say(&format!(
        "{:<28}{:>10}{:>10}  {:<40}{:>16}  whole / jsonwebtoken",
        "scheme", "bare us", "whole us", "whole / bare (95 % interval)", "jsonwebtoken us"
    ));
    for subject in subjects {
        let own = compare(|| subject.validate(), || subject.verify_signature(), pairs);
        let library = subject.library.as_ref();
        let beside =
            library.map(|library| compare(|| subject.validate(), || library.decode(&subject.token), pairs));
        let (decode, ratio) = beside.map_or_else(
            || ("-".to_owned(), "-".to_owned()),
            |beside| {
                (
                    format!("{:.2}", micros(beside.second)),
                    judged(&beside.ratio, target_beside_jsonwebtoken(subject)),
                )
            },
        );
        say(&format!(
            "{:<28}{:>10.2}{:>10.2}  {:<40}{:>16}  {}",
            subject.name,
            micros(own.second),
            micros(own.first),
            judged(&own.ratio, target_beside_bare(subject, own.second)),
            decode,
            ratio
        ));
    }
}

/// What the whole validation may take at most, as a multiple of the bare verification.
fn target_beside_bare(subject: &Subject, bare: Duration) -> Option<f64> {
    match subject.alg {
        "RS256" => Some(1.10),
        _ if bare >= SLOW => Some(1.05),
        _ => None,
    }
}

/// What the whole validation may take at most, as a multiple of jsonwebtoken's.
fn target_beside_jsonwebtoken(subject: &Subject) -> Option<f64> {
    (subject.alg == "HS256").then_some(0.45)
}

/// The ratio, and what its interval says of the target.
fn judged(ratio: &Interval, target: Option<f64>) -> String {
    let Some(target) = target else { return ratio.to_string() };
    let word = match ratio.judged(target) {
        Judgement::Within => "met",
        Judgement::Beyond => "missed",
        Judgement::Undecided => "undecided",
    };
    format!("{ratio} {target:.2} {word}")
}

#[expect(clippy::print_stdout, reason = "a benchmark speaks to whoever runs it")]
fn say(line: &str) {
    println!("{line}");
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

struct Comparison {
    /// Of one call, in the quietest batch.
    first: Duration,
    second: Duration,
    /// Of neighbouring batches.
    ratio: Interval,
}

/// Alternates short batches of both, each first as often as second.
fn compare(first: impl Fn(), second: impl Fn(), pairs: usize) -> Comparison {
    let calls = calls_for_a_batch(&first);
    let mut times = Vec::with_capacity(pairs);
    for pair in 0..pairs {
        times.push(if pair % 2 == 0 {
            let one = batch(&first, calls);
            (one, batch(&second, calls))
        } else {
            let other = batch(&second, calls);
            (batch(&first, calls), other)
        });
    }
    let ratios = times.iter().map(|(one, other)| one.as_secs_f64() / other.as_secs_f64());
    let quietest = |side: fn(&(Duration, Duration)) -> Duration| times.iter().map(side).min();
    Comparison {
        first: quietest(|pair| pair.0).unwrap_or_default() / calls,
        second: quietest(|pair| pair.1).unwrap_or_default() / calls,
        ratio: Interval::of(ratios.collect()),
    }
}

fn calls_for_a_batch(task: impl Fn()) -> u32 {
    let one = (0..20).map(|_| batch(&task, 1)).min().expect("there were some");
    u32::try_from(BATCH.as_nanos() / one.as_nanos().max(1)).expect("a batch is short").max(1)
}

fn batch(task: impl Fn(), calls: u32) -> Duration {
    let begun = Instant::now();
    for _ in 0..calls {
        task();
    }
    begun.elapsed()
}
