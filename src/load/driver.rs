//! The loop of one generator thread: walks its schedule whatever the servers do, and wakes its users.

use std::cell::RefCell;
use std::io;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{JoinHandle, spawn_local, yield_now};
use tokio::time::timeout;

use crate::load::dispatch::Dispatch;
use crate::load::feed::Feed;
use crate::load::meter::Meter;
use crate::load::pacing::Pacer;
use crate::load::proofs::ProofQueue;
use crate::load::readers::between_sweeps;
use crate::load::recorder::Recorder;
use crate::load::renewals::Renewals;
use crate::load::schedule::Request;
use crate::load::tokens::TokenPool;
use crate::load::transport::{ConnectionSlot, Opened, Transport};
use crate::units::{Offset, Stamp};

/// An interrupt and the end of a closed loop are looked for before every request, and so often where none is due.
const LOOK: Duration = Duration::from_millis(50);
/// After so many requests the readers get a turn, however late the generator is.
const BURST: usize = 16;
/// How long an interrupted run waits for answers in flight.
const INTERRUPTED_DRAIN: Duration = Duration::from_secs(1);

/// Everything about a run but what is sent, its clock and its transport.
pub(super) struct Course<'a> {
    pub(super) servers: usize,
    /// Requests that can be on the wire to each server at once.
    pub(super) places: usize,
    /// A connection is given up after so many requests.
    pub(super) requests_per_connection: Option<u64>,
    pub(super) tokens: Arc<TokenPool>,
    pub(super) renewals: Renewals,
    /// What proves that the tokens are the sender's, if anything must.
    pub(super) proofs: Option<ProofQueue>,
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

/// A slot's open place and how long it took to open.
type OpenPlace<T> = (Opened<<T as Transport>::Sender, <T as Transport>::Receiver>, Duration);

/// Opens every place, server by server; tells which server refused.
pub(super) async fn open<T: Transport>(
    transport: &T,
    course: &Course<'_>,
) -> Result<Vec<OpenPlace<T>>, (usize, io::Error)> {
    let mut places = Vec::new();
    for server in 0..course.servers {
        for number in 0..course.places {
            let begun = Stamp::now();
            let place = ConnectionSlot { server, number };
            let opening = timeout(course.timeout, transport.connect(place));
            let opened = opening.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            let opened = opened.map_err(|error| (server, error))?;
            places.push((opened, begun.elapsed()));
        }
    }
    Ok(places)
}

/// Sends everything when it is due and waits for the answers in flight.
pub(super) async fn run<T: Transport, P: Pacer>(
    mut course: Course<'_>,
    transport: T,
    places: Vec<OpenPlace<T>>,
    pacer: P,
    recorder: Recorder,
    feed: Feed,
) -> (Recorder, Option<Cut>) {
    let Feed { mut scheduled, users, ends_with_last } = feed;
    let dispatch = Dispatch::new(
        course.servers,
        course.places,
        course.requests_per_connection,
        course.timeout,
        users,
        Arc::clone(&course.tokens),
        recorder,
    );
    let dispatch = dispatch.proving(course.proofs.take());
    let thought = dispatch.thought();
    let run = Rc::new(Run {
        transport,
        dispatch: RefCell::new(dispatch),
        readers: RefCell::default(),
        pacer,
        timeout: course.timeout,
        thought,
    });
    let readers = places.into_iter().enumerate().map(|(slot, (opened, took))| {
        let Opened { sender, receiver, handshake } = opened;
        let mut dispatch = run.dispatch.borrow_mut();
        if let Some(handshake) = handshake {
            dispatch.recorder.connected(handshake, took);
        }
        dispatch.connected(slot, sender, run.pacer.now());
        spawn_local(Rc::clone(&run).read(slot, Some(receiver)))
    });
    *run.readers.borrow_mut() = readers.collect();
    let watching = spawn_local(Rc::clone(&run).watch());
    let cut = run.walk(&course, &mut *scheduled, ends_with_last).await;
    let limit = run.timeout_limit();
    // The one that replaces readers first: it must find them all, and leave none behind.
    end(watching).await;
    let readers = run.readers.take();
    for reader in readers {
        end(reader).await;
    }
    let run = Rc::into_inner(run).expect("every task that shared it has ended");
    (run.dispatch.into_inner().finish(limit), cut)
}

