//! Known truth on tokio's paused clock.

mod again;
mod classes;
mod stand_in;
mod users;

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions};
use tokio::time::Instant;

use crate::arrival::{ArrivalProcess, Constant};
use crate::load::driver::{Course, Cut, open, run};
use crate::load::feed::{Feed, Share, Users};
use crate::load::recorder::Recorder;
use crate::load::renewals::Renewals;
use crate::load::schedule::{Request, Token};
use crate::load::sealer::Sealer;
use crate::load::simulation::classes::tokens;
use crate::load::simulation::stand_in::{SimulatedPacer, StandIn};
use crate::load::transport::Failure;
use crate::observation::{Distribution, Ended, Load, Sealed, Second, VALID};
use crate::units::{Offset, Rate};

/// 10 s of 1,000 req/s at equal gaps.
#[derive(Clone)]
struct Simulation {
    service: Duration,
    connections: usize,
    server_stalled: Range<Offset>,
    generator_stopped: Range<Offset>,
    breaks_every: usize,
    breaking: Failure,
    connecting: Duration,
    timeout: Duration,
    backlog_limit: usize,
    interrupted_at: Option<usize>,
    requests_per_connection: Option<u64>,
    /// In a closed loop instead.
    think: Option<Duration>,
    /// Of a closed loop, in all.
    requests: u64,
    /// Which token each request carries.
    token: fn(usize) -> Token,
    /// How long it takes to sign a proof, if requests have any.
    signing: Option<Duration>,
}

const NEVER: Range<Offset> = Offset::from_nanos(0)..Offset::from_nanos(0);

/// The sixth second of ten.
fn a_second() -> Range<Offset> {
    Offset::from_nanos(5_000_000_000)..Offset::from_nanos(6_000_000_000)
}

impl Default for Simulation {
    fn default() -> Self {
        Self {
            service: Duration::from_millis(1),
            connections: 1_100,
            server_stalled: NEVER,
            generator_stopped: NEVER,
            breaks_every: usize::MAX,
            breaking: Failure::Closed,
            connecting: Duration::ZERO,
            timeout: Duration::from_secs(10),
            backlog_limit: 100_000,
            interrupted_at: None,
            requests_per_connection: None,
            think: None,
            requests: u64::MAX,
            token: |_| Token::Live(0),
            signing: None,
        }
    }
}

impl Simulation {
    fn run(self) -> (Load, Option<Cut>) {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build_local(LocalOptions::default());
        runtime.unwrap().block_on(async {
            let (start, interrupted) = (Instant::now(), Arc::new(AtomicBool::new(false)));
            let transport = StandIn {
                start,
                service: self.service,
                stalled: self.server_stalled,
                breaks_every: self.breaks_every,
                breaking: self.breaking,
                connecting: self.connecting,
                answers: Cell::new(0).into(),
            };
            let tokens = Arc::new(tokens());
            let proofs = self.signing.map(|took| users::proofs(took, &tokens));
            let course = Course {
                servers: 1,
                places: self.connections,
                requests_per_connection: self.requests_per_connection,
                tokens,
                renewals: Renewals::default(),
                proofs,
                window: Offset::default()..Offset::from_nanos(10_000_000_000),
                timeout: self.timeout,
                backlog_limit: self.backlog_limit,
                interrupted: &interrupted,
            };
            let connections = open(&transport, &course).await.unwrap();
            let rate = Rate::try_from(1_000.0).unwrap();
            let (interrupt, interrupted_at) = (Arc::clone(&interrupted), self.interrupted_at);
            let requests =
                Constant {}.instants(rate, 0).take(10_000).enumerate().map(move |(number, due)| {
                    interrupt.store(interrupted_at == Some(number), Ordering::Relaxed);
                    Request { due, place: 0, token: (self.token)(number) }
                });
            let feed = match self.think {
                Some(think) => {
                    Feed::closed(Users { think, pick: Box::new(|_| Token::Live(0)), left: self.requests })
                }
                None => Feed::open(requests),
            };
            let feed = Feed { ends_with_last: self.requests < u64::MAX, ..feed };
            let pacer = SimulatedPacer { start, stopped: self.generator_stopped };
            let sealer = Sealer::start(&[], course.tokens.classes());
            let recorder = Recorder::new(course.window.clone(), Share::WHOLE, &course.tokens, sealer);
            let (recorder, cut) = run(course, transport, connections, pacer, recorder, feed).await;
            (recorder.finish().0, cut)
        })
    }
}

/// One distribution of the whole run.
fn whole(load: &Load, part: fn(&Second) -> &Sealed) -> Distribution {
    load.seconds.iter().fold(Distribution::default(), |mut sum, second| {
        sum.add(&part(second).open());
        sum
    })
}

/// How the requests with valid tokens ended.
fn count(load: &Load, part: fn(&Ended) -> u64) -> u64 {
    load.seconds.iter().filter_map(|second| second.outcomes.of(VALID)).map(part).sum()
}

/// Requests with valid tokens that ended without an answer.
fn errors(ended: &Ended) -> u64 {
    ended.errors.values().sum()
}

