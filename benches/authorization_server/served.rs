//! The authorization server as a process, and a client that does one thing at a time.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Ends when this is dropped.
pub(crate) struct Served {
    child: Child,
    address: String,
    authorization: String,
}

impl Served {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bearerbench"))
            .args(["serve", "authorization-server", "--listen", "127.0.0.1:0", "--lifetime", "1h"])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut said = BufReader::new(child.stdout.take().expect("standard output is piped"));
        let address = told(&mut said, "issuer=http://");
        let (client, secret) = (told(&mut said, "client_id="), told(&mut said, "client_secret="));
        Self { child, address, authorization: STANDARD.encode(format!("{client}:{secret}")) }
    }

    pub(crate) fn connect(&self) -> Connection<'_> {
        let socket = TcpStream::connect(&self.address).expect("it listens");
        socket.set_nodelay(true).expect("a socket of TCP");
        Connection { server: self, socket: BufReader::new(socket) }
    }

    /// Has tokens issued over several connections, one after the other on each.
    pub(crate) fn issue(&self, count: usize) -> Vec<String> {
        const CONNECTIONS: usize = 8;
        let shares =
            (0..CONNECTIONS).map(|share| count / CONNECTIONS + usize::from(share < count % CONNECTIONS));
        thread::scope(|scope| {
            let issuing: Vec<_> = shares
                .map(|count| {
                    scope.spawn(move || {
                        let mut connection = self.connect();
                        (0..count).map(|_| connection.issue()).collect::<Vec<_>>()
                    })
                })
                .collect();
            issuing.into_iter().flat_map(|share| share.join().expect("no thread panics")).collect()
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The memory that it has in use.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("Linux tells");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("this is told");
        let kilobytes = line.trim().strip_suffix(" kB").and_then(|number| number.parse::<u64>().ok());
        kilobytes.expect("a number of kB") * 1024
    }
}

fn told(said: &mut BufReader<ChildStdout>, name: &str) -> String {
    let mut line = String::new();
    said.read_line(&mut line).expect("it speaks");
    line.trim().strip_prefix(name).unwrap_or_else(|| panic!("it said {line:?}, not {name}")).to_owned()
}

impl Drop for Served {
    fn drop(&mut self) {
        // It is gone already, or it is stopped: either way nothing is left.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request at a time.
pub(crate) struct Connection<'a> {
    server: &'a Served,
    socket: BufReader<TcpStream>,
}

impl Connection<'_> {
    fn issue(&mut self) -> String {
        let answer = self.post("/token", "grant_type=client_credentials");
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    pub(crate) fn introspect(&mut self, token: &str) {
        self.ask(token);
        self.is_answered();
    }

    /// Asks about a token, and does not wait.
    pub(crate) fn ask(&mut self, token: &str) {
        self.send("/introspect", &format!("token={token}"));
    }

    /// Waits for the answer, which is that the token is active.
    pub(crate) fn is_answered(&mut self) {
        assert_eq!(self.receive()["active"], true, "the token is live");
    }

    fn post(&mut self, path: &str, form: &str) -> serde_json::Value {
        self.send(path, form);
        self.receive()
    }

    fn send(&mut self, path: &str, form: &str) {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Basic {}\r\ncontent-type: \
             application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            self.server.address,
            self.server.authorization,
            form.len()
        );
        self.socket.get_mut().write_all(request.as_bytes()).expect("it reads");
    }

    fn receive(&mut self) -> serde_json::Value {
        let mut length = 0;
        for number in 0.. {
            let mut line = String::new();
            self.socket.read_line(&mut line).expect("it answers");
            assert!(number > 0 || line.starts_with("HTTP/1.1 200 "), "it answered {line:?}");
            match line.trim_end().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().expect("a length");
                }
                Some(_) => {}
                None if number == 0 => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.socket.read_exact(&mut body).expect("the whole answer");
        serde_json::from_slice(&body).expect("JSON")
    }
}
