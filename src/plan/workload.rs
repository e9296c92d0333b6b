//! What is sent in a trial: identical for every subject of a repetition.

use std::iter;
use std::num::NonZeroU32;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::arrival::{ArrivalProcess as _, Poisson};
use crate::plan::{BadKind, Pace, Timeline};
use crate::registry::Part;
use crate::reuse::{Demand, ReuseLaw};
use crate::units::{Offset, Period, Rate, Span};

/// The load of one trial. Together with a seed it decides every request.
#[derive(Clone, Debug)]
pub struct Workload {
    /// When requests are sent; probes of tokens under revocation test are due by a schedule beside it.
    pub pace: Pace,
    /// How long the load runs before it is measured.
    pub warmup: Span,
    /// How long it is measured, at the most.
    pub window: Period,
    /// How many requests are sent in all, if the load ends by count.
    pub requests: Option<u64>,
    /// Connections from the load generator to each resource server.
    pub connections: NonZeroU32,
    /// Requests that may be on each connection at once.
    pub streams: NonZeroU32,
    /// A connection is closed after so many requests, and replaced; none keeps it.
    pub requests_per_connection: Option<NonZeroU32>,
    /// The tokens that requests carry.
    pub pool: Pool,
    /// What is done while requests are sent: tokens that are revoked, servers that are killed.
    pub timeline: Timeline,
    /// Probes per second (Poisson) of each token under revocation test, at all resource servers together.
    pub probe_rate: Rate,
}

/// The header that numbers a request whose token is under revocation test, so that sender and decider
/// speak of the same one.
pub const PROBE_HEADER: &str = "bearerbench-probe";

/// The header in which our authorization server says when it had revoked a token, in nanoseconds of the clock that all processes of a
/// host share.
pub const REVOKED_HEADER: &str = "bearerbench-revoked";

/// Which tokens requests carry.
#[derive(Clone, Debug)]
pub struct Pool {
    /// How many live tokens there are.
    pub live: u32,
    /// How many of them are replaced per second by others that are issued under the load.
    pub churn: Option<Rate>,
    /// By which law they are used again.
    pub reuse: Part<dyn ReuseLaw>,
    /// Fraction of the requests that carry a bad token.
    pub bad_fraction: f64,
    /// The kinds of bad tokens there are, with their weights among the bad ones, which are above 0.
    pub mix: Vec<(BadKind, u32)>,
    /// How many different bad tokens there are of each kind, chosen uniformly.
    pub bad_per_kind: u32,
}

impl Workload {
    /// The instant at which the measured window begins.
    pub fn window_start(&self) -> Offset {
        Offset::from(self.warmup.duration())
    }

    /// The instant at which the measured window and the load end.
    pub fn end(&self) -> Offset {
        self.window_start() + self.window.duration()
    }

    /// Probes per second of all tokens under revocation test.
    pub fn probes_per_second(&self) -> f64 {
        self.probe_rate.per_second() * self.timeline.revocation_count() as f64
    }

    /// How many requests each resource server may have at once: one for each stream of each connection.
    pub fn requests_at_once(&self) -> u32 {
        self.connections.get().saturating_mul(self.streams.get())
    }

    /// When requests are due, probes not counted: endless, and the same for the same seed.
    /// None in a closed loop.
    pub fn instants(&self, seed: u64) -> Box<dyn Iterator<Item = Offset> + Send> {
        let Pace::Open { rate, arrivals } = &self.pace else { return Box::new(iter::empty()) };
        // A stream of its own: other choices from the same seed are independent of it.
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(1);
        arrivals.instants(*rate, random.random())
    }

    /// When a live token is replaced, and which one: a Poisson process, so that each lives for an exponential time whatever happened before.
    /// The same for the same seed.
    pub fn replacements(&self, seed: u64) -> impl Iterator<Item = (Offset, u32)> + Send + use<> {
        // Streams 1 to 5 decide when and with what requests are sent.
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(6);
        let (end, live) = (self.end(), self.pool.live);
        let instants = self.pool.churn.map(|rate| Poisson {}.instants(rate, random.random()));
        let instants = instants.into_iter().flatten().take_while(move |due| *due < end);
        instants.map(move |due| (due, random.random_range(0..live)))
    }

    /// How many live tokens the reuse law needs for the requests of this seed.
    pub fn live_needed(&self, seed: u64) -> u64 {
        match self.pool.reuse.demand() {
            Demand::AtLeast(tokens) => tokens.into(),
            Demand::OnePerRequest => {
                let end = self.end();
                let planned = self.instants(seed).take_while(|due| *due < end).count() as u64;
                let requests = self.requests.map_or(planned, |most| planned.min(most));
                most_live(requests, self.pool.bad_fraction)
            }
        }
    }
}

/// As many of the requests as can carry a live token: by more than six standard deviations none does beyond it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of requests")]
fn most_live(requests: u64, bad_fraction: f64) -> u64 {
    let mean = requests as f64 * (1.0 - bad_fraction);
    let most = (mean + 6.0 * (mean * bad_fraction).sqrt()).ceil() as u64;
    most.min(requests)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::scenario::ScenarioFile;

    #[test]
    fn tokens_are_replaced_at_their_rate_each_as_often_as_the_others_and_alike_for_one_seed() {
        let text = include_str!("../../scenarios/churn.toml");
        let file = ScenarioFile::parse("churn.toml".to_owned(), text, &[]).unwrap();
        let plan = Plan::decide(&file, &[], &[0, 1]).unwrap();
        let mut workload = (*plan.trials[0].workload).clone();
        (workload.window, workload.pool.live) = (Period::from_secs(400), 4);
        let replaced: Vec<(Offset, u32)> = workload.replacements(3).collect();
        assert_eq!(replaced, workload.replacements(3).collect::<Vec<_>>());
        assert_ne!(replaced, workload.replacements(4).collect::<Vec<_>>());
        assert!(replaced.is_sorted() && replaced.last().unwrap().0 < workload.end());
        for token in 0..4 {
            let count = replaced.iter().filter(|(_, replaced)| *replaced == token).count();
            // 5,006 are expected; five standard deviations are 354.
            assert!((4_652..=5_360).contains(&count), "{token}: {count}");
        }
        workload.pool.churn = None;
        assert_eq!(workload.replacements(3).count(), 0);
    }

    #[test]
    fn without_bad_tokens_every_request_carries_a_live_one() {
        assert_eq!(most_live(1_000, 0.0), 1_000);
        assert_eq!(most_live(1_000, 1.0), 0);
        assert_eq!(most_live(10_000, 0.05), 9_500 + 131);
        assert_eq!(most_live(10, 0.5), 10);
    }
}
