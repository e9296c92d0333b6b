//! Recordings as a run would leave them, from a simulated cache and made-up service times.

#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive numbers")]

mod ladders;
mod nodes;
mod outages;
mod parts;
mod signatures;
mod subjects;

use std::collections::HashMap;
use std::sync::LazyLock;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::analysis::synthetic::nodes::{FIRST_SERVER, count, nodes};
use crate::analysis::synthetic::parts::OpenParts;
use crate::analysis::synthetic::subjects::{Made, subjects};
use crate::design::{Asks, Checks};
use crate::observation::{
    Action, BadTokens, Conditions, Cores, Environment, Event, Load, Look, Node, OpenSecond, Probe,
    RecordedScenario, Recording, Reuse, Revocation, SCHEMA, SignatureTimes, Subject, Workload,
};
use crate::registry::Choice;
use crate::units::Offset;

pub(crate) use ladders::{search, sweep};
pub(crate) use outages::{KILLED, RECOVERED, STARTED, outage};

const RATE: f64 = 1_000.0;
const WARMUP: f64 = 2.0;
const WINDOW: f64 = 10.0;
const SERVERS: u32 = 2;
const TTL: f64 = 5.0;
const LIVE: usize = 10_000;
const BAD: f64 = 0.05;
const KINDS: [&str; 5] = ["expired", "garbage", ACTIVE, "tampered", "unknown"];
/// The kind that the authorization server knows nothing against.
const ACTIVE: &str = "wrong audience";

/// The five subjects of the quickstart, in the order of a scenario.
pub(crate) fn recordings() -> Vec<Recording> {
    (0..5).map(recording).collect()
}

/// One of the five subjects: 0 is the control, 4 the post-quantum JWT.
pub(crate) fn recording(index: usize) -> Recording {
    Simulation::new(index, subjects()[index].clone(), true).run()
}

/// The subjects of `scenarios/signatures.toml`: one architecture, every signature scheme, nothing revoked.
pub(crate) fn signatures() -> &'static [Recording] {
    static MADE: LazyLock<Vec<Recording>> = LazyLock::new(|| {
        let schemes = signatures::schemes();
        let made = schemes.iter().zip(0..).map(|(scheme, position)| {
            let [_, _, verify] = scheme.micros;
            let mut subject = Made::plain(scheme.subject(position), 82.0 + verify, 0.0);
            subject.times = Some(scheme.times());
            let mut recording = Simulation::new(position as usize, subject, false).run();
            recording.scenario.name = "signatures".to_owned();
            recording.scenario.question = "What does the signature of a token cost?".to_owned();
            recording.workload.resource_servers = SERVERS;
            recording
        });
        made.collect()
    });
    &MADE
}

struct Simulation {
    index: usize,
    subject: Subject,
    local: f64,
    call: f64,
    times: Option<SignatureTimes>,
    revokes: bool,
    random: ChaCha8Rng,
    fresh_until: HashMap<(usize, u32), f64>,
    nodes: Vec<Node>,
    /// What the nodes have used and counted until now.
    now: Vec<Look>,
    parts: OpenParts,
    cumulative: Vec<f64>,
}

impl Simulation {
    fn new(index: usize, made: Made, revokes: bool) -> Self {
        let Made { subject, local, call, times } = made;
        let mut sum = 0.0;
        let weights = (1..=LIVE).map(|rank| (rank as f64).powf(-0.99));
        let cumulative = weights
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        let (nodes, now) = nodes().into_iter().unzip();
        let random = ChaCha8Rng::seed_from_u64(index as u64);
        let (fresh_until, parts) = (HashMap::new(), OpenParts::default());
        Self {
            index,
            subject,
            local,
            call,
            times,
            revokes,
            random,
            fresh_until,
            nodes,
            now,
            parts,
            cumulative,
        }
    }

