//! A server of which every byte is told beforehand, and that keeps what it was asked.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// A request of the load, and where it came in.
pub(crate) struct Asked {
    /// Its connection, from 0; that on which the program asks before the load is not counted.
    pub(crate) connection: usize,
    /// Its number on that connection, from 0.
    pub(crate) number: usize,
}

/// What comes back.
pub(crate) enum Reply {
    /// These bytes, and the connection stays open.
    Keep(String),
    /// These bytes, and nothing more.
    Close(String),
}

/// Dropped, it ends, and its connections with it.
pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

struct Shared {
    script: Box<dyn Fn(&Asked) -> Reply + Send + Sync>,
    otherwise: &'static str,
    heads: Mutex<Vec<String>>,
    connections: Mutex<usize>,
    is_over: AtomicBool,
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

impl Scripted {
    /// Answers every request of the load as `script` says, and any other well.
    pub(crate) fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(OK, script)
    }

    /// The same with another answer to a request that is not of the load.
    pub(crate) fn start_with(
        otherwise: &'static str,
        script: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            script: Box::new(script),
            otherwise,
            heads: Mutex::default(),
            connections: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        let listening = thread::spawn(move || {
            for stream in listener.incoming().take_while(|_| !serving.is_over.load(Ordering::Relaxed)) {
                let (stream, serving) = (stream.expect("a client is there"), Arc::clone(&serving));
                // It ends with its client.
                thread::spawn(move || serving.serve(stream));
            }
        });
        Self { address, shared, listening: Some(listening) }
    }

    /// The head of every request of the load.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.shared.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) {
        let (mut connection, mut number) = (None, 0);
        while let Some(head) = read_head(&mut stream) {
            let reply = if head.contains("Bearer token-") {
                let connection = *connection.get_or_insert_with(|| self.next_connection());
                self.heads.lock().unwrap_or_else(PoisonError::into_inner).push(head);
                (self.script)(&Asked { connection, number })
            } else {
                Reply::Keep(self.otherwise.to_owned())
            };
            number += 1;
            let (bytes, ends) = match reply {
                Reply::Keep(bytes) => (bytes, false),
                Reply::Close(bytes) => (bytes, true),
            };
            // The client may be gone.
            if stream.write_all(bytes.as_bytes()).is_err() || ends {
                return;
            }
        }
    }

    fn next_connection(&self) -> usize {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        *connections += 1;
        *connections - 1
    }
}

/// Everything up to an empty line; nothing if the client has gone.
fn read_head(stream: &mut TcpStream) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    String::from_utf8(head).ok()
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // It looks when somebody connects.
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}
