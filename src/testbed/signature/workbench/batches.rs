//! Operations timed in batches: one by one where they are slow, together where reading the clock would be part of the figure.

use std::time::{Duration, Instant};

use crate::observation::Distribution;
use crate::testbed::signature::workbench::WorkbenchError;

/// Reading the clock takes about 40 ns: less than half a percent of a batch this long.
const SHORTEST: Duration = Duration::from_micros(10);

/// Repeats `operation` from `index` on, at least once, until `length` is over, and records how long every batch took.
pub(super) fn slice(
    batch: u32,
    length: Duration,
    index: &mut usize,
    into: &mut Distribution,
    mut operation: impl FnMut(usize) -> Result<(), WorkbenchError>,
) -> Result<(), WorkbenchError> {
    let begun = Instant::now();
    loop {
        let before = Instant::now();
        for _ in 0..batch {
            operation(*index)?;
            *index += 1;
        }
        let after = Instant::now();
        into.record(u64::try_from((after - before).as_nanos()).expect("a batch ends within centuries"));
        if after - begun >= length {
            return Ok(());
        }
    }
}

/// How many operations take as long as a batch should. They warm up caches and the clock of the core, too.
pub(super) fn batch(
    mut operation: impl FnMut(usize) -> Result<(), WorkbenchError>,
) -> Result<u32, WorkbenchError> {
    let mut count = 1_u32;
    loop {
        // The best of a few, so that an interruption does not pass for a slow operation.
        let mut best = Duration::MAX;
        for attempt in 0..5 {
            let before = Instant::now();
            (0..count as usize).try_for_each(&mut operation)?;
            best = best.min(before.elapsed());
            if best > 20 * SHORTEST && attempt > 0 || best > 1_000 * SHORTEST {
                break;
            }
        }
        if best >= SHORTEST || count > 1 << 20 {
            return Ok(count);
        }
        count *= 2;
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn quick_operations_are_timed_together_and_slow_ones_alone() {
        let mut sum = 0_u64;
        let quick = batch(|index| {
            sum = black_box(sum + index as u64);
            Ok(())
        });
        assert!(quick.unwrap() >= 16);
        let slow = batch(|_| {
            std::thread::sleep(Duration::from_micros(50));
            Ok(())
        });
        assert_eq!(slow.unwrap(), 1);
    }

    #[test]
    fn a_slice_times_every_batch_and_at_least_one() {
        let mut distribution = Distribution::default();
        let mut seen = Vec::new();
        slice(3, Duration::ZERO, &mut 7, &mut distribution, |index| {
            seen.push(index);
            Ok(())
        })
        .unwrap();
        assert_eq!((distribution.count(), seen), (1, vec![7, 8, 9]));
    }
}
