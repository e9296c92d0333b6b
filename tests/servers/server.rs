//! `bearerbench serve` as processes of their own, each on a port that the system chooses.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bearerbench::wire::{Endpoint, Socket, Wire};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::http::{Answer, get, post};

/// A running server, ended when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// The servers to which it passes requests on, ended with it.
    pub(crate) behind: Vec<Server>,
}

/// The secret of every client in these tests, in characters that need no encoding.
pub(crate) const SECRET: &str = "between-us";

fn start(arguments: &[&str], input: &str, lines: usize) -> (Child, Vec<String>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bearerbench"))
        .args(arguments)
        .env("BEARERBENCH_CLIENT_SECRET", SECRET)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program can be started");
    child.stdin.as_mut().expect("piped").write_all(input.as_bytes()).expect("it listens");
    let stdout = BufReader::new(child.stdout.as_mut().expect("piped"));
    let said = stdout.lines().take(lines).map(|line| line.expect("it speaks UTF-8")).collect();
    (child, said)
}

impl Server {
    /// An authorization server; the client `bench` is known to it.
    pub(crate) fn authorization(arguments: &[&str]) -> Self {
        Self::authorization_on("127.0.0.1:0", arguments)
    }

    /// The same on a certain port.
    pub(crate) fn authorization_on(address: &str, arguments: &[&str]) -> Self {
        let serve = ["serve", "authorization-server", "--listen", address];
        let (child, said) = start(&[&serve, arguments].concat(), "", 3);
        assert_eq!(said[1], "client_id=bench");
        let address = said[0].strip_prefix("issuer=http://").expect("the issuer comes first");
        Self { child, address: address.parse().expect("an address"), behind: Vec::new() }
    }

    /// A resource server that trusts that authorization server.
    pub(crate) fn resource(architecture: &str, authorization: &Server, more: &[&str]) -> Self {
        let issuer = authorization.issuer();
        let serve = ["serve", "resource-server", "--listen", "127.0.0.1:0", "--architecture", architecture];
        let arguments = [&serve[..], &["--authorization-server", &issuer], more].concat();
        let (child, said) = start(&arguments, "", 1);
        let address = said[0].strip_prefix("resource=http://").and_then(|url| url.strip_suffix("/resource"));
        Self {
            child,
            address: address.expect("the resource").parse().expect("an address"),
            behind: Vec::new(),
        }
    }

    /// Every server of an architecture with so many of them at each hop: the one that clients reach, and those behind it.
    pub(crate) fn chain(architecture: &str, hops: &[usize], authorization: &Server, more: &[&str]) -> Self {
        let mut behind: Vec<Self> = Vec::new();
        for (hop, branches) in hops.iter().enumerate().rev() {
            let (hop, upstreams) = (hop.to_string(), behind.iter().map(Self::issuer).collect::<Vec<_>>());
            let start = |branch: usize| {
                let branch = branch.to_string();
                let mut arguments = vec!["--hop", &hop, "--branch", &branch];
                arguments.extend(upstreams.iter().flat_map(|upstream| ["--upstream", upstream]));
                arguments.extend(more);
                Self::resource(architecture, authorization, &arguments)
            };
            let mut servers: Vec<Self> = (0..*branches).map(start).collect();
            servers[0].behind = behind;
            behind = servers;
        }
        behind.remove(0)
    }

    /// A resource server over another wire than the default, and where it is reached over it.
    pub(crate) fn resource_over(wire: Wire, authorization: &Server, arguments: &[&str]) -> (Self, Endpoint) {
        let issuer = authorization.issuer();
        let mut serve = vec!["serve", "resource-server", "--authorization-server", &issuer];
        if wire.socket == Socket::Tcp {
            serve.extend(["--listen", "127.0.0.1:0"]);
        }
        let lines = if wire.socket == Socket::Unix { 3 } else { 2 };
        let (child, said) = start(&[&serve, arguments].concat(), "", lines);
        let address = |line: &str, scheme: &str| {
            let address = line.strip_prefix(scheme).and_then(|url| url.strip_suffix("/resource"));
            address.unwrap_or_else(|| panic!("no {scheme} in {said:?}")).parse().expect("an address")
        };
        let endpoint = match said[1].strip_prefix("unix=") {
            Some(name) => Endpoint::Unix(name.into()),
            None if wire.tls.is_some() => Endpoint::Tcp(address(&said[0], "resource=https://")),
            None => Endpoint::Tcp(address(&said[0], "resource=http://")),
        };
        let address = address(&said[lines - 1], "plain=http://");
        (Self { child, address, behind: Vec::new() }, endpoint)
    }

