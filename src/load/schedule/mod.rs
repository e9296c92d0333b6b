//! Every request of a trial, decided before anything is sent: a pure function of the workload and a seed.

#[cfg(test)]
mod tests;

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
    /// Its place among all that may be: which resource server that is depends on how many there are.
    pub place: u32,
    /// With which token.
    pub token: Token,
}

impl Request {
    /// The number of the resource server that it goes to, from 0, if there are so many.
    pub fn server(&self, of: usize) -> usize {
        server_at(self.place, of)
    }
}

/// The number of the resource server, from 0, at a place that was drawn uniformly, if there are so many. Where there are several for each that there was
/// before, each of these has its requests.
pub fn server_at(place: u32, of: usize) -> usize {
    ((u64::from(place) * of as u64) >> 32) as usize
}

/// A place of the resource server with this number, of so many.
pub(super) fn place_of(server: usize, of: usize) -> u32 {
    u32::try_from(((server as u64) << 32).div_ceil(of as u64)).expect("a server has a number below `of`")
}

/// A token by its number in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

impl Token {
    /// The number of its class among so many: valid ones come first, then the bad ones, then those under revocation test.
    pub(super) fn class(self, classes: usize) -> usize {
        match self {
            Self::Live(_) => 0,
            Self::Bad { kind, .. } => 1 + kind as usize,
            Self::Watched(_) => classes - 1,
        }
    }

    /// Whether it must be accepted. Tokens under revocation test are judged by when.
    pub(super) fn is_live(self) -> bool {
        matches!(self, Self::Live(_))
    }
}

/// The requests of a trial in the order in which they are due, up to the end of the workload (exclusive); of a closed loop,
/// the probes beside it.
///
/// Nothing in it depends on the subject, so every subject of a repetition gets the same requests, whatever number of resource servers it has.
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
    let mut draw = Draw::new(&workload.pool, Slice::WHOLE);
    let most = workload.requests.unwrap_or(u64::MAX);
    workload.instants(seed).zip(0..most).map(move |(due, _)| Request {
        due,
        // One number of the stream, however many servers there are: what is drawn after it is the same.
        place: random.random(),
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

/// Independent Poisson processes, one for each revocation at each resource server. They are drawn as one process of their total rate, the
/// same for any number of servers, whose requests are dealt out uniformly, which is the same law.
fn probes(workload: &Workload, seed: u64) -> impl Iterator<Item = Request> + Send + use<> {
    let revocations =
        u32::try_from(workload.timeline.revocation_count()).expect("a trial revokes fewer than 2^32 tokens");
    let total = Rate::try_from(workload.probes_per_second()).ok();
    let mut random = random(seed, Randomness::ProbeRequests);
    total
        .map(|rate| Poisson {}.instants(rate, instants_seed(seed, Randomness::ProbeInstants)))
        .into_iter()
        .flatten()
        .map(move |due| Request {
            due,
            place: random.random(),
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
