//! The highest rate that this machine's generator sends punctually: doubled until it fails, then halved in between.

use std::time::Duration;

use crate::arrival::Poisson;
use crate::load::{self, Engine, Feed};
use crate::selftest::bench::{Bench, SelftestError, Sending};
use crate::selftest::canned2::Canned2;
use crate::selftest::figures::{outcomes, quantile, whole};
use crate::selftest::server::Behaviour;

/// A generator whose 99th percentile is later than this is not punctual.
pub const PUNCTUAL: Duration = Duration::from_micros(20);
/// Every machine sends this.
const FIRST: f64 = 2_000.0;
/// No machine sends this from one core.
const LAST: f64 = 1_000_000.0;
/// How far below the true ceiling the found one may be, as a share of it.
const RESOLUTION: f64 = 0.15;
/// As many as a service behind a balancer has.
const CONNECTIONS: u32 = 64;

/// What one engine can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ceiling {
    /// What speaks HTTP.
    pub engine: Engine,
    /// The highest rate a second that it sent punctually; absent if it was late at every one.
    pub rate: Option<f64>,
    /// Its lag there, or at the lowest rate: the 99th percentile.
    pub lag: Duration,
}

/// A step of the search: whether it was punctual, and its lag.
type Step = (bool, Duration);

impl Ceiling {
    /// Tries rates against a server that answers at once, each for `step`.
    pub fn of(bench: &Bench, engine: Engine, step: Duration) -> Result<Self, SelftestError> {
        let (http1, http2);
        let address = match engine {
            Engine::Http2 => {
                http2 = Canned2::start(bench.server_cores()).map_err(SelftestError::Server)?;
                http2.address
            }
            Engine::Http1 | Engine::Hyper => {
                http1 = bench.serve(Behaviour::Canned)?;
                http1.address()
            }
        };
        search(|rate| {
            let sending = Sending {
                engine,
                connections: CONNECTIONS,
                arrivals: &Poisson {},
                rate,
                lasts: step,
                seed: 1,
            };
            let target = bench.target(&[address], &sending)?;
            let driven = load::drive(
                &target,
                |_| Feed::open(sending.requests()),
                |_| {},
                &std::sync::atomic::AtomicBool::new(false),
            )?;
            let lag = quantile(&whole(&driven.load, |second| &second.lag), 0.99);
            let lag = Duration::from_secs_f64(lag / 1e9);
            let answered = outcomes(&driven.load).accepted();
            let all = sending.instants().count() as u64 == answered;
            Ok((all && lag <= PUNCTUAL, lag))
        })
        .map(|(rate, lag)| Self { engine, rate, lag })
    }
}

/// The highest punctual rate, and the lag at it.
fn search<E>(mut step: impl FnMut(f64) -> Result<Step, E>) -> Result<(Option<f64>, Duration), E> {
    let mut punctual = None;
    let (mut rate, mut first_lag) = (FIRST, None);
    let mut too_high = loop {
        // A step may meet a pause of the machine: a rate counts as too high only if it was late twice.
        let (mut is_punctual, mut lag) = step(rate)?;
        if !is_punctual {
            (is_punctual, lag) = step(rate)?;
        }
        first_lag.get_or_insert(lag);
        if !is_punctual || rate >= LAST {
            break rate;
        }
        punctual = Some((rate, lag));
        rate *= 2.0;
    };
    while let Some((low, _)) = punctual
        && low < too_high * (1.0 - RESOLUTION)
    {
        let middle = f64::midpoint(low, too_high);
        let (is_punctual, lag) = step(middle)?;
        if is_punctual {
            punctual = Some((middle, lag));
        } else {
            too_high = middle;
        }
    }
    Ok(match punctual {
        Some((rate, lag)) => (Some(rate), lag),
        None => (None, first_lag.unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn the_ceiling_is_found_within_its_resolution_in_few_steps_and_a_single_pause_hides_it_not() {
        for ceiling in [2_500.0, 47_000.0, 130_000.0] {
            let mut steps = 0;
            let (found, _) = search(|rate| {
                steps += 1;
                // The third step meets a pause.
                Ok::<_, Infallible>((rate <= ceiling && steps != 3, Duration::from_micros(5)))
            })
            .unwrap();
            let found = found.unwrap();
            assert!(found <= ceiling && found > 0.85 * ceiling * 0.85, "{found} of {ceiling}");
            assert!(steps <= 13, "{steps}");
        }
    }

    #[test]
    fn a_generator_that_is_always_late_has_no_ceiling_but_a_lag() {
        let late = Duration::from_millis(2);
        assert_eq!(search(|_| Ok::<_, Infallible>((false, late))), Ok((None, late)));
    }
}
