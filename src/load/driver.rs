//! The open loop: walks the schedule whatever the servers do.

use std::cell::RefCell;
use std::io;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::task::{LocalSet, spawn_local, yield_now};
use tokio::time::timeout;

use crate::load::dispatch::Dispatch;
use crate::load::pacing::Pacer;
use crate::load::readers::between_sweeps;
use crate::load::recorder::Recorder;
use crate::load::schedule::Request;
use crate::load::tokens::TokenPool;
use crate::load::transport::Transport;
use crate::units::Offset;

/// How often an interrupt, the end of the window and the end of a drain are looked for.
const LOOK: Duration = Duration::from_millis(50);
/// After so many requests the readers get a turn, however late the generator is.
const BURST: usize = 16;
/// How long an interrupted run waits for answers in flight.
const INTERRUPTED_DRAIN: Duration = Duration::from_secs(1);

/// Everything about a run but its requests, its clock and its transport.
pub(super) struct Course<'a> {
    pub(super) servers: usize,
    /// Connections to each server.
    pub(super) connections: usize,
    pub(super) tokens: Arc<TokenPool>,
    pub(super) window: Range<Offset>,
    /// How long an answer may take.
    pub(super) timeout: Duration,
    /// How many requests may wait for a connection.
    pub(super) backlog_limit: usize,
    pub(super) interrupted: &'a AtomicBool,
}

/// Why the schedule was not walked to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Interrupted,
    BacklogFull,
}

/// A slot's new connection, both halves.
type Connection<T> = (<T as Transport>::Sender, <T as Transport>::Receiver);

/// Opens every connection, server by server; tells which server refused.
pub(super) async fn open<T: Transport>(
    transport: &T,
    course: &Course<'_>,
) -> Result<Vec<Connection<T>>, (usize, io::Error)> {
    let mut connections = Vec::new();
    for server in 0..course.servers {
        for _ in 0..course.connections {
            let connecting = timeout(course.timeout, transport.connect(server));
            let connection = connecting.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            connections.push(connection.map_err(|error| (server, error))?);
        }
    }
    Ok(connections)
}

/// Sends every request when it is due and waits for the answers in flight.
pub(super) async fn run<T: Transport, P: Pacer>(
    course: Course<'_>,
    transport: T,
    connections: Vec<Connection<T>>,
    pacer: P,
    requests: impl Iterator<Item = Request>,
) -> (Recorder, Option<Cut>) {
    let recorder = Recorder::new(course.window.clone());
    let dispatch = Dispatch::new(course.servers, course.connections, Arc::clone(&course.tokens), recorder);
    let run = Rc::new(Run { transport, dispatch: RefCell::new(dispatch), pacer, timeout: course.timeout });
    let tasks = LocalSet::new();
    let drive = async {
        let tasks = connections.into_iter().enumerate().map(|(slot, (sender, receiver))| {
            run.dispatch.borrow_mut().connected(slot, sender, Offset::default());
            spawn_local(Rc::clone(&run).read(slot, Some(receiver)))
        });
        spawn_local(Rc::clone(&run).watch(tasks.collect()));
        run.walk(&course, requests).await
    };
    let cut = tasks.run_until(drive).await;
    let recorder = run.dispatch.borrow_mut().finish(run.timeout_limit());
    (recorder, cut)
}

/// What the scheduler and the readers of a run share.
pub(super) struct Run<T: Transport, P> {
    pub(super) transport: T,
    pub(super) dispatch: RefCell<Dispatch<T::Sender>>,
    pub(super) pacer: P,
    pub(super) timeout: Duration,
}

impl<T: Transport, P: Pacer> Run<T, P> {
    async fn walk(&self, course: &Course<'_>, requests: impl Iterator<Item = Request>) -> Option<Cut> {
        let mut cpu = CpuMeter::default();
        let mut cut = None;
        for (number, request) in requests.enumerate() {
            cut = self.reach(request.due, course, &mut cpu).await;
            if cut.is_some() {
                break;
            }
            self.dispatch.borrow_mut().due(request, self.pacer.now());
            if number % BURST == 0 {
                yield_now().await;
            }
        }
        if cut.is_none() {
            cut = self.reach(course.window.end, course, &mut cpu).await;
        }
        let used = cpu.used();
        self.dispatch.borrow_mut().ended(self.pacer.now());
        let until_given_up = course.timeout + 2 * between_sweeps(course.timeout);
        self.drain(if cut.is_some() { until_given_up.min(INTERRUPTED_DRAIN) } else { until_given_up }).await;
        self.dispatch.borrow_mut().note(used, cut.is_some());
        cut
    }

    /// Waits until an instant, unless there is a reason to stop before.
    async fn reach(&self, instant: Offset, course: &Course<'_>, cpu: &mut CpuMeter) -> Option<Cut> {
        loop {
            if course.interrupted.load(Ordering::Relaxed) {
                return Some(Cut::Interrupted);
            }
            if self.dispatch.borrow().waiting() > course.backlog_limit {
                return Some(Cut::BacklogFull);
            }
            let now = self.pacer.now();
            cpu.look(now, course.window.start);
            if now >= instant {
                return None;
            }
            self.wait_until(instant.min(now + LOOK)).await;
        }
    }

    /// Waits for the answers in flight.
    async fn drain(&self, limit: Duration) {
        let deadline = self.pacer.now() + limit;
        loop {
            let now = self.pacer.now();
            if self.dispatch.borrow().is_drained() || now >= deadline {
                return;
            }
            self.wait_until(deadline.min(now + Duration::from_millis(1))).await;
        }
    }

    /// Requests sent before this instant and not answered have timed out.
    pub(super) fn timeout_limit(&self) -> Offset {
        self.pacer.now().since(Offset::from(self.timeout)).into()
    }

    async fn wait_until(&self, instant: Offset) {
        self.pacer.wait_until(instant, || self.dispatch.borrow().outstanding() > 0).await;
    }
}

/// CPU time of this thread from the beginning of the window.
#[derive(Default)]
struct CpuMeter {
    at_start: Option<u64>,
}

impl CpuMeter {
    fn look(&mut self, now: Offset, window_start: Offset) {
        if self.at_start.is_none() && now >= window_start {
            self.at_start = Some(thread_cpu_nanos());
        }
    }

    fn used(&self) -> u64 {
        self.at_start.map_or(0, |at_start| thread_cpu_nanos() - at_start)
    }
}

fn thread_cpu_nanos() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let nanos = time.tv_sec * 1_000_000_000 + time.tv_nsec;
    u64::try_from(nanos).expect("CPU time is not negative")
}
