//! Runs that do not come to their end: signals to the program, and servers that die.

use rustix::process::Signal;

use crate::program::bearerbench;
use crate::running::{Process, Running, wait_for};
use crate::sandbox::{SMALL, Sandbox, recordings};

/// A subject of the small scenario has an authorization server and two resource servers.
const SERVERS: usize = 3;

/// The small scenario for as long as no test waits: it does not end by itself.
const ENDLESS: &[&str] =
    &["run", "case.toml", "--out", "out", "--set", "load.duration=10m", "--set", "tokens.lifetime=1h"];

fn start(sandbox: &Sandbox, more: &[&str]) -> Running {
    Running::start(bearerbench(sandbox.path(), [ENDLESS, more].concat()), sandbox.path())
}

/// Starts the endless scenario and waits until the load of its first subject runs.
fn loading(sandbox: &Sandbox) -> (Running, Vec<Process>) {
    let running = start(sandbox, &[]);
    running.wait_for_words("[1/2] control");
    let servers = running.wait_for_servers(SERVERS);
    (running, servers)
}

#[test]
fn killing_the_program_leaves_no_server_behind() {
    let sandbox = Sandbox::with(SMALL);
    let (running, servers) = loading(&sandbox);
    running.process().signal(Signal::KILL);
    assert_eq!(running.ended().code, None);
    for server in servers {
        wait_for("the end of a server", || server.is_gone().then_some(()));
    }
}

#[test]
fn killing_the_program_while_servers_start_leaves_none_behind() {
    let sandbox = Sandbox::with(SMALL);
    let running = start(&sandbox, &["--set", "load.resource_servers=8"]);
    let begun = running.wait_for("the first server", || {
        let begun = running.process().children();
        (!begun.is_empty()).then_some(begun)
    });
    running.process().signal(Signal::STOP);
    let all = running.process().children();
    assert!(all.len() >= begun.len());
    running.process().signal(Signal::KILL);
    for server in all {
        wait_for("the end of a server", || server.is_gone().then_some(()));
    }
}

#[test]
fn an_interrupt_and_the_wish_of_a_service_manager_keep_and_report_what_was_seen() {
    for signal in [Signal::INT, Signal::TERM] {
        let sandbox = Sandbox::with(SMALL);
        let (running, servers) = loading(&sandbox);
        running.process().signal(signal);
        let ended = running.ended().exits(130);
        assert!(servers.iter().all(|server| server.is_gone()), "{signal:?} leaves a server");

        assert!(!ended.stderr.contains("[2/2]"), "the second subject was begun: {ended:#?}");
        let recordings = recordings(&sandbox);
        let [trial] = &recordings[..] else { panic!("{} trials", recordings.len()) };
        assert_eq!(trial["subject"]["name"], "control");
        assert_eq!(trial["failure"]["kind"], "interrupted");
        assert_eq!(trial["load"]["cut_short"], true);
        for file in ["summary.json", "report.html", "report.md"] {
            assert!(sandbox.out().join(file).exists(), "{file} is missing after {signal:?}");
        }
        ended.says(&["control: failed: interrupted", "report: out/report.html"]);
    }
}

#[test]
fn an_interrupt_before_the_load_begins_is_recorded_too() {
    let sandbox = Sandbox::with(SMALL);
    // More tokens than are issued before the interrupt.
    let running = start(&sandbox, &["--set", "tokens.live=5_000_000"]);
    let servers = running.wait_for_servers(SERVERS);
    running.process().signal(Signal::INT);
    running.ended().exits(130);
    assert!(servers.iter().all(|server| server.is_gone()), "a server is left");
    assert!(recordings(&sandbox)[0]["load"].is_null());
    assert!(sandbox.out().join("report.html").exists());
}

#[test]
fn an_interrupted_check_says_what_it_saw_and_leaves_no_server() {
    let sandbox = Sandbox::with(SMALL);
    // More tokens than are issued before the interrupt.
    let arguments = ["check", "case.toml", "--set", "tokens.live=5_000_000"];
    let running = Running::start(bearerbench(sandbox.path(), arguments), sandbox.path());
    let servers = running.wait_for_servers(SERVERS);
    running.process().signal(Signal::INT);
    let ended = running.ended().exits(130);
    assert!(ended.stdout.contains("control  failed: interrupted"), "{ended:#?}");
    assert!(!ended.stdout.contains("opaque"), "the second subject was begun: {ended:#?}");
    assert!(servers.iter().all(|server| server.is_gone()), "a server is left");
}

#[test]
fn a_second_interrupt_ends_the_program_at_once() {
    let sandbox = Sandbox::with(SMALL);
    let running = start(&sandbox, &["--set", "tokens.live=5_000_000"]);
    let servers = running.wait_for_servers(SERVERS);
    running.process().signal(Signal::INT);
    // Signals that wait to be delivered are one signal; that the first has arrived shows in nothing but this.
    wait_for("the end", || {
        let gone = running.process().is_gone();
        if !gone {
            running.process().signal(Signal::TERM);
        }
        gone.then_some(())
    });
    running.ended().exits(130);
    for server in servers {
        wait_for("the end of a server", || server.is_gone().then_some(()));
    }
}

#[test]
fn a_server_that_dies_fails_its_trial_and_no_other() {
    // The authorization server is started first, then the resource servers.
    for (victim, name) in [(0, "authorization server"), (2, "resource server 2")] {
        let sandbox = Sandbox::with(SMALL);
        let arguments = ["run", "case.toml", "--out", "out", "--set", "load.duration=2s"];
        let running = Running::start(bearerbench(sandbox.path(), arguments), sandbox.path());
        running.wait_for_words("[1/2] control");
        // It does not get to the end of the trial before the server is dead, however slow this test is.
        running.process().signal(Signal::STOP);
        running.wait_for_servers(SERVERS)[victim].signal(Signal::KILL);
        running.process().signal(Signal::CONT);
        let ended = running.ended().exits(1);
        let reason = format!("the {name} ended during the trial (signal: 9 (SIGKILL))");
        let recordings = recordings(&sandbox);
        let [failed, whole] = &recordings[..] else { panic!("{} trials", recordings.len()) };
        assert!(failed["failure"]["reason"].as_str().unwrap().starts_with(&reason), "{}", failed["failure"]);
        assert!(!failed["events"].as_array().unwrap().is_empty(), "tokens were revoked");
        assert_eq!(whole["subject"]["name"], "opaque");
        assert!(whole["failure"].is_null(), "{}", whole["failure"]);
        assert!(whole["load"]["seconds"][0]["outcomes"]["classes"]["valid"]["planned"].as_u64() > Some(50));
        ended.says(&["control: failed", &reason, "[2/2] opaque"]);
    }
}

#[test]
fn a_server_that_stops_answering_ends_its_trial_with_the_reason() {
    let sandbox = Sandbox::with(SMALL);
    let (running, servers) = loading(&sandbox);
    // The authorization server is started first.
    servers[0].signal(Signal::STOP);
    running.wait_for_words("[2/2]");
    running.process().signal(Signal::INT);
    assert_eq!(running.ended().code, Some(130));
    let failure = recordings(&sandbox)[0]["failure"]["reason"].clone();
    assert!(failure.as_str().unwrap().contains("no answer within 10 s"), "{failure}");
}
