//! What it costs to decide on one good token, without any network: every signature scheme, beside the bare verification
//! of the same signature and beside the crate jsonwebtoken, and the architectures around it.
//!
//! The times of criterion are wall time on this machine, for local work. The ratios at the end are taken otherwise: what
//! is compared alternates in short batches, so that what disturbs this machine disturbs both sides alike. Beside each
//! ratio stand the 95 % interval of its median and whether the target is met, missed or undecided by that interval.
//! `cargo bench --bench validation -- ratios` prints the ratios alone.

mod architectures;
mod interval;
mod ratios;
mod subjects;

use criterion::{Criterion, Throughput};

use subjects::Subject;

fn main() {
    let only_ratios = std::env::args().any(|argument| argument == "ratios");
    let quick = std::env::args().any(|argument| argument == "--test");
    let subjects: Vec<Subject> = subjects::of_every_scheme();
    if !only_ratios {
        let mut criterion = Criterion::default().configure_from_args();
        tokens(&mut criterion, &subjects);
        architectures::bench(&mut criterion);
        criterion.final_summary();
    }
    ratios::print(&subjects, quick);
}

fn tokens(criterion: &mut Criterion, subjects: &[Subject]) {
    let mut group = criterion.benchmark_group("token");
    group.throughput(Throughput::Elements(1));
    for subject in subjects {
        let name = &subject.name;
        group.bench_function(format!("bare verification {name}"), |bencher| {
            bencher.iter(|| subject.verify_signature());
        });
        group.bench_function(format!("whole validation {name}"), |bencher| {
            bencher.iter(|| subject.validate());
        });
        if let Some(library) = &subject.library {
            group.bench_function(format!("jsonwebtoken decode {name}"), |bencher| {
                bencher.iter(|| library.decode(&subject.token));
            });
        }
    }
    group.finish();
}
