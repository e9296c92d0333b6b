//! Proofs of possession for requests: signed ahead of their due instants, in the order of the plan, by a thread beside the generator's.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::load::cores::stand_aside;
use crate::load::schedule::Request;
use crate::load::tokens::TokenPool;
use crate::units::{Offset, Stamp};

/// Signs a new proof for a request with a token to the resource server at a place.
pub type SignProof = dyn Fn(&str, u32) -> String + Send + Sync;

/// How requests show that a token is their sender's (RFC 9449).
#[derive(Clone)]
pub struct Proofs {
    /// What signs them.
    pub sign: Arc<SignProof>,
    /// How long before a request is due its proof may be signed: a server takes no old one.
    pub ahead: Duration,
}

/// The proofs of one thread of the generator.
pub(super) struct ProofQueue {
    sign: Arc<SignProof>,
    ahead: Duration,
    tokens: Arc<TokenPool>,
    made: Receiver<Box<str>>,
    /// Closed when as many are made as may be before the load begins.
    ready: Receiver<()>,
    /// Tells when the load begins; closed when nobody wants proofs any more.
    begun: Sender<Stamp>,
}

/// The thread that signs.
struct Maker {
    proofs: Proofs,
    tokens: Arc<TokenPool>,
    made: SyncSender<Box<str>>,
    ready: Option<Sender<()>>,
    begun: Receiver<Stamp>,
    start: Option<Stamp>,
    /// When it was set to work.
    since: Instant,
}

/// How many proofs may wait for their requests: of ES256 some 50 MB.
const MOST_AHEAD: usize = 100_000;

/// How often the maker looks whether there is room, or whether the next request has come near. A queue that woke it would cost the
/// generator a system call for each request.
const LOOK: Duration = Duration::from_millis(10);

impl Proofs {
    /// Begins to sign for these requests, whose tokens are in the pool, off the cores of the generators.
    pub(super) fn begin(
        &self,
        tokens: &Arc<TokenPool>,
        requests: impl Iterator<Item = Request> + Send + 'static,
        generators: &[u32],
    ) -> ProofQueue {
        let (made, queue) = sync_channel(MOST_AHEAD);
        let (tell_ready, ready) = channel();
        let (tell_begun, begun) = channel();
        let proofs = self.clone();
        let maker = Maker {
            proofs,
            tokens: Arc::clone(tokens),
            made,
            ready: Some(tell_ready),
            begun,
            start: None,
            since: Instant::now(),
        };
        let generators = generators.to_vec();
        thread::spawn(move || {
            // Where it may not choose its cores it signs all the same.
            let _ = stand_aside(&generators);
            maker.work(requests);
        });
        ProofQueue {
            sign: Arc::clone(&self.sign),
            ahead: self.ahead,
            tokens: Arc::clone(tokens),
            made: queue,
            ready,
            begun: tell_begun,
        }
    }
}

impl ProofQueue {
    /// Waits until as many proofs are made as may be before the load begins.
    pub(super) fn wait_until_ready(&self) {
        // It tells nothing, and closes.
        let _ = self.ready.recv();
    }

    /// The load begins.
    pub(super) fn begin(&self, start: Stamp) {
        // A maker that has signed for every request is gone.
        let _ = self.begun.send(start);
    }

    /// The proof of the next request of the plan, if it is made already.
    pub(super) fn made(&self) -> Option<Box<str>> {
        self.made.try_recv().ok()
    }

    /// The proof of the next request of the plan, which this must be and which must be due. Waits for it if the maker is behind: the
    /// generator is late then, and its lag tells.
    pub(super) fn next(&self, request: &Request) -> Box<str> {
        self.made.recv().unwrap_or_else(|_| self.sign(request))
    }

    /// The proof of a request that has waited for a connection: a new one if that was long, as a client signs when it sends. And how long
    /// that took.
    pub(super) fn renewed(
        &self,
        request: &Request,
        proof: Box<str>,
        waited: Duration,
    ) -> (Box<str>, Duration) {
        if waited > self.ahead / 4 { self.sign_now(request) } else { (proof, Duration::ZERO) }
    }

    /// A proof that nobody has made before: for a request that no plan foresaw, or one that is sent again. And how long that took: the
    /// request is sent as much later, and a server has no part in it.
    pub(super) fn sign_now(&self, request: &Request) -> (Box<str>, Duration) {
        let begun = Stamp::now();
        let proof = self.sign(request);
        (proof, begun.elapsed())
    }

    fn sign(&self, request: &Request) -> Box<str> {
        (self.sign)(self.tokens.text(request.token), request.place).into()
    }
}

impl Maker {
    fn work(mut self, requests: impl Iterator<Item = Request>) {
        for request in requests {
            if !self.comes_near(request.due) {
                return;
            }
            let proof = (self.proofs.sign)(self.tokens.text(request.token), request.place);
            if !self.hand_over(proof.into()) {
                return;
            }
        }
    }

    /// Waits until a request is due so soon that its proof may be signed; false if nobody wants it any more. Before the load begins it
    /// signs for a while only: the first proofs grow old while a slow algorithm makes more of them.
    fn comes_near(&mut self, due: Offset) -> bool {
        loop {
            let reached = self.start.map_or(Duration::ZERO, Stamp::elapsed) + self.proofs.ahead;
            let early = due.since(Offset::from(reached));
            let has_begun = self.start.is_some();
            if early.is_zero() && (has_begun || self.since.elapsed() < self.proofs.ahead / 4) {
                return true;
            }
            if !self.rest(early) {
                return false;
            }
        }
    }

