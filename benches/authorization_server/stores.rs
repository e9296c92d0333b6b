//! What it costs that another program keeps the tokens: a million of them issued into it, and the CPU time of the authorization server for
//! an introspection beside that with the store in memory.

use std::sync::Arc;
use std::time::Instant;

use bearerbench::auth::authorization_server::{AuthorizationServer, Minting};
use bearerbench::auth::store::{self, Store};
use bearerbench::auth::token::WallClock;
use bearerbench::registry::Part;
use bearerbench::service::Service;
use bearerbench::testbed::machine::process_usage;
use bearerbench::testbed::service::PrivateService;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use tokio::runtime::Runtime;

use crate::interval::{Interval, Judgement};
use crate::served::{Connection, Served};
use crate::{client, say, stay_on};

/// A store, how long a million tokens may take into it, and how many times the CPU time of the store in memory an introspection may take.
const STORES: [(&str, f64, f64); 2] = [("redis", 12.0, 1.6), ("postgresql", 25.0, 2.5)];

/// Tokens that are issued at once.
const TOGETHER: usize = 5_000;

/// Questions that are under way at once, and how many there are in a batch.
const AT_ONCE: usize = 16;
const BATCH: usize = 40 * AT_ONCE;

/// Issues into every store, on all cores.
pub(crate) fn issue(many: usize) {
    let runtime = runtime();
    for (kind, most, _) in STORES {
        let Some((service, part)) = started(&runtime, kind, &[]) else { continue };
        let seconds = runtime.block_on(seconds_to_issue(&part, many));
        say(&format!("issue {many} opaque tokens into {kind}: {seconds:.2} s (at most {most:.0})"));
        drop(service);
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads")
}

/// A store that has a program for itself; nothing, and a word, where that is not installed.
fn started(runtime: &Runtime, kind: &str, cores: &[u32]) -> Option<(PrivateService, Part<dyn Store>)> {
    let store = Part::<dyn Store>::named(kind).expect("registered");
    let needed = store.service().expect("a program keeps its tokens");
    let service = Part::<dyn Service>::named(needed.name).expect("registered");
    match runtime.block_on(PrivateService::start(&service, &needed.settings, cores)) {
        Ok(started) => {
            let store = store::placed(&store, &started.url, "bench").expect("it takes a place");
            Some((started, store))
        }
        Err(error) => {
            say(&format!("skipped: {kind}: {error}"));
            None
        }
    }
}

async fn seconds_to_issue(store: &Part<dyn Store>, many: usize) -> f64 {
    let store = store.open().await.expect("it is ready");
    let (issuer, clock) = ("https://as.example".to_owned(), WallClock::system());
    let server = Arc::new(AuthorizationServer::new(issuer, [client()], Minting::Opaque, store, clock));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let begun = Instant::now();
    let issuing: Vec<_> = (0..threads)
        .map(|share| {
            let server = Arc::clone(&server);
            let mut left = many / threads + usize::from(share < many % threads);
            tokio::spawn(async move {
                while left > 0 {
                    let number = left.min(TOGETHER);
                    server.issue_many(&client(), number).await.expect("tokens");
                    left -= number;
                }
            })
        })
        .collect();
    for issuing in issuing {
        issuing.await.expect("no task panics");
    }
    begun.elapsed().as_secs_f64()
}

/// A server with its store, and some connections to it.
struct Asked<'a> {
    server: &'a Served,
    connections: Vec<Connection<'a>>,
    tokens: Vec<String>,
    random: StdRng,
}

impl<'a> Asked<'a> {
    fn of(server: &'a Served, tokens: usize) -> Self {
        let connections = (0..AT_ONCE).map(|_| server.connect()).collect();
        Self { server, connections, tokens: server.issue(tokens), random: StdRng::seed_from_u64(1) }
    }

    /// Seconds of CPU time of the server for each question of a batch.
    fn batch(&mut self) -> f64 {
        let before = process_usage(self.server.pid()).expect("it runs").cpu_nanos;
        for _ in 0..BATCH / AT_ONCE {
            for connection in &mut self.connections {
                connection.ask(self.tokens.choose(&mut self.random).expect("there are tokens"));
            }
            self.connections.iter_mut().for_each(Connection::is_answered);
        }
        let after = process_usage(self.server.pid()).expect("it runs").cpu_nanos;
        (after - before) as f64 / 1e9 / BATCH as f64
    }
}

/// Asks servers with each store in turn: the servers on the core `theirs`, everything else on the core `ours`.
pub(crate) fn introspect(tokens: usize, rounds: usize, [ours, theirs]: [usize; 2]) {
    let runtime = runtime();
    let core = u32::try_from(ours).expect("a core");
    let kept: Vec<_> = STORES
        .iter()
        .filter_map(|(kind, _, most)| Some((*kind, *most, started(&runtime, kind, &[core])?)))
        .collect();
    stay_on(theirs);
    let memory = Served::start();
    let others: Vec<Served> = kept.iter().map(|(kind, _, (service, _))| served(kind, &service.url)).collect();
    stay_on(ours);
    let mut first = Asked::of(&memory, tokens);
    let mut asked: Vec<Asked<'_>> = others.iter().map(|server| Asked::of(server, tokens)).collect();
    let mut base = Vec::new();
    let mut times = vec![Vec::new(); asked.len()];
    for _ in 0..rounds {
        base.push(first.batch());
        for (asked, times) in asked.iter_mut().zip(&mut times) {
            times.push(asked.batch());
        }
    }
    for ((kind, most, _), times) in kept.iter().zip(times) {
        let ratio = Interval::of(base.iter().zip(&times).map(|(base, time)| time / base).collect());
        let word = match ratio.judged(*most) {
            Judgement::Within => "met",
            Judgement::Beyond => "missed",
            Judgement::Undecided => "undecided",
        };
        let micros = |times: Vec<f64>| Interval::of(times).median * 1e6;
        say(&format!(
            "introspect with {kind} beside memory: {:.1} us of CPU time at the authorization server beside {:.1} us, ratio {ratio}, at \
             most {most}: {word}",
            micros(times),
            micros(base.clone())
        ));
    }
}

fn served(kind: &str, url: &str) -> Served {
    Served::start_with(&[
        "--store",
        &format!("{{ kind = \"{kind}\", url = \"{url}\", namespace = \"asked\" }}"),
    ])
}
