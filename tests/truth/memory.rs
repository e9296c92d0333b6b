//! The generator's memory does not grow with a run, and a connection costs little of it.

use std::fs;
use std::io::{Write as _, stderr};
use std::time::Duration;

use bearerbench::selftest::{Behaviour, Bench, LoadProcess, Server, outcomes};
use rustix::process::{Resource, getrlimit};

use crate::{PATIENCE, alone, beside_others, program};

/// Bytes that ten minutes may add to those of the recording.
const GROWTH: f64 = 2e6;
/// Bytes that a second of the recording may have in a file: some ten histograms, wide ones on a busy machine, and nothing
/// for each of its 10,000 requests.
const SECOND: f64 = 60e3;
/// So often it may seem to grow by chance.
const RUNS: usize = 3;
/// Bytes that a connection may cost.
const CONNECTION: f64 = 20e3;

#[test]
fn memory_does_not_grow_with_the_length_of_a_run() {
    // Seconds pile up where the thread that puts them to rest gets no core.
    let _alone = alone();
    // A leak is in every run. What a busy machine adds, wider histograms among it, is not.
    let mut found = Vec::new();
    while found.len() < RUNS && found.iter().all(|grown| *grown >= GROWTH) {
        found.push(growth());
    }
    assert!(found.iter().any(|grown| *grown < GROWTH), "bytes in ten minutes: {found:?}");
}

/// Bytes that ten minutes at 10,000 requests a second would add, by the last 17 of 20 seconds, besides what was recorded; without end
/// if that is too much.
fn growth() -> f64 {
    let server = Bench::default().serve(Behaviour::Canned).expect("a free port");
    let mut process = start(&server, 10_000.0, 64, 20);
    let mut seen = Vec::new();
    for half in 6..40_u32 {
        process.reach(&server, Duration::from_millis(500) * half).expect("it runs");
        seen.push((f64::from(half) / 2.0, resident(&process)));
    }
    let (recording, _) = process.recording(PATIENCE).expect("it ends");
    let load = recording.load.expect("it measured");
    let sum = outcomes(&load);
    assert_eq!(sum.planned(), 200_000, "{sum:?}");
    let recorded = serde_json::to_vec(&load.seconds).expect("it was read").len() as f64 / 20.0;
    if recorded >= SECOND {
        // As much as if it had grown without end.
        return f64::INFINITY;
    }
    // Most of it is Base64 of what lies in memory.
    600.0 * (slope(&seen) - 0.75 * recorded).max(0.0)
}

#[test]
fn ten_thousand_connections_work_and_cost_less_than_20_kb_each() {
    let _held = beside_others();
    let [few, many] = [100, 10_000];
    let limit = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    if limit < u64::from(many) + 1_000 {
        // Past the harness, which shows only what a failed test prints.
        let _ = writeln!(
            stderr().lock(),
            "not tried: {many} connections, since only {limit} files may be open (ulimit -n)"
        );
        return;
    }
    let [few_bytes, many_bytes] = [few, many].map(|connections| {
        let server = Bench::default().serve(Behaviour::Canned).unwrap();
        let mut process = start(&server, 100.0, connections, 2);
        process.reach(&server, Duration::from_millis(1_500)).unwrap();
        let bytes = resident(&process);
        let (recording, _) = process.recording(PATIENCE).unwrap();
        let sum = outcomes(&recording.load.unwrap());
        assert_eq!((sum.planned(), sum.accepted()), (200, 200), "{sum:?}");
        bytes
    });
    let each = (many_bytes - few_bytes) / f64::from(many - few);
    assert!(each < CONNECTION, "{each} bytes a connection");
}

fn start(server: &Server, rate: f64, connections: u32, seconds: u64) -> LoadProcess {
    LoadProcess::start(
        program(),
        server.address(),
        rate,
        connections,
        Duration::from_secs(seconds),
        &["--arrivals", "constant"],
    )
    .expect("it starts")
}

/// Bytes of memory that a process has.
fn resident(process: &LoadProcess) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
    1024.0 * line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number of kilobytes")
}

/// How much `y` grows with `x`: the median over all pairs, which a histogram that once grew for a long latency does not move.
fn slope(points: &[(f64, f64)]) -> f64 {
    let pairs =
        points.iter().enumerate().flat_map(|(first, a)| points[first + 1..].iter().map(move |b| (a, b)));
    let mut slopes: Vec<f64> = pairs.map(|(a, b)| (b.1 - a.1) / (b.0 - a.0)).collect();
    slopes.sort_by(f64::total_cmp);
    slopes[slopes.len() / 2]
}
