//! A server of the test's own that counts what it answers, so that a test can wait until a load is under way.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Answers every request over HTTP/1.1 with 200. Its threads end with the test's process.
pub(crate) struct Counting {
    address: SocketAddr,
    answered: Arc<AtomicU64>,
}

impl Counting {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let answered = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&answered);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let count = Arc::clone(&count);
                thread::spawn(move || serve(&stream, &count));
            }
        });
        Self { address, answered }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/resource", self.address)
    }

    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }
}

/// Until the client closes.
fn serve(mut stream: &TcpStream, answered: &AtomicU64) {
    let lines = BufReader::new(stream).lines();
    for line in lines.map_while(Result::ok) {
        // The empty line ends the head; a GET has nothing else.
        if line.is_empty() {
            if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").is_err() {
                return;
            }
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}
