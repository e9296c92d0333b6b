//! What the load generator reports, against servers of known truth: the cases of `bearerbench selftest generator`, and what
//! only a test can see.
//!
//! A figure of time is judged only where the machine was fit for it, which the machine decides and never the generator
//! (`src/selftest/machine.rs`). That nothing is lost is judged always.

mod endings;
mod gateway;
mod limits;
mod memory;
mod times;
mod watching;

use std::io::{Write as _, stderr};
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use bearerbench::arrival::Constant;
use bearerbench::load::{Engine, Request, Target};
use bearerbench::selftest::{Bench, Case, Effort, QUESTIONS, Sending, Server, TestVerdict};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

static MACHINE: RwLock<()> = RwLock::new(());

/// Held by tests that judge times or change limits: another one beside it would be part of what is measured.
fn alone() -> RwLockWriteGuard<'static, ()> {
    let alone = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
    raise_file_limit();
    alone
}

/// Held by tests whose outcome depends on no time.
fn beside_others() -> RwLockReadGuard<'static, ()> {
    let held = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    raise_file_limit();
    held
}

/// Both ends of every connection are files of this process, and 1,024 of them are a common limit.
fn raise_file_limit() {
    let files = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: files.maximum, ..files };
    setrlimit(Resource::Nofile, raised).expect("up to the maximum it may be raised");
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_bearerbench"))
}

/// Everything about a question of the selftest, as `--quick` has it: no figure may be wrong.
fn ask(question: &str) {
    let question = QUESTIONS.iter().find(|known| known.name == question).expect("it is one of them");
    let cases = question.ask(&Bench::default(), program(), Effort::Quick).expect("server and generator run");
    assert!(!cases.is_empty());
    let mut wrong = Vec::new();
    for Case { name, findings } in &cases {
        for finding in findings {
            match &finding.verdict {
                TestVerdict::Pass => {}
                TestVerdict::Fail => wrong.push(format!("{name}: {finding:?}")),
                // Past the harness, which shows only what a failed test prints.
                unfit @ TestVerdict::NotJudged { .. } => {
                    let _ = writeln!(stderr().lock(), "{name}, {}: {unfit}", finding.quantity);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Requests with a good token at equal gaps.
fn steady(rate: f64, connections: u32, lasts: Duration) -> Sending<'static> {
    Sending { engine: Engine::Http1, connections, arrivals: &Constant {}, rate, lasts, seed: 0 }
}

/// No limit on speed, since the machine may be busy.
const PATIENCE: Duration = Duration::from_mins(5);

/// These servers, with nobody bound to a core: nothing here depends on a time.
fn target(servers: &[&Server], sending: &Sending<'_>) -> Target {
    Target { timeout: PATIENCE, ..hasty_target(servers, sending) }
}

/// The same with a time-out of two seconds.
fn hasty_target(servers: &[&Server], sending: &Sending<'_>) -> Target {
    let addresses: Vec<_> = servers.iter().map(|server| server.address()).collect();
    Bench::default().target(&addresses, sending).expect("plain HTTP needs nothing")
}

fn requests(sending: &Sending<'_>) -> Vec<Request> {
    sending.requests().collect()
}