/// Quantiles in milliseconds against the truth; the histogram keeps 3 digits.
#[track_caller]
fn check(distribution: &Distribution, expected: &[(f64, f64)]) {
    for (quantile, milliseconds) in expected {
        let found = distribution.quantile(*quantile).unwrap() as f64 / 1e6;
        assert!((found - milliseconds).abs() <= milliseconds / 1_000.0, "{quantile}: {found} ms");
    }
}

#[test]
fn a_constant_service_time_is_read_back() {
    let (load, cut) = Simulation { service: Duration::from_millis(5), ..Simulation::default() }.run();
    check(&whole(&load, |second| &second.latency), &[(0.5, 5.0), (0.99, 5.0), (1.0, 5.0)]);
    check(&whole(&load, |second| &second.service), &[(0.5, 5.0), (1.0, 5.0)]);
    check(&whole(&load, |second| &second.lag), &[(1.0, 0.0)]);
    assert_eq!((cut, count(&load, |ended| ended.accepted)), (None, 10_000));
    assert!(load.seconds.iter().all(|second| second.outcomes.planned() == 1_000));
    for second in &load.seconds {
        let slices = second.slices.unwrap();
        assert_eq!((slices.due, slices.errors), ([100; 10], [0; 10]));
        assert_eq!((slices.valid, slices.accepted), (slices.due, slices.due), "by when they were due");
        assert_eq!(u64::from(slices.answered.iter().sum::<u32>()), second.answers);
        assert_eq!(slices.answered[1..], [100; 9], "5 ms later than they were due");
    }
}

#[test]
fn a_stalled_server_shows_in_the_latency_of_every_request_due_meanwhile_and_is_blamed() {
    let (load, _) = Simulation { server_stalled: a_second(), ..Simulation::default() }.run();
    let truth = [(0.5, 1.0), (0.9, 1.0), (0.95, 501.0), (0.99, 901.0), (1.0, 1_001.0)];
    check(&whole(&load, |second| &second.latency), &truth);
    check(&whole(&load, |second| &second.service), &truth);
    check(&whole(&load, |second| &second.lag), &[(1.0, 0.0)]);
    assert_eq!(whole(&load, |second| &second.wait).count(), 0);
}

#[test]
fn a_stalled_server_with_few_connections_shows_in_the_wait_for_a_connection() {
    let stalled = Simulation { server_stalled: a_second(), connections: 50, ..Simulation::default() };
    let (load, _) = stalled.run();
    // 50 requests a millisecond are caught up: a request due at t of the stall waits t / 50 longer.
    let latency = whole(&load, |second| &second.latency);
    for (quantile, truth) in [(0.95, 500.0), (0.99, 900.0)] {
        let found = latency.quantile(quantile).unwrap() as f64 / 1e6;
        assert!((found / truth - 1.0).abs() < 0.05, "{quantile}: {found} ms");
    }
    check(&latency, &[(0.5, 1.0)]);
    check(&whole(&load, |second| &second.lag), &[(1.0, 0.0)]);
    assert!(whole(&load, |second| &second.wait).quantile(0.9).unwrap() > 800_000_000);
    assert!((900..=1_000).contains(&load.backlog_peak), "{}", load.backlog_peak);
}

#[test]
fn a_stopped_generator_shows_in_the_latency_too_but_is_blamed_itself() {
    for connections in [1_100, 50] {
        let stopped = Simulation { generator_stopped: a_second(), connections, ..Simulation::default() };
        let (load, _) = stopped.run();
        check(
            &whole(&load, |second| &second.lag),
            &[(0.5, 0.0), (0.95, 500.0), (0.99, 900.0), (1.0, 1_000.0)],
        );
        check(&whole(&load, |second| &second.service), &[(0.5, 1.0), (1.0, 1.0)]);
        let latency = whole(&load, |second| &second.latency);
        assert!((latency.quantile(0.99).unwrap() as f64 / 900e6 - 1.0).abs() < 0.05);
    }
}

#[test]
fn a_broken_connection_costs_its_request_and_no_other() {
    let (load, _) = Simulation { breaks_every: 10, connections: 5, ..Simulation::default() }.run();
    let closed = count(&load, |ended| ended.errors["connection closed"]);
    assert_eq!((closed, count(&load, |ended| ended.accepted)), (1_000, 9_000));
}

#[test]
fn a_request_that_gets_no_answer_in_time_is_an_error_and_its_connection_is_replaced() {
    let timeout = Duration::from_millis(80);
    let (load, _) = Simulation { server_stalled: a_second(), timeout, ..Simulation::default() }.run();
    let timed_out = count(&load, |ended| ended.errors.get("timed out").copied().unwrap_or(0));
    // Those of the last 80 to 90 ms of the stall still get their answer.
    assert!((909..=921).contains(&timed_out), "{timed_out}");
    let in_slices =
        |second: usize| u64::from(load.seconds[second].slices.unwrap().errors.iter().sum::<u32>());
    assert_eq!(
        in_slices(5) + in_slices(6),
        timed_out,
        "when they ended, a few after the second in which they were due"
    );
    let during = load.seconds[5].slices.unwrap();
    let is_stalled = during.answered[1..] == [0; 9] && during.accepted[..9] == [0; 9];
    assert!(is_stalled && during.errors[1..].iter().all(|errors| *errors > 80), "{during:?}");
    assert_eq!(timed_out + count(&load, |ended| ended.accepted), 10_000);
}

