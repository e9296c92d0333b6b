//! What many tokens cost an authorization server: how long it takes to issue them, what room the memory store takes for them, how
//! much longer an introspection takes among a million live tokens than among a thousand, and what it costs that another program keeps them.
//!
//! ```sh
//! cargo bench --bench authorization_server
//! ```
//!
//! Issuing is timed without any network on all cores, by wall time of this machine; the rest is measured of server processes over
//! loopback. The two introspections alternate in short batches, so that what disturbs this machine disturbs both alike. Targets are
//! printed beside the figures and fail nothing.

#[path = "../validation/interval.rs"]
mod interval;
mod served;
mod stores;

use std::io::{self, Write as _};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use bearerbench::auth::authorization_server::{AuthorizationServer, Client, Minting};
use bearerbench::auth::store::Store;
use bearerbench::auth::token::jwt::SigningKey;
use bearerbench::auth::token::signature::SignatureScheme;
use bearerbench::auth::token::{Groups, WallClock};
use bearerbench::design::TokenFormat;
use bearerbench::registry::Part;
use interval::{Interval, Judgement};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use served::{Connection, Served};

const MANY: usize = 1_000_000;
const FEW: usize = 1_000;
const SIGNED: usize = 100_000;
/// Introspections in a batch, and pairs of batches.
const BATCH: usize = 25;
const PAIRS: usize = 2_000;

fn main() {
    // `cargo test --benches` only asks whether it runs.
    let quick = std::env::args().any(|argument| argument == "--test");
    let [many, few, signed, pairs] = if quick { [1_000, 10, 10, 10] } else { [MANY, FEW, SIGNED, PAIRS] };

    let seconds = seconds_to_issue(&server(Minting::Opaque), many);
    say(&format!("issue {many} opaque tokens: {seconds:.2} s (at most 10)"));
    let scheme = Part::<dyn SignatureScheme>::named("ES256").expect("registered");
    let key = SigningKey::generate(&*scheme).expect("a key");
    let minting = Minting::signed(TokenFormat::Jwt, key, scheme, Vec::new());
    let seconds = seconds_to_issue(&server(minting), signed);
    say(&format!("issue {signed} ES256 tokens: {seconds:.2} s (at most 6)"));

    stores::issue(many);

    // The servers on one core and the client on another, so that both servers are as far from the client.
    let cores = sched_getaffinity(None).expect("Linux tells");
    let mut cores = (0..CpuSet::MAX_CPU).filter(|core| cores.is_set(*core));
    let first = cores.next().expect("this runs somewhere");
    let last = cores.next_back().unwrap_or(first);
    stay_on(last);
    let (small, large) = (Served::start(), Served::start());
    stay_on(first);
    let few_tokens = small.issue(few);
    let before = large.resident_bytes();
    let many_tokens = large.issue(many);
    let bytes = large.resident_bytes().saturating_sub(before);
    say(&format!("memory for {many} live opaque tokens: {:.0} MB (less than 250)", bytes as f64 / 1e6));
    let mut sides = [Side::of(&small, &few_tokens), Side::of(&large, &many_tokens)];
    say(&format!("introspect among {many} beside {few} live tokens: {}", beside(&mut sides, pairs)));
    drop(sides);
    drop((small, large));
    stores::introspect(few, pairs.div_ceil(20), [first, last]);
}

fn stay_on(core: usize) {
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only).expect("it was allowed to run there");
}

fn server(minting: Minting) -> AuthorizationServer {
    let memory = Part::<dyn Store>::named("memory").expect("registered");
    let store = at_once(memory.open()).expect("memory opens");
    let clock = WallClock::system();
    AuthorizationServer::new("https://as.example".to_owned(), [client()], minting, store, clock)
}

fn client() -> Client {
    Client {
        id: "bench".to_owned(),
        secret: "secret".to_owned(),
        audience: "https://api.example/".to_owned(),
        scope: "read".to_owned(),
        lifetime: Duration::from_hours(1),
        age: Duration::ZERO,
        refreshes_for: None,
        groups: Groups::default(),
    }
}

/// As many threads as there are cores issue.
fn seconds_to_issue(server: &AuthorizationServer, count: usize) -> f64 {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let client = &client();
    let begun = Instant::now();
    thread::scope(|scope| {
        for share in 0..threads {
            let count = count / threads + usize::from(share < count % threads);
            scope.spawn(move || {
                for _ in 0..count {
                    at_once(server.issue(client)).expect("a token");
                }
            });
        }
    });
    begun.elapsed().as_secs_f64()
}

/// The result of what waits for nothing.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("a store in memory never waits"),
    }
}

/// One of two servers that are compared.
struct Side<'a> {
    connection: Connection<'a>,
    tokens: &'a [String],
    random: StdRng,
}

impl<'a> Side<'a> {
    fn of(server: &'a Served, tokens: &'a [String]) -> Self {
        Self { connection: server.connect(), tokens, random: StdRng::seed_from_u64(1) }
    }

    /// The median of some introspections of tokens drawn from all, in seconds.
    fn batch(&mut self) -> f64 {
        let mut one = || {
            let token = self.tokens.choose(&mut self.random).expect("there are tokens");
            let begun = Instant::now();
            self.connection.introspect(token);
            begun.elapsed().as_secs_f64()
        };
        Interval::of((0..BATCH).map(|_| one()).collect()).median
    }
}

/// How long the second takes, as a multiple of the first.
fn beside([first, second]: &mut [Side<'_>; 2], pairs: usize) -> String {
    let times = (0..pairs).map(|_| (first.batch(), second.batch()));
    let (first, second): (Vec<f64>, Vec<f64>) = times.unzip();
    let ratio = Interval::of(first.iter().zip(&second).map(|(first, second)| second / first).collect());
    let word = match ratio.judged(1.2) {
        Judgement::Within => "met",
        Judgement::Beyond => "missed",
        Judgement::Undecided => "undecided",
    };
    let micros = |times: Vec<f64>| Interval::of(times).median * 1e6;
    format!("p50 {:.1} us beside {:.1} us, ratio {ratio}, at most 1.2: {word}", micros(second), micros(first))
}

fn say(line: &str) {
    // Whoever stopped reading needs no more lines.
    let _ = writeln!(io::stdout(), "{line}");
}