    fn run(mut self) -> Recording {
        let mut load = Load {
            generator_cpu_nanos: 2_300_000_000,
            generators: vec![parts::generator(2_300_000_000)],
            backlog_peak: 3,
            measured_seconds: WINDOW,
            ..Load::default()
        };
        let (mut events, mut probes) = if self.revokes { Self::revocations() } else { Default::default() };
        probes.reverse();
        for second in 0..(WARMUP + WINDOW) as usize {
            let measured = second as f64 >= WARMUP;
            if measured {
                self.look(second as f64);
            }
            let mut facts = OpenSecond::default();
            for slot in 0..RATE as usize {
                let now = second as f64 + slot as f64 / RATE;
                while let Some((sent, revocation, server)) = probes.pop_if(|probe| probe.0 <= now) {
                    let event: &mut Event = &mut events[revocation];
                    let probe = self.probe(sent, event.ended, LIVE + revocation, server);
                    let revoked = event.revocation_mut().expect("nothing else happens");
                    revoked.probes.push(probe);
                }
                self.request(now, &mut facts);
            }
            if measured {
                load.seconds.push(facts.seal());
            } else {
                self.parts = OpenParts::default();
            }
        }
        load.parts = Some(std::mem::take(&mut self.parts).seal());
        self.look(WARMUP + WINDOW);
        self.recording(load, events)
    }

    /// Eight tokens with instants of their own, and every probe of them in order.
    fn revocations() -> (Vec<Event>, Vec<(f64, usize, u32)>) {
        let mut random = ChaCha8Rng::seed_from_u64(99);
        let (mut events, mut probes) = (Vec::new(), Vec::new());
        for index in 0..8 {
            let due = WARMUP + 0.6 + 0.9 * f64::from(index) + 0.2 * random.random::<f64>();
            let revocation = Revocation {
                expires_seconds: 300.0,
                probed_until: at(WARMUP + WINDOW),
                probes: Vec::new(),
                undecided: 0,
            };
            events.push(Event {
                due: at(due),
                began: at(due + 10e-6),
                ended: Some(at(due + 300e-6)),
                what: Action::Revocation(revocation),
                failure: None,
            });
            for server in 0..SERVERS {
                let mut sent = 0.0;
                loop {
                    sent -= random.random::<f64>().ln() / 10.0;
                    if sent >= WARMUP + WINDOW {
                        break;
                    }
                    probes.push((sent, events.len() - 1, server));
                }
            }
        }
        probes.sort_by(|a, b| a.0.total_cmp(&b.0));
        (events, probes)
    }

    fn probe(&mut self, sent: f64, revoked: Option<Offset>, token: usize, server: u32) -> Probe {
        let live = revoked.is_none_or(|revoked| sent < revoked.seconds());
        let (accepted, micros) = self.decide(sent, token, server, live);
        Probe {
            node: FIRST_SERVER + server,
            sent: at(sent),
            answered: Some(at(sent + micros / 1e6)),
            decided: Some(at(sent + micros / 2e6)),
            accepted,
        }
    }

    fn request(&mut self, now: f64, facts: &mut OpenSecond) {
        let server = self.random.random_range(0..SERVERS);
        let is_bad = self.random.random_bool(BAD);
        let kind = self.random.random_range(0..KINDS.len());
        let (token, live) = if is_bad {
            // Another audience is active at the authorization server.
            (LIVE + 100 + kind * 100 + self.random.random_range(0..20), KINDS[kind] == ACTIVE)
        } else {
            let point = self.random.random::<f64>() * self.cumulative[LIVE - 1];
            (self.cumulative.partition_point(|sum| *sum < point), true)
        };
        let (_, micros) = self.decide(now, token, server, live);
        let lag = 0.4 + 2.0 * self.random.random::<f64>().powi(8);
        facts.lag.record((lag * 1e3) as u64);
        let (service, latency) = ((micros * 1e3) as u64, ((lag + micros) * 1e3) as u64);
        facts.service.record(service);
        facts.served.record(service);
        facts.latency.record(latency);
        let accepted = !is_bad || self.subject.is_control();
        let class = if is_bad { KINDS[kind] } else { "valid" };
        self.parts.record(class, if accepted { "2xx" } else { "4xx" }, latency, service);
        let ended = facts.outcomes.class_mut(class);
        ended.planned += 1;
        ended.sent += 1;
        // Answers take microseconds: they arrive in the second of their requests.
        facts.answers += 1;
        if accepted {
            ended.accepted += 1;
        } else {
            ended.refused += 1;
        }
    }

