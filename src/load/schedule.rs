//! Every request of a trial, decided before anything is sent: a pure function of the workload and a seed.

use std::iter::Peekable;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::arrival::{ArrivalProcess, Poisson};
use crate::load::Share;
use crate::plan::{Pool, Workload};
use crate::reuse::{Picker, Slice};
use crate::units::{Offset, Rate};

/// One request, before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// When it is to be sent.
    pub due: Offset,
    /// To which resource server, from 0.
    pub resource_server: u32,
    /// With which token.
    pub token: Token,
}

/// A token by its place in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// A live token by its number: of those chosen by popularity 0 is asked for most often.
    Live(u32),
    /// A token that must be refused.
    Bad {
        /// Which kind of bad of those in the plan's mix, from 0.
        kind: u32,
        /// Which token of its kind, from 0.
        index: u32,
    },
    /// A token under revocation test, by the number of its revocation: this request is a probe.
    Watched(u32),
}

/// The requests of a trial in the order in which they are due, up to the end of the workload (exclusive); of a closed loop,
/// the probes beside it.
///
/// Nothing in it depends on the subject, so every subject of a repetition gets the same requests.
pub fn schedule(workload: &Workload, seed: u64) -> impl Iterator<Item = Request> + Send + use<> {
    let end = workload.end();
    Merged { first: load(workload, seed).peekable(), second: probes(workload, seed).peekable() }
        .take_while(move |request| request.due < end)
}

/// The tokens that users of a closed loop send, one thread's share of them: asked for the next one when it is due.
///
/// They follow the law and the mix of the plan, whatever the number of threads. Without due instants told beforehand
/// nobody knows how many there will be: a law that gives every request a token of its own starts over after the last.
pub fn picks(workload: &Workload, seed: u64, share: Share) -> impl FnMut(Offset) -> Token + Send + use<> {
    let part = |number: usize| u32::try_from(number).expect("fewer threads than 2^32");
    let slice = Slice { index: part(share.index), of: part(share.of) };
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(Randomness::Users as u64 | u64::from(slice.index) << 8);
    let mut draw = Draw::new(&workload.pool, slice);
    move |due| draw.token(due, &mut random)
}

/// The independent random choices of a schedule; when its load is due comes from 1, in
/// [`Workload::instants`](crate::plan::Workload::instants).
#[derive(Clone, Copy)]
enum Randomness {
    LoadRequests = 2,
    ProbeInstants = 3,
    ProbeRequests = 4,
    /// Of the first thread; the others have theirs above.
    Users = 5,
}

fn random(seed: u64, stream: Randomness) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream as u64);
    random
}

fn load(workload: &Workload, seed: u64) -> impl Iterator<Item = Request> + Send + use<> {
    let mut random = random(seed, Randomness::LoadRequests);
    let resource_servers = workload.resource_servers;
    let mut draw = Draw::new(&workload.pool, Slice::WHOLE);
    let most = workload.requests.unwrap_or(u64::MAX);
    workload.instants(seed).zip(0..most).map(move |(due, _)| Request {
        due,
        resource_server: random.random_range(0..resource_servers),
        token: draw.token(due, &mut random),
    })
}

/// Draws tokens as a pool says: bad ones by their weights, live ones by the law of their reuse.
struct Draw {
    bad_fraction: f64,
    /// For each kind of bad tokens its weight and those before it.
    weights: Vec<u32>,
    bad_per_kind: u32,
    live: Box<dyn Picker>,
}

impl Draw {
    fn new(pool: &Pool, slice: Slice) -> Self {
        let weights = pool.mix.iter().scan(0, |sum, (_, weight)| {
            *sum += weight;
            Some(*sum)
        });
        Self {
            bad_fraction: if pool.mix.is_empty() { 0.0 } else { pool.bad_fraction },
            weights: weights.collect(),
            bad_per_kind: pool.bad_per_kind,
            live: pool.reuse.picker(pool.live, slice),
        }
    }

    fn token(&mut self, due: Offset, random: &mut ChaCha8Rng) -> Token {
        if !random.random_bool(self.bad_fraction) {
            return Token::Live(self.live.pick(due, random));
        }
        let total = self.weights.last().expect("there are bad tokens only with a kind");
        let drawn = random.random_range(0..*total);
        let kind = self.weights.partition_point(|sum| *sum <= drawn);
        Token::Bad {
            kind: u32::try_from(kind).expect("few kinds"),
            index: random.random_range(0..self.bad_per_kind),
        }
    }
}

/// Independent Poisson processes, one for each revocation at each resource server. They are drawn as
/// one process of their total rate whose requests are dealt out uniformly, which is the same law.
fn probes(workload: &Workload, seed: u64) -> impl Iterator<Item = Request> + Send + use<> {
    let revocations =
        u32::try_from(workload.revocations.len()).expect("a trial revokes fewer than 2^32 tokens");
    let resource_servers = workload.resource_servers;
    let processes = f64::from(revocations) * f64::from(resource_servers);
    let total = Rate::try_from(workload.probe_rate.per_second() * processes).ok();
    let mut random = random(seed, Randomness::ProbeRequests);
    total
        .map(|rate| Poisson {}.instants(rate, instants_seed(seed, Randomness::ProbeInstants)))
        .into_iter()
        .flatten()
        .map(move |due| Request {
            due,
            resource_server: random.random_range(0..resource_servers),
            token: Token::Watched(random.random_range(0..revocations)),
        })
}