    /// False if nobody wants it any more.
    fn hand_over(&mut self, mut proof: Box<str>) -> bool {
        loop {
            proof = match self.made.try_send(proof) {
                Ok(()) => return true,
                Err(TrySendError::Full(proof)) => proof,
                Err(TrySendError::Disconnected(_)) => return false,
            };
            if !self.rest(LOOK) {
                return false;
            }
        }
    }

    /// Waits for the load to begin, or for a while once it has; false if nobody wants proofs any more.
    fn rest(&mut self, length: Duration) -> bool {
        self.ready = None;
        if self.start.is_none() {
            self.start = self.begun.recv().ok();
            return self.start.is_some();
        }
        self.begun.recv_timeout(length.min(LOOK)) != Err(RecvTimeoutError::Disconnected)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::load::schedule::Token;

    /// One of 50 a second.
    fn request(number: u64) -> Request {
        let due = Offset::from_nanos(number * 20_000_000);
        Request { due, place: 3, token: Token::Live(u32::try_from(number % 2).unwrap()) }
    }

    /// Proofs that tell their number, and how many were signed.
    fn proofs(ahead: Duration) -> (Proofs, Arc<AtomicU32>) {
        let signed = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&signed);
        let sign = move |token: &str, server| {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            format!("{token} {server} {number}")
        };
        (Proofs { sign: Arc::new(sign), ahead }, signed)
    }

    #[test]
    fn proofs_come_in_the_order_of_their_requests_and_those_of_the_near_future_before_the_load_begins() {
        let tokens = Arc::new(TokenPool::of_valid(["even", "odd"]));
        let (proofs, signed) = proofs(Duration::from_secs(10));
        let requests = || (0..=2_000).map(request);
        let queue = proofs.begin(&tokens, requests(), &[]);
        queue.wait_until_ready();
        assert_eq!(
            signed.load(Ordering::SeqCst),
            501,
            "those that are due within ten seconds of the beginning"
        );
        let first: Vec<_> = requests().take(501).map(|request| queue.next(&request)).collect();
        assert_eq!((&*first[0], &*first[1], &*first[500]), ("even 3 0", "odd 3 1", "even 3 500"));
        // Forty seconds ago: all the others are near.
        let start = Stamp::from_nanos(Stamp::now().nanos() - 40_000_000_000);
        queue.begin(start);
        let last = requests().skip(501).map(|request| queue.next(&request)).last();
        assert_eq!(last.as_deref(), Some("even 3 2000"));
        assert_eq!(&*queue.sign_now(&request(1)).0, "odd 3 2001", "beyond the plan");
        assert_eq!(&*queue.next(&request(1)), "odd 3 2002", "a maker that has gone is no reason to wait");
        let renewed = |millis| queue.renewed(&request(1), "old".into(), Duration::from_millis(millis)).0;
        assert_eq!([&*renewed(2_500), &*renewed(2_501)], ["old", "odd 3 2003"]);
    }

    #[test]
    fn a_request_far_ahead_keeps_nobody_waiting() {
        let tokens = Arc::new(TokenPool::of_valid(["even", "odd"]));
        let requests = [0, 1_000_000].map(request).into_iter();
        let queue = proofs(Duration::from_secs(1)).0.begin(&tokens, requests, &[]);
        queue.wait_until_ready();
        queue.begin(Stamp::now());
        assert_eq!(queue.made().as_deref(), Some("even 3 0"));
        assert_eq!(queue.made(), None, "due in hours, and not signed for yet");
    }

    #[test]
    fn before_the_load_begins_a_slow_algorithm_signs_for_a_quarter_of_the_time_only() {
        let tokens = Arc::new(TokenPool::of_valid(["a"]));
        let signed = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&signed);
        let sign = move |_: &str, _| {
            thread::sleep(Duration::from_millis(1));
            counted.fetch_add(1, Ordering::SeqCst).to_string()
        };
        let proofs = Proofs { sign: Arc::new(sign), ahead: Duration::from_millis(200) };
        let queue = proofs.begin(&tokens, (0..2_000).map(|_| request(0)), &[]);
        queue.wait_until_ready();
        let before = signed.load(Ordering::SeqCst);
        assert!((1..=51).contains(&before), "{before} in 50 ms");
        queue.begin(Stamp::now());
        let proofs: Vec<_> = (0..2_000).map(|_| queue.next(&request(0))).collect();
        assert_eq!(proofs.last().map(|proof| &**proof), Some("1999"));
        assert!(queue.sign_now(&request(0)).1 >= Duration::from_millis(1), "what a server has no part in");
    }

    #[test]
    fn no_more_proofs_wait_than_there_is_room_for_and_a_queue_that_is_let_go_ends_its_maker() {
        let tokens = Arc::new(TokenPool::of_valid(["even", "odd"]));
        let (proofs, signed) = proofs(Duration::from_hours(1));
        let queue = proofs.begin(&tokens, (0..).map(request), &[]);
        queue.wait_until_ready();
        assert_eq!(signed.load(Ordering::SeqCst) as usize, MOST_AHEAD + 1, "and the one that waits to go in");
        queue.begin(Stamp::now());
        let taken: Vec<_> = (0..1_000).map(|number| queue.next(&request(number))).collect();
        assert_eq!(&*taken[999], "odd 3 999");
        let pool = Arc::downgrade(&tokens);
        drop((queue, tokens));
        while pool.upgrade().is_some() {
            thread::yield_now();
        }
    }
}
