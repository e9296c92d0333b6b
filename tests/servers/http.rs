//! A client that knows nothing but bytes: what it sends is what stands in the test.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Ends a test that would hang; no limit on speed, since the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_mins(20);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Sends the request line and headers, then the body, and reads to the end of the connection.
pub(crate) fn call(address: SocketAddr, request: &str, headers: &[&str], body: &str) -> Answer {
    let mut text = format!("{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    if !body.is_empty() {
        let length = body.len();
        write!(text, "Content-Length: {length}\r\n").expect("a string takes every text");
    }
    text.push_str("\r\n");
    text.push_str(body);
    Answer::read(&exchange(address, text.as_bytes()))
}

/// Sends a form.
pub(crate) fn post(address: SocketAddr, path: &str, headers: &[&str], form: &str) -> Answer {
    let kind = "Content-Type: application/x-www-form-urlencoded";
    call(address, &format!("POST {path}"), &[headers, &[kind]].concat(), form)
}

/// Fetches.
pub(crate) fn get(address: SocketAddr, path: &str, headers: &[&str]) -> Answer {
    call(address, &format!("GET {path}"), headers, "")
}

/// Sends these bytes and gives back whatever comes until the server closes.
fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("time-outs can be set");
    // A server may hang up on rubbish before it has read all of it.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// Sends these bytes and no more, waits until the server has done with them, and gives back what it said.
pub(crate) fn throw(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("time-outs can be set");
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

impl Answer {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").expect("a header line");
            (name.to_lowercase(), value.to_owned())
        };
        Self {
            status: status.parse().expect("a status"),
            headers: lines.map(header).collect(),
            body: body.to_owned(),
        }
    }

    /// The value of a header that stands there at most once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let values: Vec<_> = self.headers.iter().filter(|header| header.0 == name).collect();
        assert!(values.len() < 2, "{self:#?}");
        values.first().map(|header| &*header.1)
    }

    /// What follows the head.
    pub(crate) fn body(&self) -> &str {
        &self.body
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:#?}");
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// Fails unless the status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    /// Fails unless it is an error of RFC 6749 section 5.2 with this code.
    #[track_caller]
    pub(crate) fn refuses(self, status: u16, error: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.json()["error"], error, "{answer:#?}");
        answer
    }
}
