//! How often and how long a thread that never sleeps is kept from its core all the same.

use std::hint::spin_loop;
use std::thread;
use std::time::Duration;

use crate::testbed::machine::pin_thread;
use crate::units::Stamp;

/// Reading the clock takes tens of nanoseconds: what lasts longer than this was somebody else.
const GAP: Duration = Duration::from_micros(10);

/// What a spinning thread saw on one core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noise {
    /// For how long it looked.
    pub looked: Duration,
    /// Gaps of more than 10 us.
    pub gaps: u64,
    /// The longest of them.
    pub worst: Duration,
    /// All of them together.
    pub whole: Duration,
}

impl Noise {
    /// Spins on `core` for a while.
    pub fn of(core: Option<u32>, lasts: Duration) -> Self {
        let spinning = thread::spawn(move || {
            // Where the core is not ours to choose, it spins wherever it may.
            let _ = core.map(|core| pin_thread(&[core]));
            spin(lasts)
        });
        spinning.join().expect("it only reads the clock")
    }

    /// Gaps a second.
    pub fn per_second(&self) -> f64 {
        self.gaps as f64 / self.looked.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

fn spin(lasts: Duration) -> Noise {
    let mut noise = Noise::default();
    let begun = Stamp::now();
    let mut last = begun;
    while noise.looked < lasts {
        spin_loop();
        let now = Stamp::now();
        let gap = Duration::from_nanos(now.nanos() - last.nanos());
        if gap > GAP {
            noise.gaps += 1;
            noise.whole += gap;
            noise.worst = noise.worst.max(gap);
        }
        last = now;
        noise.looked = Duration::from_nanos(now.nanos() - begun.nanos());
    }
    noise
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_a_part_of_the_time_looked_at_and_the_worst_is_one_of_them() {
        let noise = Noise::of(None, Duration::from_millis(50));
        assert!(noise.looked >= Duration::from_millis(50));
        assert!(noise.whole <= noise.looked && noise.worst <= noise.whole, "{noise:?}");
        assert_eq!(noise.gaps == 0, noise.worst.is_zero());
    }
}
