//! A search and a sweep as they would be recorded: the M/M/1 queue's latency by rate, and a step that the generator spoiled.

use crate::analysis::synthetic::recording;
use crate::observation::{OpenSecond, Recording, Step};

const LIMIT: &str = "p(99)<5ms";

/// What servers of each subject decide in a second; the third needs more than the generator can send.
const SERVICE: [f64; 3] = [5_050.0, 1_950.0, 1e9];
const SUBJECTS: [usize; 3] = [0, 1, 3];

/// A search: two subjects found between two rates, one ended by the generator.
pub(crate) fn search() -> Vec<Recording> {
    let tried: [&[f64]; 3] = [
        &[500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 5_660.0, 4_760.0, 4_360.0, 4_180.0],
        &[500.0, 1_000.0, 2_000.0, 1_410.0, 1_190.0, 1_090.0, 1_050.0],
        &[500.0, 1_000.0, 2_000.0, 4_000.0, 4_000.0, 4_000.0],
    ];
    let steps = |(subject, rates): (usize, &[f64])| {
        let step = |(number, rate): (u32, &f64)| {
            let step = Step::Search { threshold: LIMIT.to_owned(), number };
            trial(subject, *rate, step, subject == 2 && *rate > 2_000.0)
        };
        (0..).zip(rates).map(step).collect::<Vec<_>>()
    };
    tried.into_iter().enumerate().flat_map(steps).collect()
}

/// A sweep of the same subjects, held against a threshold of the scenario.
pub(crate) fn sweep() -> Vec<Recording> {
    let rates = [500.0, 1_000.0, 2_000.0, 4_000.0];
    let trials = |rate: f64| {
        (0..3).map(move |subject| {
            let mut trial = trial(subject, rate, Step::Sweep, subject == 2 && rate > 2_000.0);
            trial.scenario.thresholds = vec![LIMIT.to_owned()];
            trial
        })
    };
    rates.into_iter().flat_map(trials).collect()
}

fn trial(subject: usize, rate: f64, step: Step, is_late: bool) -> Recording {
    let mut recording = recording(SUBJECTS[subject]);
    "throughput".clone_into(&mut recording.scenario.name);
    recording.scenario.thresholds.clear();
    recording.workload.rate = rate;
    recording.step = Some(step);
    recording.events.clear();
    // Half a millisecond below the queue: what a request takes without one.
    let mean = if rate < SERVICE[subject] { 1.0 / (SERVICE[subject] - rate) } else { 0.05 };
    for second in &mut recording.load.as_mut().expect("synthetic trials have one").seconds {
        let mut open = OpenSecond { outcomes: second.outcomes.clone(), ..OpenSecond::default() };
        for number in 0..1_000_u32 {
            let latency = -mean * (1.0 - (f64::from(number) + 0.5) / 1_000.0).ln() + 100e-6;
            let lag = if is_late && number % 20 == 0 { 0.04 } else { 1e-6 };
            let nanos = |seconds: f64| (seconds * 1e9) as u64;
            open.lag.record(nanos(lag));
            open.service.record(nanos(latency));
            open.latency.record(nanos(latency + lag));
        }
        open.answers = rate as u64;
        *second = open.seal();
    }
    recording
}