#[test]
fn a_backlog_that_grows_past_its_limit_cuts_the_run_short_and_keeps_what_was_seen() {
    let slow = Simulation {
        service: Duration::from_millis(500),
        connections: 100,
        backlog_limit: 1_000,
        ..Simulation::default()
    };
    let (load, cut) = slow.run();
    assert_eq!((cut, load.cut_short), (Some(Cut::BacklogFull), true));
    let planned = count(&load, |ended| ended.planned);
    assert_eq!(planned, count(&load, |ended| ended.accepted) + count(&load, errors));
    assert!(load.backlog_end > 1_000, "{}", load.backlog_end);
    assert!(load.measured_seconds < 10.0, "what was not reached was not measured");
    assert!((load.lengths().sum::<f64>() - load.measured_seconds).abs() < 1e-9);
}

#[test]
fn an_interrupted_run_ends_at_once_and_keeps_what_was_seen() {
    let (load, cut) = Simulation { interrupted_at: Some(2_500), ..Simulation::default() }.run();
    assert_eq!((cut, load.cut_short), (Some(Cut::Interrupted), true));
    assert_eq!(count(&load, |ended| ended.accepted), 2_500);
}

#[test]
fn a_user_of_a_closed_loop_waits_for_the_answer_thinks_and_sends_again() {
    let users =
        Simulation { connections: 20, think: Some(Duration::from_millis(4)), ..Simulation::default() };
    let (load, _) = users.run();
    // An answer after 1 ms and 4 ms of thought: 200 requests a second and user, but for the edges of the window.
    let sent = count(&load, |ended| ended.planned);
    assert!((39_980..=40_000).contains(&sent), "{sent}");
    assert_eq!(sent, count(&load, |ended| ended.accepted));
    check(&whole(&load, |second| &second.latency), &[(0.5, 1.0), (1.0, 1.0)]);
    check(&whole(&load, |second| &second.lag), &[(1.0, 0.0)]);
}

#[test]
fn a_closed_loop_without_thought_has_as_many_requests_on_the_wire_as_users_and_ends_with_its_last() {
    let users = Simulation {
        connections: 20,
        think: Some(Duration::ZERO),
        requests: 50_001,
        ..Simulation::default()
    };
    let (load, cut) = users.run();
    assert_eq!((cut, count(&load, |ended| ended.accepted)), (None, 50_001));
    // 20 requests a millisecond: the last is the first of its millisecond.
    assert!((load.measured_seconds - 2.501).abs() < 1e-9, "{} s", load.measured_seconds);
    assert_eq!(load.seconds.iter().map(|second| second.answers).sum::<u64>(), 50_001);
}

#[test]
fn users_with_more_requests_than_the_window_has_room_for_end_with_it() {
    let users = Simulation {
        connections: 2,
        think: Some(Duration::ZERO),
        requests: 1_000_000,
        ..Simulation::default()
    };
    let (load, cut) = users.run();
    assert_eq!((cut, load.measured_seconds), (None, 10.0));
    assert!((19_990..=20_010).contains(&count(&load, |ended| ended.accepted)));
}

#[test]
fn what_a_user_waits_for_a_new_connection_is_part_of_the_latency_and_no_lag_of_the_generator() {
    let replaced = |think| Simulation {
        connections: 5,
        think: Some(think),
        requests_per_connection: Some(1),
        connecting: Duration::from_millis(4),
        ..Simulation::default()
    };
    let (load, _) = replaced(Duration::ZERO).run();
    check(&whole(&load, |second| &second.latency), &[(0.5, 5.0), (0.99, 5.0)]);
    check(&whole(&load, |second| &second.service), &[(0.5, 1.0), (1.0, 1.0)]);
    check(&whole(&load, |second| &second.wait), &[(0.5, 4.0), (1.0, 4.0)]);
    check(&whole(&load, |second| &second.lag), &[(1.0, 0.0)]);
    // A user who thinks for longer than that waits for nothing.
    let (load, _) = replaced(Duration::from_millis(9)).run();
    check(&whole(&load, |second| &second.latency), &[(0.5, 1.0), (1.0, 1.0)]);
}

#[test]
fn connections_that_are_replaced_after_so_many_requests_lose_none() {
    let replaced = Simulation { requests_per_connection: Some(7), connections: 5, ..Simulation::default() };
    let (load, _) = replaced.run();
    assert_eq!(count(&load, |ended| ended.accepted), 10_000);
    let opened = load.parts.unwrap().connect.count();
    assert!((1_425..=1_440).contains(&opened), "{opened}");
}