/// A seed for an arrival process, which makes its own generator.
fn instants_seed(seed: u64, stream: Randomness) -> u64 {
    random(seed, stream).random()
}

/// Two ordered streams as one.
struct Merged<A: Iterator<Item = Request>, B: Iterator<Item = Request>> {
    first: Peekable<A>,
    second: Peekable<B>,
}

impl<A: Iterator<Item = Request>, B: Iterator<Item = Request>> Iterator for Merged<A, B> {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        match (self.first.peek(), self.second.peek()) {
            (Some(first), Some(second)) if second.due < first.due => self.second.next(),
            (None, _) => self.second.next(),
            (Some(_), _) => self.first.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::{BadKind, Pace};
    use crate::registry::{Choice, Part, Role};
    use crate::reuse::ReuseLaw;
    use crate::units::{Period, Span};

    fn open(rate: f64) -> Pace {
        Pace::Open { rate: Rate::try_from(rate).unwrap(), arrivals: Part::named("poisson").unwrap() }
    }

    fn workload(zipf_exponent: f64, revocations: usize) -> Workload {
        Workload {
            pace: open(10_000.0),
            warmup: Span::from_secs(1),
            window: Period::from_secs(10),
            requests: None,
            resource_servers: 2,
            connections: 8.try_into().unwrap(),
            streams: 1.try_into().unwrap(),
            requests_per_connection: None,
            pool: Pool {
                live: 1_000,
                reuse: zipf(zipf_exponent),
                bad_fraction: 0.05,
                mix: BadKind::ALL[..5].iter().map(|kind| (*kind, 1)).collect(),
                bad_per_kind: 20,
            },
            revocations: vec![Offset::default(); revocations],
            probe_rate: Rate::try_from(50.0).unwrap(),
        }
    }

    fn zipf(exponent: f64) -> Part<dyn ReuseLaw> {
        let settings = toml::Table::from_iter([("exponent".to_owned(), exponent.into())]);
        <dyn ReuseLaw>::registry().resolve(Choice { kind: "zipf".to_owned(), settings }).unwrap()
    }

    /// How often something was counted, against how often it should be: within five standard deviations.
    #[track_caller]
    fn check(found: usize, of: usize, probability: f64) {
        let (expected, trials) = (of as f64 * probability, of as f64);
        let deviation = (trials * probability * (1.0 - probability)).sqrt();
        assert!((found as f64 - expected).abs() < 5.0 * deviation, "{found} instead of {expected}");
    }

    #[test]
    fn tokens_and_resource_servers_follow_their_laws() {
        let requests: Vec<_> = schedule(&workload(0.99, 0), 42).collect();
        let count =
            |wanted: &dyn Fn(&Request) -> bool| requests.iter().filter(|request| wanted(request)).count();
        let all = requests.len();
        check(all, 1_000_000, 0.11);
        check(count(&|request| request.resource_server == 0), all, 0.5);
        for bad_kind in 0..5 {
            let is_kind =
                |request: &Request| matches!(request.token, Token::Bad { kind, .. } if kind == bad_kind);
            check(count(&is_kind), all, 0.01);
        }
        check(count(&|request| matches!(request.token, Token::Bad { index: 7, .. })), all, 0.05 / 20.0);
        let total: f64 = (1..=1_000).map(|rank| f64::from(rank).powf(-0.99)).sum();
        for rank in [0, 1, 9, 99, 999] {
            let probability = 0.95 * f64::from(rank + 1).powf(-0.99) / total;
            check(count(&|request| request.token == Token::Live(rank)), all, probability);
        }
    }

    #[test]
    fn kinds_of_bad_tokens_come_by_their_weights() {
        let mut workload = workload(0.99, 0);
        workload.pool.bad_fraction = 0.4;
        workload.pool.mix = vec![(BadKind::Expired, 12), (BadKind::WrongAudience, 1), (BadKind::Revoked, 7)];
        let requests: Vec<_> = schedule(&workload, 42).collect();
        for (wanted, weight) in [(0, 12.0), (1, 1.0), (2, 7.0)] {
            let is_kind =
                |request: &&Request| matches!(request.token, Token::Bad { kind, .. } if kind == wanted);
            check(requests.iter().filter(is_kind).count(), requests.len(), 0.4 * weight / 20.0);
        }
    }

    #[test]
    fn without_a_kind_of_bad_tokens_every_token_is_live() {
        let mut workload = workload(0.99, 0);
        workload.pool.mix.clear();
        assert!(schedule(&workload, 1).all(|request| matches!(request.token, Token::Live(_))));
    }