    /// An authorization server of opaque tokens with several clients, started as a run starts it.
    pub(crate) fn with_clients(names: &[&str]) -> Self {
        Self::told(names, json!({ "signature": null }))
    }

    /// An authorization server that is told on standard input what it is: its clients, and `more`.
    pub(crate) fn told(names: &[&str], more: Value) -> Self {
        let lifetime = json!({ "secs": 600, "nanos": 0 });
        let clients: Vec<Value> = names
            .iter()
            .map(|name| {
                json!({
                    "client_id": name, "client_secret": SECRET, "audience": "https://api.example/",
                    "scope": "read", "lifetime": lifetime, "age": { "secs": 0, "nanos": 0 },
                })
            })
            .collect();
        let mut spec = json!({
            "server": "authorization_server", "listen": "127.0.0.1:0", "store": "memory", "clients": clients,
        });
        let Value::Object(more) = more else { panic!("members, not {more}") };
        spec.as_object_mut().expect("an object").extend(more);
        let (child, said) = start(&["serve", "spec"], &format!("{spec}\n"), 1);
        let ready: Value = serde_json::from_str(&said[0]).expect("one ready line");
        let address = ready["address"].as_str().expect("with its address").parse().expect("an address");
        Self { child, address, behind: Vec::new() }
    }

    /// Its URL.
    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A call of the client `bench`.
    pub(crate) fn post(&self, path: &str, form: &str) -> Answer {
        post(self.address, path, &[&basic("bench", SECRET)], form)
    }

    /// A call of another client.
    pub(crate) fn post_as(&self, client: &str, path: &str, form: &str) -> Answer {
        post(self.address, path, &[&basic(client, SECRET)], form)
    }

    /// A new token.
    pub(crate) fn token(&self) -> String {
        access_token(self.post("/token", "grant_type=client_credentials"))
    }

    /// What the authorization server says of a token.
    pub(crate) fn introspect(&self, token: &str) -> Value {
        self.post("/introspect", &format!("token={token}")).expect(200).json()
    }

    /// Revokes a token.
    pub(crate) fn revoke(&self, token: &str) {
        self.post("/revoke", &format!("token={token}")).expect(200);
    }

    /// Asks a resource server for the resource.
    pub(crate) fn resource_with(&self, token: &str) -> Answer {
        get(self.address, "/resource", &[&bearer(token)])
    }

    /// Ends the server and waits until it is gone.
    pub(crate) fn stop(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it can be waited for");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is ours");
    }

    /// Waits until the server has ended.
    pub(crate) fn exit_code(mut self) -> Option<i32> {
        self.child.wait().expect("it can be waited for").code()
    }

    /// Closes the standard input of the server.
    pub(crate) fn hang_up(&mut self) {
        drop(self.child.stdin.take());
    }

    #[track_caller]
    pub(crate) fn assert_alive(&mut self) {
        assert!(self.child.try_wait().expect("it can be asked").is_none(), "the server has ended");
    }
}

/// The token of an answer.
pub(crate) fn access_token(answer: Answer) -> String {
    answer.expect(200).json()["access_token"].as_str().expect("a token").to_owned()
}

/// A header with client credentials (RFC 7617).
pub(crate) fn basic(client: &str, secret: &str) -> String {
    format!("Authorization: Basic {}", STANDARD.encode(format!("{client}:{secret}")))
}

/// A header with a token (RFC 6750 section 2.1).
pub(crate) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