async fn end(task: JoinHandle<()>) {
    task.abort();
    // It ends by being aborted, and lets go of the run.
    let _ = task.await;
}

/// What the scheduler and the readers of a run share.
pub(super) struct Run<T: Transport, P> {
    pub(super) transport: T,
    pub(super) dispatch: RefCell<Dispatch<T::Sender>>,
    pub(super) readers: RefCell<Vec<JoinHandle<()>>>,
    pub(super) pacer: P,
    pub(super) timeout: Duration,
    /// See [`Dispatch::thought`].
    thought: Rc<Notify>,
}

impl<T: Transport, P: Pacer> Run<T, P> {
    async fn walk(
        &self,
        course: &Course<'_>,
        scheduled: &mut (dyn Iterator<Item = Request> + Send),
        ends_with_last: bool,
    ) -> Option<Cut> {
        let mut meter = Meter::default();
        let mut cut = None;
        let scheduled = scheduled.take_while(|request| request.due < course.window.end);
        for (number, request) in scheduled.enumerate() {
            // Before it is due: all that is left then is to write.
            let made = self.dispatch.borrow().made_proof();
            cut = self.reach(request.due, course, &mut meter).await;
            if cut.is_some() {
                break;
            }
            let proof = made.or_else(|| self.dispatch.borrow().next_proof(&request));
            self.dispatch.borrow_mut().due(request, proof, self.pacer.now());
            if number % BURST == 0 {
                yield_now().await;
            }
        }
        while cut.is_none() && ends_with_last && self.dispatch.borrow().has_users() {
            let now = self.pacer.now();
            if now >= course.window.end {
                break;
            }
            cut = self.reach(course.window.end.min(now + LOOK), course, &mut meter).await;
        }
        if cut.is_none() && !ends_with_last {
            cut = self.reach(course.window.end, course, &mut meter).await;
        }
        let used = meter.read();
        {
            let mut dispatch = self.dispatch.borrow_mut();
            let now = self.pacer.now();
            dispatch.dismiss_users(now);
            dispatch.ended(now, cut.is_some());
        }
        let until_given_up = course.timeout + 2 * between_sweeps(course.timeout);
        self.drain(if cut.is_some() { until_given_up.min(INTERRUPTED_DRAIN) } else { until_given_up }).await;
        let recorder = &mut self.dispatch.borrow_mut().recorder;
        recorder.gaps(self.pacer.gaps());
        recorder.note(used, cut.is_some());
        if cut.is_none() && ends_with_last {
            recorder.ended_with_last_request();
        }
        cut
    }

    /// Waits until an instant, and wakes users meanwhile, unless there is a reason to stop before.
    async fn reach(&self, instant: Offset, course: &Course<'_>, meter: &mut Meter) -> Option<Cut> {
        let mut looked = Offset::default();
        loop {
            let now = self.pacer.now();
            let reached = now.min(instant);
            let next_thought = {
                let mut dispatch = self.dispatch.borrow_mut();
                if dispatch.waiting() > course.backlog_limit {
                    return Some(Cut::BacklogFull);
                }
                while dispatch.next_thought().is_some_and(|due| due <= reached) {
                    dispatch.wake(self.pacer.now());
                }
                dispatch.next_thought()
            };
            if now >= looked {
                if course.interrupted.load(Ordering::Relaxed) {
                    return Some(Cut::Interrupted);
                }
                meter.look(now, course.window.start);
                let mut dispatch = self.dispatch.borrow_mut();
                dispatch.renew(&course.renewals);
                // What is due from `instant` on was not taken up yet, however late it is.
                let recorder = &mut dispatch.recorder;
                recorder.gaps(self.pacer.gaps());
                recorder.look(reached);
                looked = now + LOOK;
            }
            if now >= instant {
                return None;
            }
            let until = instant.min(looked);
            let until = next_thought.map_or(until, |thought| until.min(thought));
            tokio::select! {
                biased;
                () = self.wait_until(until) => {}
                () = self.thought.notified(), if next_thought.is_none() => {}
            }
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
        // Whoever waits for a connection needs the tasks that open one.
        self.pacer.wait_until(instant, || !self.dispatch.borrow().is_drained()).await;
    }
}