    #[test]
    fn users_of_a_closed_loop_get_tokens_by_the_same_laws_on_any_number_of_threads() {
        let workload = workload(0.99, 0);
        for of in [1, 3] {
            let tokens: Vec<_> = (0..of)
                .flat_map(|index| {
                    let mut pick = picks(&workload, 42, Share { index, of });
                    (0..120_000 / of)
                        .map(move |number| pick(Offset::from_nanos(number as u64)))
                        .collect::<Vec<_>>()
                })
                .collect();
            let bad = tokens.iter().filter(|token| matches!(token, Token::Bad { .. })).count();
            check(bad, tokens.len(), 0.05);
            let total: f64 = (1..=1_000).map(|rank| f64::from(rank).powf(-0.99)).sum();
            let most_popular = tokens.iter().filter(|token| **token == Token::Live(0)).count();
            check(most_popular, tokens.len(), 0.95 / total);
        }
    }

    #[test]
    fn threads_of_a_closed_loop_share_unique_tokens_without_overlap() {
        let mut workload = workload(0.99, 0);
        workload.pool.reuse = Part::named("unique").unwrap();
        workload.pool.bad_fraction = 0.0;
        let mut tokens: Vec<_> = (0..2)
            .flat_map(|index| {
                let mut pick = picks(&workload, 42, Share { index, of: 2 });
                (0..500).map(move |_| pick(Offset::default())).collect::<Vec<_>>()
            })
            .map(|token| if let Token::Live(token) = token { token } else { panic!("a bad token") })
            .collect();
        tokens.sort_unstable();
        assert_eq!(tokens, (0..1_000).collect::<Vec<_>>());
    }

    #[test]
    fn an_exponent_of_zero_makes_every_live_token_as_popular_as_any_other() {
        let requests: Vec<_> = schedule(&workload(0.0, 0), 42).collect();
        for rank in [0, 500, 999] {
            let found = requests.iter().filter(|request| request.token == Token::Live(rank)).count();
            check(found, requests.len(), 0.95 / 1_000.0);
        }
    }

    #[test]
    fn every_watched_token_is_probed_at_every_resource_server_as_by_a_poisson_process_of_its_own() {
        let requests: Vec<_> = schedule(&workload(0.99, 3), 42).collect();
        for revocation in 0..3 {
            for resource_server in 0..2 {
                let wanted = |request: &&Request| {
                    (request.token, request.resource_server) == (Token::Watched(revocation), resource_server)
                };
                let due: Vec<_> = requests.iter().filter(wanted).map(|request| request.due).collect();
                check(due.len(), 1_000_000, 50.0 * 11.0 / 1_000_000.0);
                // The share of gaps longer than the mean gap is 1/e for an exponential law.
                let long = due.windows(2).filter(|pair| pair[1].since(pair[0]).as_millis() >= 20).count();
                check(long, due.len(), (-1.0_f64).exp());
            }
        }
    }

    #[test]
    fn probes_do_not_disturb_the_load() {
        let load = |revocations| {
            let requests = schedule(&workload(0.99, revocations), 1);
            requests.filter(|request| !matches!(request.token, Token::Watched(_))).collect::<Vec<_>>()
        };
        assert_eq!(load(0), load(5));
    }

    #[test]
    fn users_in_a_closed_loop_send_tokens_by_the_same_law_and_probes_go_on_beside_them() {
        let closed = Workload { pace: Pace::Closed { think: Span::default() }, ..workload(0.99, 3) };
        let requests: Vec<_> = schedule(&closed, 42).collect();
        assert!(requests.iter().all(|request| matches!(request.token, Token::Watched(_))));
        check(requests.len(), 1_000_000, 3.0 * 2.0 * 50.0 * 11.0 / 1_000_000.0);
        let mut pick = picks(&closed, 42, Share { index: 0, of: 2 });
        let tokens: Vec<Token> = (0..100_000).map(|_| pick(Offset::default())).collect();
        let bad = tokens.iter().filter(|token| matches!(token, Token::Bad { .. })).count();
        check(bad, tokens.len(), 0.05);
        let mut again = picks(&closed, 42, Share { index: 0, of: 2 });
        assert!(tokens[..100].iter().all(|token| *token == again(Offset::default())));
        let mut other = picks(&closed, 42, Share { index: 1, of: 2 });
        assert!(tokens[..100].iter().any(|token| *token != other(Offset::default())));
    }

    #[test]
    fn a_load_that_ends_by_count_has_so_many_requests() {
        let counted = Workload { requests: Some(777), ..workload(0.99, 0) };
        let requests: Vec<_> = schedule(&counted, 42).collect();
        assert_eq!(requests[..], schedule(&workload(0.99, 0), 42).take(777).collect::<Vec<_>>());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn a_schedule_is_in_order_ends_in_time_and_is_the_same_for_the_same_seed(seed in any::<u64>()) {
            let mut workload = workload(0.99, 2);
            workload.pace = open(100.0);
            let requests: Vec<_> = schedule(&workload, seed).collect();
            prop_assert!(requests.is_sorted_by_key(|request| request.due));
            prop_assert!(requests.last().unwrap().due < workload.end());
            prop_assert_eq!(&requests, &schedule(&workload, seed).collect::<Vec<_>>());
            prop_assert_ne!(&requests, &schedule(&workload, seed.wrapping_add(1)).collect::<Vec<_>>());
        }
    }
}
