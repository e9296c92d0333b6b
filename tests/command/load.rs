//! The load generator against a server of one's own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use crate::counting::Counting;
use crate::program::{Ended, bearerbench, judged};
use crate::running::Running;
use crate::sandbox::Sandbox;

/// A server that checks nothing and does not know who loads it. Dropped, it ends.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    fn start(sandbox: &Sandbox) -> Self {
        Self::start_with(sandbox, &[])
    }

    /// The same with more arguments.
    pub(crate) fn start_with(sandbox: &Sandbox, more: &[&str]) -> Self {
        let arguments = ["serve", "resource-server", "--architecture", "none", "--listen", "127.0.0.1:0"];
        let arguments = arguments.iter().chain(more);
        let child = bearerbench(sandbox.path(), arguments).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("the program can be started");
        let mut greeting = String::new();
        let stdout = child.stdout.take().expect("it was asked for");
        BufReader::new(stdout).read_line(&mut greeting).expect("it says where it listens");
        let url = greeting.trim().strip_prefix("resource=").expect("an address").to_owned();
        Self { child, url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with ten tokens in the file `tokens`.
pub(crate) fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with("");
    let tokens: Vec<_> = (0..10).map(|number| format!("token-{number}")).collect();
    fs::write(sandbox.path().join("tokens"), tokens.join("\n")).expect("the folder can be written");
    sandbox
}

pub(crate) fn arguments<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["load", "--target", url, "--tokens", "tokens"], more].concat()
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).expect("it prints JSON")
}

/// Whether the only errors are time-outs, as on a machine that gives the server no core for ten seconds.
fn only_timed_out(json: &Value) -> bool {
    let warnings = json["warnings"].as_array().expect("a list");
    let kinds = warnings
        .iter()
        .filter(|warning| warning["kind"] == "errors")
        .map(|errors| errors["kinds"].as_object());
    kinds.flatten().flat_map(|kinds| kinds.keys()).all(|kind| kind == "timed out")
}

#[test]
fn a_load_of_so_many_requests_prints_them_all_and_every_latency() {
    let sandbox = sandbox();
    let server = Server::start(&sandbox);
    let short = ["--requests", "200", "--warmup", "0s", "--json", "--out", "out"];
    for way in [&["--rate", "400"][..], &["--closed", "--connections", "4"]] {
        let ended = sandbox.ended(&arguments(&server.url, &[way, &short[..]].concat()));
        let ended = ended.exits_as_judged(&sandbox.out(), 0);
        let json = json(&ended);
        assert_eq!(json["requests"], 200, "{way:?}");
        for metric in ["latency.p50", "latency.p99", "latency.max", "throughput"] {
            assert!(json["metrics"][metric]["point"].as_f64() > Some(0.0), "{way:?} {metric}: {json}");
        }
        assert!(json["metrics"]["errors"]["point"] == 0.0 || only_timed_out(&json), "{way:?}: {json}");
        fs::remove_dir_all(sandbox.out()).expect("it was written");
    }
}

#[test]
fn an_interrupted_load_is_a_shorter_one() {
    let sandbox = sandbox();
    let server = Counting::start();
    let endless = ["--rate", "200", "--warmup", "0s", "--duration", "10m", "--out", "out", "--json"];
    let running =
        Running::start(bearerbench(sandbox.path(), arguments(&server.url(), &endless)), sandbox.path());
    running.wait_for("400 requests", || (server.answered() >= 400).then_some(()));
    running.process().signal(Signal::INT);
    let ended = running.ended().exits(130);
    let figures = json(&ended);
    assert!(figures["requests"].as_u64() >= Some(300), "{ended:#?}");
    let measured = figures["workload"]["window_seconds"].as_f64().expect("a number");
    assert!(
        0.0 < measured && measured < 600.0,
        "the window that was measured, not the one that was planned: {ended:#?}"
    );
    let recording = fs::read_to_string(sandbox.out().join("recording.jsonl")).expect("it is kept");
    let recording: Value = serde_json::from_str(&recording).expect("one trial");
    assert_eq!((&recording["failure"], &recording["load"]["cut_short"]), (&Value::Null, &true.into()));
    // Unless the machine was unfit, which is told first.
    sandbox.ended(&["report", "out"]).exits(judged(&sandbox.out(), 0));
}

#[test]
fn what_cannot_be_sent_is_refused_before_anything_is() {
    let sandbox = sandbox();
    let server = Server::start(&sandbox);
    let refused = |url: &str, more: &[&str], words: &[&str]| {
        sandbox.refused(&arguments(url, more)).exits(2).says(words);
    };
    refused("http://127.0.0.1:70000/", &["--rate", "5"], &["no port is 70000"]);
    refused(&server.url, &["--rate", "5", "--think", "1s"], &["--think", "cannot be used"]);
    refused(&server.url, &["--rate", "1e12"], &["at most 10000000"]);
    refused(&server.url, &["--rate", "1000", "--requests", "500"], &["--requests 500", "--warmup"]);
    refused(&server.url, &["--closed", "--rate", "5"], &["--closed", "cannot be used"]);
    refused("http://192.0.2.1/", &["--rate", "5"], &["not on this machine", "--allow-remote"]);
}
