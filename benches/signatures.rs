//! What keys, signatures and verifications cost, by every library of every scheme; and how far the default library is
//! from the fastest one that conforms.
//!
//! ```sh
//! cargo bench --bench signatures                        # everything, then the table
//! cargo bench --bench signatures -- verify/ML-DSA       # what has that in its name
//! cargo bench --bench signatures -- table               # the table alone
//! ```
//!
//! Wall time on this machine. Only the last columns of the table survive a machine with other work to do: libraries
//! take turns there, and what is told is the median of the ratios with its 95 % interval.

#[path = "validation/interval.rs"]
mod interval;
#[path = "signatures/prepared.rs"]
mod prepared;
#[path = "signatures/table.rs"]
mod table;

use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode};

use prepared::{Prepared, Variant, by_scheme, once, title};

/// For each of about 200 benchmarks: all of them together then stay below ten minutes.
const MEASUREMENT: Duration = Duration::from_secs(1);

/// One operation that takes longer is timed for the table alone, unless it is asked for by name: ten samples,
/// criterion's least, would take longer than everything else.
const TOO_SLOW: Duration = Duration::from_millis(300);

/// What was asked for on the command line.
struct Wanted {
    filter: Option<String>,
    /// `--test` and `--list`: nothing is measured.
    measured: bool,
}

fn main() -> io::Result<()> {
    let wanted = Wanted::from_arguments();
    let mut criterion = Criterion::default()
        .without_plots()
        .warm_up_time(MEASUREMENT / 4)
        .measurement_time(MEASUREMENT)
        .nresamples(10_000)
        .configure_from_args();
    for (name, bench) in [("keygen", keygen as Bench), ("sign", sign), ("verify", verify)] {
        let mut group = criterion.benchmark_group(name);
        for libraries in by_scheme() {
            let variants = libraries.iter().map(|variant| (variant, format!("{name}/{}", title(variant))));
            let variants: Vec<_> = variants.filter(|(_, id)| wanted.names(id)).collect();
            if variants.is_empty() {
                continue;
            }
            let prepared = Prepared::new(&libraries[0], wanted.measured);
            for (variant, _) in variants {
                bench(&mut group, variant, &prepared, &wanted);
            }
        }
        group.finish();
    }
    criterion.final_summary();
    if wanted.table() { table::write(&mut io::stdout()) } else { Ok(()) }
}

type Bench = fn(&mut BenchmarkGroup<'_, WallTime>, &Variant, &Prepared, &Wanted);

fn keygen(group: &mut BenchmarkGroup<'_, WallTime>, variant: &Variant, _: &Prepared, wanted: &Wanted) {
    if !variant.makes_keys() {
        // Another library's time.
        return;
    }
    run(group, variant, wanted, || {
        black_box(variant.generate().expect("a key"));
    });
}

/// Of another message every time: some schemes start again until a signature is small enough, which takes some
/// messages one attempt and others ten.
fn sign(group: &mut BenchmarkGroup<'_, WallTime>, variant: &Variant, prepared: &Prepared, wanted: &Wanted) {
    let signer = variant.signer(&prepared.key).expect("a key for the scheme");
    let mut messages = (0_u64..).map(Prepared::message);
    run(group, variant, wanted, || {
        let message = messages.next().expect("there are 2^64 of them");
        black_box(signer.sign(&message).expect("it signs"));
    });
}

fn verify(group: &mut BenchmarkGroup<'_, WallTime>, variant: &Variant, prepared: &Prepared, wanted: &Wanted) {
    let verifier = variant.verifier(&prepared.key.public).expect("a key for the scheme");
    let mut signed = prepared.signed.iter().cycle();
    run(group, variant, wanted, || {
        let (message, signature) = signed.next().expect("they never end");
        assert!(verifier.verifies(black_box(message), black_box(signature)), "{variant}");
    });
}

/// As many samples as the length of one operation allows.
fn run(
    group: &mut BenchmarkGroup<'_, WallTime>,
    variant: &Variant,
    wanted: &Wanted,
    mut operation: impl FnMut(),
) {
    if wanted.measured {
        let took = once(&mut operation);
        if took > TOO_SLOW && wanted.filter.is_none() {
            eprintln!("{}: {took:.1?} at a time, see the table", title(variant));
            return;
        }
        let slow = took * 100 > MEASUREMENT;
        group.sample_size(if slow { 10 } else { 50 });
        group.sampling_mode(if slow { SamplingMode::Flat } else { SamplingMode::Auto });
    }
    group.bench_function(title(variant), |bencher| bencher.iter(&mut operation));
}

impl Wanted {
    fn from_arguments() -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let measured = !arguments.iter().any(|argument| argument == "--test" || argument == "--list");
        let filter = arguments.into_iter().find(|argument| !argument.starts_with('-'));
        Self { filter, measured }
    }

    /// Whether criterion may run a benchmark of that name. It reads the filter as a regular expression: one that is
    /// more than a text leaves the choice to it.
    fn names(&self, id: &str) -> bool {
        let pattern = |filter: &String| filter.contains(|letter| r"\^$.|?*+()[]{}".contains(letter));
        self.filter.as_ref().is_none_or(|filter| id.contains(filter.as_str()) || pattern(filter))
    }

    fn table(&self) -> bool {
        self.measured && self.filter.as_ref().is_none_or(|filter| filter == "table")
    }
}

/// How long something took.
fn timed(operation: impl FnOnce()) -> Duration {
    let start = Instant::now();
    operation();
    start.elapsed()
}
