//! Every library of every scheme on one line, and who is the fastest that conforms.

use std::hint::black_box;
use std::io::{self, Write};
use std::time::Duration;

use bearerbench::auth::token::signature::Verifier;

use crate::interval::{Interval, Judgement};
use crate::prepared::{Prepared, Variant, by_scheme, once, title};
use crate::timed;

/// How long one cell may take; those of slow operations take longer.
const CELL: Duration = Duration::from_millis(300);

/// Enough for a median of ratios to stand still to about one percent while a hypervisor takes half of the time away.
const ROUNDS: usize = 300;

/// What one library does before the next has its turn: long against the clock's 50 ns, short against a time slice.
const TURN: Duration = Duration::from_micros(300);

/// The default library may take this many times as long as the fastest that conforms.
const TARGET: f64 = 1.03;

/// Writes the table. Times are medians in microseconds.
pub(crate) fn write(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "\n{:<58}{:>12}{:>12}{:>12}{:>11}  default / this, verifying in turns (95 % interval)",
        "median us", "keygen", "sign p50", "sign mean", "verify"
    )?;
    for libraries in by_scheme() {
        let prepared = Prepared::new(&libraries[0], true);
        let turns = Turns::take(&libraries, &prepared);
        for (index, variant) in libraries.iter().enumerate() {
            let keygen = if variant.makes_keys() {
                let keygen = samples(|_| {
                    black_box(variant.generate().expect("a key"));
                });
                format!("{:.2}", median(keygen))
            } else {
                // Another library makes them.
                "-".to_owned()
            };
            let signer = variant.signer(&prepared.key).expect("a key for the scheme");
            let sign = samples(|number| {
                black_box(signer.sign(&Prepared::message(number)).expect("it signs"));
            });
            let mean = sign.iter().sum::<f64>() / sign.len() as f64;
            write!(out, "{:<58}{keygen:>12}{:>12.2}", title(variant), median(sign))?;
            writeln!(out, "{mean:>12.2}{:>11.2}  {}", turns.median(index), turns.ratio(0, index))?;
        }
        writeln!(out, "{}", verdict(&libraries, &turns))?;
    }
    Ok(())
}

/// Who is the fastest of those that conform, as far as the intervals tell, and whether the default meets its target.
fn verdict(libraries: &[Variant], turns: &Turns) -> String {
    let conforms = |index: usize| libraries[index].facts().conformance.conforms();
    let rivals: Vec<usize> = (1..libraries.len()).filter(|&index| conforms(index)).collect();
    let beside_default = |index: &usize| turns.ratio(0, *index);
    let quickest = |among: &mut dyn Iterator<Item = usize>| {
        among.max_by(|one, other| beside_default(one).median.total_cmp(&beside_default(other).median))
    };
    let faster = quickest(&mut rivals.iter().copied().filter(|rival| beside_default(rival).low > 1.0));
    let default = conforms(0).then_some(0);
    let Some(leader) = faster.or(default).or_else(|| quickest(&mut rivals.iter().copied())) else {
        return "  no library of it is known to conform".to_owned();
    };
    let others = || default.into_iter().chain(rivals.iter().copied()).filter(|&other| other != leader);
    // Those that are not shown to be slower.
    let alike = others().filter(|&other| turns.ratio(leader, other).high >= 1.0);
    let alike: Vec<String> = alike.map(|index| libraries[index].to_string()).collect();
    let name = if leader == 0 { "the default".to_owned() } else { libraries[leader].to_string() };
    let apart = if alike.is_empty() {
        format!(" ({} others)", others().count())
    } else {
        format!(", not told apart from {}", alike.join(", "))
    };
    let takes =
        if leader == 0 { String::new() } else { format!("; the default takes {} x", turns.ratio(0, leader)) };
    let judgements: Vec<Judgement> =
        rivals.iter().map(|rival| beside_default(rival).judged(TARGET)).collect();
    let target = if judgements.contains(&Judgement::Beyond) {
        "MORE THAN 3 % slower than the fastest"
    } else if judgements.contains(&Judgement::Undecided) {
        "undecided whether within 3 % of every rival"
    } else {
        "within 3 % of every rival"
    };
    format!("  fastest conforming verifier: {name}{apart}{takes}; the default: {target}")
}

/// Microseconds a verification, by round and library.
struct Turns(Vec<Vec<f64>>);

impl Turns {
    /// Short batches, one library after the other, each round beginning with another one.
    fn take(libraries: &[Variant], prepared: &Prepared) -> Self {
        let verifiers = libraries.iter().map(|library| library.verifier(&prepared.key.public));
        let verifiers: Vec<_> = verifiers.map(|verifier| verifier.expect("a key for the scheme")).collect();
        let mut signed = prepared.signed.iter().cycle();
        let mut verify = |verifier: &dyn Verifier| {
            let (message, signature) = signed.next().expect("they never end");
            assert!(verifier.verifies(black_box(message), black_box(signature)), "it was signed by this key");
        };
        let trials = verifiers.iter().map(|verifier| once(&mut || verify(&**verifier)));
        let batches: Vec<u32> = trials.map(batch).collect();
        let mut rounds = Vec::with_capacity(ROUNDS);
        for round in 0..ROUNDS {
            let mut row = vec![0.0; verifiers.len()];
            for turn in 0..verifiers.len() {
                let index = (round + turn) % verifiers.len();
                let took = timed(|| (0..batches[index]).for_each(|_| verify(&*verifiers[index])));
                row[index] = micros(took) / f64::from(batches[index]);
            }
            rounds.push(row);
        }
        Self(rounds)
    }

    fn median(&self, index: usize) -> f64 {
        median(self.0.iter().map(|row| row[index]).collect())
    }

    /// How many times as long one takes as another, by what each round says.
    fn ratio(&self, one: usize, another: usize) -> Interval {
        Interval::of(self.0.iter().map(|row| row[one] / row[another]).collect())
    }
}

fn batch(trial: Duration) -> u32 {
    let times = TURN.as_nanos() / trial.as_nanos().max(1);
    u32::try_from(times).unwrap_or(u32::MAX).max(1)
}

/// Microseconds of each of many operations, which get their number.
fn samples(mut operation: impl FnMut(u64)) -> Vec<f64> {
    let mut samples = Vec::new();
    let mut total = Duration::ZERO;
    while samples.len() < 3 || total < CELL && samples.len() < 2_000 {
        let took = timed(|| operation(samples.len() as u64));
        total += took;
        samples.push(micros(took));
    }
    samples
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
