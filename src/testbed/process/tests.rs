//! Programs of others as processes of a trial.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::{Pid, kill_process};
use tokio::time::sleep;

use super::*;
use crate::testbed::machine::{available_cores, descendants, has_ended};
use crate::testbed::port::ReservedPort;

/// A shell that says that it is ready when it is.
fn shell(script: &str) -> Invocation {
    Invocation {
        arguments: vec!["-c".into(), script.into()],
        ..Invocation::of("shell", "sh", Ready::Line("is ready".to_owned()))
    }
}

async fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        sleep(Duration::from_millis(1)).await;
    }
}

fn state(pid: u32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
}

async fn refused(invocation: Invocation) -> String {
    Process::start(invocation).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told_with_the_package_that_has_it() {
    let missing = Invocation {
        package: Some("redis-server"),
        ..Invocation::of("store", "no-such-program", Ready::JsonLine)
    };
    assert_eq!(
        refused(missing).await,
        "the store needs the program `no-such-program`, which is not installed; on Debian: apt install redis-server"
    );
    let nowhere = Invocation::of("store", "/nowhere/at-all", Ready::JsonLine);
    assert_eq!(
        refused(nowhere).await,
        "the store needs the program `/nowhere/at-all`, which is not installed"
    );
}

#[tokio::test]
async fn a_program_that_ends_before_it_is_ready_is_told_with_its_last_words() {
    let words = refused(shell("echo out; echo no such file >&2; exit 3")).await;
    assert_eq!(words, "the shell did not start: out\nno such file");
    let silent = Invocation { ready: Ready::JsonLine, ..shell("exit 1") };
    assert_eq!(refused(silent).await, "the shell did not start: it said nothing");
    let port = ReservedPort::any().unwrap();
    let deaf = Invocation { ready: Ready::Port(port.address), ..shell("echo cannot listen; exit 1") };
    assert_eq!(refused(deaf).await, "the shell did not start: cannot listen");
    let no_json = Invocation { ready: Ready::JsonLine, ..shell("echo hello; echo but why >&2") };
    assert_eq!(refused(no_json).await, "the shell did not start: but why");
}

#[tokio::test]
async fn a_program_runs_where_it_is_told_with_what_it_is_told() {
    let last = *available_cores().last().unwrap();
    let folder = PathBuf::from("/proc/self");
    let script = "pwd; echo $WORD; nproc; echo is ready; exec sleep 60";
    let invocation = Invocation {
        environment: vec![("WORD".into(), "a word".into())],
        folder: Some(folder.canonicalize().unwrap().join("task")),
        cores: vec![last],
        ..shell(script)
    };
    let mut process = Process::start(invocation).await.unwrap();
    let said = process.running.as_ref().unwrap().output.words();
    let said: Vec<&str> = said.lines().collect();
    assert!(said[0].ends_with("/task"), "{said:?}");
    assert_eq!(said[1..], ["a word", "1", "is ready"]);
    process.kill().await;
    assert_eq!(process.pid(), None);
    assert_eq!(process.ensure_alive().await.unwrap_err().to_string(), "the shell is down");
}

#[tokio::test]
async fn a_port_that_accepts_is_ready_and_the_same_after_every_restart() {
    let port = ReservedPort::any().unwrap();
    // Of what every Debian has, perl alone can listen.
    let script = "use Socket; socket(S, PF_INET, SOCK_STREAM, 0); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1); \
                  bind(S, sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or die $!; listen(S, 5); accept(C, S) while 1";
    let invocation = Invocation {
        arguments: ["-e", script, &port.address.port().to_string()].map(Into::into).to_vec(),
        package: Some("perl-base"),
        ..Invocation::of("listener", "perl", Ready::Port(port.address))
    };
    let mut process = Process::start(invocation).await.unwrap();
    for _ in 0..5 {
        let before = process.pid().unwrap();
        process.restart().await.unwrap();
        assert!(has_ended(before) && process.pid() != Some(before));
        std::net::TcpStream::connect(port.address).unwrap();
    }
    process.ensure_alive().await.unwrap();
}

#[tokio::test]
async fn what_a_process_started_goes_with_it_even_out_of_its_group() {
    let script = "sleep 60 & setsid sleep 60 & (trap '' TERM; sleep 60) & echo is ready; wait";
    for is_dropped in [false, true] {
        let mut process = Process::start(shell(script)).await.unwrap();
        let pid = process.pid().unwrap();
        wait_until("three children", || descendants(pid).len() >= 3).await;
        let all = [vec![pid], descendants(pid)].concat();
        if is_dropped {
            drop(process);
        } else {
            process.kill().await;
        }
        assert!(all.iter().all(|pid| has_ended(*pid)), "{all:?}");
    }
}

#[tokio::test]
async fn a_process_that_ends_by_itself_takes_its_children_with_it_and_says_why() {
    let script = "sleep 60 & echo $!; echo I am out of memory >&2; echo is ready; wait";
    let mut process = Process::start(shell(script)).await.unwrap();
    let said = process.running.as_ref().unwrap().output.words();
    let child: u32 = said.lines().next().unwrap().parse().unwrap();
    let pid = process.pid().unwrap();
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL).unwrap();
    wait_until("its end", || has_ended(pid)).await;
    let error = process.ensure_alive().await.unwrap_err().to_string();
    assert!(error.starts_with("the shell ended during the trial (signal: 9 (SIGKILL)): "), "{error}");
    assert!(error.ends_with("I am out of memory"), "{error}");
    assert!(has_ended(child), "it is waited for");
}

