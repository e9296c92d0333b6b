//! How many unsafe acceptances probes should see.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::analysis::expectation::WHOLE_SECOND;
use crate::analysis::trials::Trials;
use crate::observation::{Event, Revocation};

/// Enough for ends of a 99 % interval that move by a few percent of its width.
const GAMES: usize = 1_500;

/// Expected total of a cache, with its 99 % interval.
///
/// The closed form (λT)² / (2 (1 + λT)) holds if a token was in use for long before its revocation and is
/// probed for at least T after it. A trial is shorter: the same renewal process is played from the first
/// probe to the last instant of probing, which has the closed form as its limit.
pub(super) fn cached(trials: &Trials<'_>, ttl: f64) -> (f64, f64, f64) {
    let points = points(trials);
    let mut random = ChaCha8Rng::seed_from_u64(trials.seed());
    let mut totals: Vec<f64> =
        (0..GAMES).map(|_| points.iter().map(|point| point.play(ttl, &mut random)).sum()).collect();
    totals.sort_unstable_by(f64::total_cmp);
    let mean = totals.iter().sum::<f64>() / GAMES as f64;
    (mean, totals[GAMES / 200], totals[GAMES - 1 - GAMES / 200])
}

/// Every probe sent after the acknowledgement and before the expiry: no chance is involved. A probe within
/// a second of the expiry may go either way.
pub(super) fn until_expiry(trials: &Trials<'_>, leeway: f64) -> (f64, f64, f64) {
    let count = |margin: f64| -> f64 {
        let revocations = trials.recordings.iter().flat_map(|recording| recording.revocations());
        revocations.map(|(event, revocation)| accepted(event, revocation, leeway + margin)).sum::<usize>()
            as f64
    };
    (count(0.0), count(-WHOLE_SECOND), count(WHOLE_SECOND))
}

fn accepted(event: &Event, revocation: &Revocation, leeway: f64) -> usize {
    let Some(acknowledged) = event.ended else { return 0 };
    let probes = revocation.probes.iter();
    probes
        .filter(|probe| probe.sent > acknowledged)
        .filter(|probe| probe.decided().seconds() < revocation.expires_seconds + leeway)
        .count()
}

/// A revocation at a resource server, in seconds from the first probe.
#[derive(Debug)]
struct Point {
    rate: f64,
    revoked: f64,
    end: f64,
}

impl Point {
    /// Acceptances after the revocation in one game.
    fn play(&self, ttl: f64, random: &mut ChaCha8Rng) -> f64 {
        let mut exponential = || -(1.0 - random.random::<f64>()).ln() / self.rate;
        // The first probe asks; probes answered from the cache need not be played.
        let mut asked = 0.0;
        while asked + ttl < self.revoked {
            asked += ttl + exponential();
        }
        // A probe that would ask after the revocation is refused.
        if asked >= self.revoked {
            return 0.0;
        }
        let until = (asked + ttl).min(self.end);
        let mut now = self.revoked;
        let mut accepted = 0.0;
        loop {
            now += exponential();
            if now >= until {
                return accepted;
            }
            accepted += 1.0;
        }
    }
}

fn points(trials: &Trials<'_>) -> Vec<Point> {
    let mut points = Vec::new();
    for recording in &trials.recordings {
        for (event, revocation) in recording.revocations() {
            let Some(acknowledged) = event.ended else { continue };
            for node in recording.enforcement_points() {
                let mut probes = revocation.probes.iter().filter(|probe| probe.node == node).peekable();
                let Some(first) = probes.peek().map(|probe| probe.sent) else { continue };
                if probes.any(|probe| probe.sent > acknowledged) && first < acknowledged {
                    points.push(Point {
                        rate: recording.workload.probe_rate,
                        revoked: acknowledged.since(first).as_secs_f64(),
                        end: revocation.probed_until.since(first).as_secs_f64(),
                    });
                }
            }
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::unsafe_acceptances;

    #[test]
    fn a_long_game_has_the_mean_of_the_closed_form() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for (rate, ttl) in [(1.0, 10.0), (5.0, 2.0)] {
            let point = Point { rate, revoked: 400.0, end: 500.0 };
            let games = 30_000;
            let mean = (0..games).map(|_| point.play(ttl, &mut random)).sum::<f64>() / f64::from(games);
            let expected = unsafe_acceptances(rate, ttl);
            assert!((mean / expected - 1.0).abs() < 0.03, "{mean}, not {expected}");
        }
    }
}
