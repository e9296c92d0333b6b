//! A server of known truth: it does exactly what it is told, by itself on a thread that never sleeps while there is work,
//! and keeps account of what it saw.

mod behaviour;
mod connection;
mod events;
mod witness;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};

use rustix::thread::{Pid, gettid};

use crate::testbed::machine::pin_thread;
use crate::units::Stamp;

pub use behaviour::Behaviour;
pub use witness::{Served, Witness};

/// A running server; dropping it ends it.
pub struct Server {
    address: SocketAddr,
    task: Pid,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Witness>>,
}

/// What the thread of a server shares with whoever started it.
#[derive(Debug, Default)]
struct Shared {
    over: AtomicBool,
    first: std::sync::OnceLock<Stamp>,
}

impl Server {
    /// Starts a server on a free port of loopback, bound to one of `cores`, or to none if that is empty.
    pub fn start(behaviour: Behaviour, cores: &[u32]) -> io::Result<Self> {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), behaviour, cores)
    }

    /// The same at an address, as one that comes back.
    pub fn start_at(address: SocketAddr, behaviour: Behaviour, cores: &[u32]) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let (tell, told) = channel();
        let (facts, core) = (Arc::clone(&shared), cores.first().copied());
        let thread = thread::spawn(move || {
            // Where the core is not ours to choose, it runs wherever it may: the watch over the machine tells.
            let _ = core.map(|core| pin_thread(&[core]));
            let _ = tell.send(gettid());
            events::serve(&listener, behaviour, &facts)
        });
        let task = told.recv().map_err(|_| io::Error::other("the server's thread did not start"))?;
        Ok(Self { address, task, shared, thread: Some(thread) })
    }

    /// An address where nobody listens.
    pub fn nowhere() -> io::Result<SocketAddr> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its thread, by the number that the kernel gave it.
    pub fn task(&self) -> Pid {
        self.task
    }

    /// When its first request arrived, if one did.
    pub fn first_arrival(&self) -> Option<Stamp> {
        self.shared.first.get().copied()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Ends it, and gives what it saw.
    pub fn end(mut self) -> Witness {
        self.stop().expect("it ends only once")
    }

    fn stop(&mut self) -> Option<Witness> {
        self.shared.over.store(true, Ordering::Relaxed);
        // A thread that panicked has told why by itself, and saw nothing that could be believed.
        self.thread.take().map(|thread| thread.join().unwrap_or_default())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