#[tokio::test]
async fn children_of_a_process_that_has_ended_are_awaited() {
    // Memory that takes the system its time to give back.
    let hog = "perl -e '$x = \"x\" x 200_000_000; $| = 1; print \"is ready\\n\"; sleep 60'";
    for is_dropped in [false, true] {
        let mut process = Process::start(shell(&format!("{hog} & echo $!; wait"))).await.unwrap();
        let said = process.running.as_ref().unwrap().output.words();
        let child: u32 = said.lines().next().unwrap().parse().unwrap();
        let pid = process.pid().unwrap();
        kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL).unwrap();
        wait_until("its end", || has_ended(pid)).await;
        if is_dropped {
            drop(process);
        } else {
            process.kill().await;
        }
        assert!(has_ended(child));
    }
}

#[tokio::test]
async fn nobody_is_left_of_those_who_were_started_while_they_were_looked_for() {
    // Their number of seconds is theirs alone.
    let seconds = format!("7{}", std::process::id());
    let script = format!("setsid sh -c 'while :; do sleep {seconds} & done' & echo is ready; wait");
    let sleepers = || {
        let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let line = format!("sleep\0{seconds}\0").into_bytes();
        entries.filter(|entry| std::fs::read(entry.path().join("cmdline")).is_ok_and(|it| it == line)).count()
    };
    let mut process = Process::start(shell(&script)).await.unwrap();
    wait_until("some children", || sleepers() > 20).await;
    process.kill().await;
    assert_eq!(sleepers(), 0);
}

#[tokio::test]
async fn what_a_program_of_others_started_ends_when_this_program_does() {
    let mut process = Process::start(shell("sleep 60 & sleep 60 & echo is ready; wait")).await.unwrap();
    let pid = process.pid().unwrap();
    wait_until("two children", || descendants(pid).len() >= 2).await;
    let all = [vec![pid], descendants(pid)].concat();
    // As the system does when this program is killed.
    let guard = process.running.as_mut().unwrap().group.guard.as_mut().unwrap();
    drop(guard.stdin.take());
    wait_until("the end of all", || all.iter().all(|pid| has_ended(*pid))).await;
}

#[tokio::test]
async fn a_program_that_does_not_start_is_gone_with_what_it_started_before_that_is_told() {
    let begun = Instant::now();
    let child: u32 =
        refused(shell("sleep 60 & echo $!; exit 3")).await.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(has_ended(child));
    // Nobody waits for the words of one that holds the streams and says nothing.
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_process_that_has_ended_can_be_neither_paused_nor_resumed() {
    let process = Process::start(shell("echo is ready; exec sleep 60")).await.unwrap();
    let pid = process.pid().unwrap();
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL).unwrap();
    wait_until("its end", || has_ended(pid)).await;
    assert_eq!(process.pause().unwrap_err().to_string(), "the shell has ended");
    assert_eq!(process.resume().unwrap_err().to_string(), "the shell has ended");
}

#[tokio::test]
async fn a_paused_process_stands_still_with_all_that_it_started_and_can_be_killed() {
    let script = "(while :; do :; done) & setsid sh -c 'while :; do :; done' & echo is ready; wait";
    let mut process = Process::start(shell(script)).await.unwrap();
    let pid = process.pid().unwrap();
    wait_until("two children", || descendants(pid).len() >= 2).await;
    let all = [vec![pid], descendants(pid)].concat();
    process.pause().unwrap();
    wait_until("all to stand", || all.iter().all(|pid| state(*pid) == 'T')).await;
    process.ensure_alive().await.unwrap();
    process.resume().unwrap();
    wait_until("all to go on", || all.iter().all(|pid| state(*pid) != 'T')).await;
    process.pause().unwrap();
    process.kill().await;
    assert!(all.iter().all(|pid| has_ended(*pid)), "{all:?}");
    assert_eq!(process.pause().unwrap_err().to_string(), "the shell is down");
}

#[test]
fn a_program_of_others_ends_with_the_thread_that_started_it_in_whatever_way() {
    let pid = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let process = Process::start(shell("echo is ready; exec sleep 60")).await.unwrap();
            let pid = process.pid().unwrap();
            // As if this program had been killed: nobody kills the process.
            std::mem::forget(process);
            pid
        })
    })
    .join()
    .unwrap();
    let begun = Instant::now();
    while !has_ended(pid) {
        assert!(begun.elapsed() < Duration::from_secs(20), "it lives on");
        std::thread::sleep(Duration::from_millis(1));
    }
}
