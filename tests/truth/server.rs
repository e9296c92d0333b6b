//! Servers that do exactly what a test says, a thread each, and measure themselves.

use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use bearerbench::observation::Distribution;
use bearerbench::units::Stamp;
use rustix::thread::{CpuSet, Pid, gettid, sched_setaffinity};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::sleep;

/// What a server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    /// It accepts it after this time.
    Service(Duration),
    /// It accepts it after times that are spread evenly between these.
    Spread {
        /// The shortest.
        from: Duration,
        /// The longest.
        to: Duration,
    },
    /// It accepts it after a time, but while it stands still it answers nobody who comes.
    Stall {
        /// How long a request takes otherwise.
        service: Duration,
        /// When it stands still, in nanoseconds after the first request.
        during: Range<u64>,
    },
    /// It refuses the token `bad`.
    Judge,
    /// It accepts it and closes, and its answer says so.
    CloseAfterEachAnswer,
    /// It accepts it and closes without a word.
    CloseUnannounced,
    /// It closes.
    CloseWithoutAnswer,
    /// It answers what is not HTTP.
    Garbage,
    /// It does nothing.
    Silence,
    /// It accepts so many requests, then it is gone.
    DieAfter(u64),
    /// It answers 503.
    Unavailable,
}

/// A running server; dropping it ends it.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    facts: Arc<Facts>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What a server knows about itself.
struct Facts {
    behaviour: Behaviour,
    task: OnceLock<Pid>,
    first: OnceLock<Stamp>,
    answered: AtomicU64,
    late: Mutex<Distribution>,
    stalls: Mutex<Distribution>,
    probes: Mutex<Vec<u64>>,
    died: tokio::sync::Notify,
}

impl Server {
    /// Starts a server on whatever core is free.
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        Self::start_on(None, behaviour)
    }

    /// Starts a server on one core.
    pub(crate) fn start_on(core: Option<usize>, behaviour: Behaviour) -> Self {
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a socket can do so");
        let address = listener.local_addr().expect("it is bound");
        let facts = Arc::new(Facts {
            behaviour,
            task: OnceLock::new(),
            first: OnceLock::new(),
            answered: AtomicU64::new(0),
            late: Mutex::default(),
            stalls: Mutex::default(),
            probes: Mutex::default(),
            died: tokio::sync::Notify::new(),
        });
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&facts);
        let thread = spawn(move || {
            shared.task.get_or_init(gettid);
            if let Some(core) = core {
                let mut cores = CpuSet::new();
                cores.set(core);
                sched_setaffinity(None, &cores).expect("the core is there");
            }
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a small runtime");
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, Arc::clone(&shared)) => {}
                    () = shared.died.notified() => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, facts, stop: Some(stop), thread: Some(thread) }
    }

    /// An address where nobody listens.
    pub(crate) fn nowhere() -> SocketAddr {
        StdListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|bound| bound.local_addr()).expect("a free port")
    }

    /// Its thread, by the number that the kernel gave it.
    pub(crate) fn task(&self) -> Pid {
        *self.facts.task.wait()
    }

    /// How much longer than planned its slowest answer took, from the last byte of the request to the
    /// first of the answer.
    pub(crate) fn latest(&self) -> Duration {
        let late = self.facts.late.lock().unwrap_or_else(PoisonError::into_inner);
        Duration::from_nanos(late.max().unwrap_or(0))
    }

    /// How long it stood still, in nanoseconds: until it gave the median of the answers that waited for its end.
    pub(crate) fn stall(&self) -> u64 {
        let stalls = self.facts.stalls.lock().unwrap_or_else(PoisonError::into_inner);
        stalls.quantile(0.5).expect("a request arrived meanwhile")
    }

    /// The numbers of the probes that arrived, sorted.
    pub(crate) fn probes_seen(&self) -> Vec<u64> {
        let mut probes = self.facts.probes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        probes.sort_unstable();
        probes
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has already failed the test by what it did not answer.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: StdListener, facts: Arc<Facts>) {
    let listener = TcpListener::from_std(listener).expect("a runtime is around");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(serve(stream, Arc::clone(&facts)))),
            // No room for another file: one of the limits under test.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Serves one connection until either side ends it.
async fn serve(mut stream: TcpStream, facts: Arc<Facts>) {
    stream.set_nodelay(true).expect("a socket can do so");
    let mut request = Vec::new();
    loop {
        while !request.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let arrived = Stamp::now();
        let text = String::from_utf8_lossy(&request);
        note_probe(&text, &facts);
        let (answer, goes_on) = match &facts.behaviour {
            Behaviour::Service(time) => (pause(*time, &facts).await, true),
            Behaviour::Spread { from, to } => {
                // Steps of the golden ratio are even at every length.
                let number = facts.answered.fetch_add(1, Ordering::Relaxed);
                let place = (number as f64 * 0.618_033_988_749_894_9).fract();
                (pause(*from + to.saturating_sub(*from).mul_f64(place), &facts).await, true)
            }
            Behaviour::Stall { service, during } => {
                let first = *facts.first.get_or_init(|| arrived);
                let now = arrived.offset(first).nanos();
                let stalled = if during.contains(&now) { during.end - now } else { 0 };
                let stalled = Duration::from_nanos(stalled);
                let answer = pause(stalled.max(*service), &facts).await;
                if stalled > *service {
                    let stood = Stamp::now().offset(first).nanos() - during.start;
                    facts.stalls.lock().unwrap_or_else(PoisonError::into_inner).record(stood);
                }
                (answer, true)
            }
            Behaviour::Judge if text.contains("Bearer bad\r\n") => {
                ("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n", true)
            }
            Behaviour::Judge => (OK, true),
            Behaviour::CloseAfterEachAnswer => {
                ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false)
            }
            Behaviour::CloseUnannounced => (OK, false),
            Behaviour::CloseWithoutAnswer => ("", false),
            Behaviour::Garbage => ("220 mail.example ESMTP\r\n", true),
            Behaviour::Silence => ("", true),
            Behaviour::DieAfter(requests) => {
                if facts.answered.fetch_add(1, Ordering::Relaxed) >= *requests {
                    facts.died.notify_one();
                    return;
                }
                (OK, true)
            }
            Behaviour::Unavailable => ("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", true),
        };
        if stream.write_all(answer.as_bytes()).await.is_err() || !goes_on {
            return;
        }
        request.clear();
    }
}

async fn pause(time: Duration, facts: &Facts) -> &'static str {
    if !time.is_zero() {
        let asleep = Stamp::now();
        sleep(time).await;
        let slept = Duration::from_nanos(Stamp::now().offset(asleep).nanos());
        let late = u64::try_from(slept.saturating_sub(time).as_nanos()).expect("less than 584 years");
        facts.late.lock().unwrap_or_else(PoisonError::into_inner).record(late);
    }
    OK
}

fn note_probe(text: &str, facts: &Facts) {
    let number = text.split("bearerbench-probe: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    if let Some(Ok(number)) = number.map(str::parse) {
        facts.probes.lock().unwrap_or_else(PoisonError::into_inner).push(number);
    }
}