    /// Whether a token is accepted, and after how many microseconds.
    fn decide(&mut self, now: f64, token: usize, server: u32, live: bool) -> (bool, f64) {
        let used = &mut self.now[(FIRST_SERVER + server) as usize];
        count(used, "requests");
        used.cpu_nanos += (self.local * 600.0) as u64;
        let design = self.subject.design;
        let mut asks = design.asks == Asks::EveryRequest;
        let mut accepted = live || design.ignores_revocations();
        if let Some(lifetime) = design.cache_lifetime() {
            let fresh = self.fresh_until.get(&(token, server)).is_some_and(|until| now < *until);
            asks = !fresh;
            accepted = fresh || live;
            count(used, if fresh { "cache_hits" } else { "cache_misses" });
            if asks && live {
                self.fresh_until.insert((token, server), now + lifetime);
            }
        }
        if asks {
            used.cpu_nanos += 35_000;
            let called = &mut self.now[1];
            count(called, "/introspect");
            called.cpu_nanos += 48_000;
        }
        let typical = self.local + if asks { self.call } else { 0.0 };
        let spread: f64 = (0..6).map(|_| self.random.random::<f64>() - 0.5).sum();
        let tail = if self.random.random_bool(0.015) { 1.0 + 3.0 * self.random.random::<f64>() } else { 1.0 };
        (accepted || design.checks == Checks::Nothing, typical * (0.25 * spread).exp() * tail)
    }

    fn look(&mut self, seconds: f64) {
        // Nothing costs exactly the same every second.
        self.now[FIRST_SERVER as usize].cpu_nanos += self.random.random_range(0..4_000_000);
        for (node, now) in self.nodes.iter_mut().zip(&self.now) {
            node.looks.push(Look { at: at(seconds), ..now.clone() });
        }
    }

    fn recording(self, load: Load, events: Vec<Event>) -> Recording {
        Recording {
            schema: SCHEMA,
            scenario: RecordedScenario {
                name: "quickstart".to_owned(),
                question: "What does each way to validate a token cost an API, and how fast does a revocation reach it?".to_owned(),
                thresholds: vec!["p(99)<5ms".to_owned(), "errors<0.1%".to_owned(), "wrong_answers<1".to_owned()],
            },
            subject: self.subject,
            workload: workload(),
            repetition: 0,
            step: None,
            seed: 42,
            started: format!("2026-11-22T19:36:{:02}Z", 12 * (self.index % 5)),
            environment: environment(),
            conditions: Conditions { cpu_pressure_percent: Some(6.5), steal_percent: Some(0.1) },
            signature_conditions: self.times.as_ref().map(|_| Conditions::default()),
            signature_times: self.times,
            load: Some(load),
            events,
            churn: None,
            learned: Vec::new(),
            nodes: self.nodes,
            popularity: None,
            failure: None,
        }
    }
}

fn at(seconds: f64) -> Offset {
    Offset::from_nanos((seconds * 1e9) as u64)
}

fn workload() -> Workload {
    Workload {
        rate: RATE,
        arrivals: "constant".to_owned(),
        arrival_process: Some(Choice::named("constant")),
        think_seconds: None,
        warmup_seconds: WARMUP,
        window_seconds: WINDOW,
        resource_servers: SERVERS,
        connections: 16,
        live_tokens: LIVE as u64,
        churn_per_second: 0.0,
        reuse: Reuse::Zipf { exponent: 0.99 },
        bad_fraction: BAD,
        bad_tokens_per_kind: 20,
        bad_tokens: KINDS.map(bad_tokens).to_vec(),
        token_lifetime_seconds: 300.0,
        probe_rate: 10.0,
    }
}

fn bad_tokens(kind: &str) -> BadTokens {
    BadTokens { kind: kind.to_owned(), weight: 1, are_active: kind == ACTIVE, unreadable: 0 }
}

fn environment() -> Environment {
    Environment {
        bearerbench: "0.1.0".to_owned(),
        build: "release".to_owned(),
        target_features: Vec::new(),
        compiler: "rustc 1.95.0".to_owned(),
        commit: None,
        libraries: "hyper 1.12.0".to_owned(),
        os: "Linux 6.12".to_owned(),
        cpu: "Example CPU @ 2.50GHz".to_owned(),
        cores_available: 2,
        memory_bytes: 8_000_000_000,
        hypervisor: Some("KVM".to_owned()),
        clock_source: "kvm-clock".to_owned(),
        cores: Cores { generator: vec![0], servers: vec![1] },
    }
}
