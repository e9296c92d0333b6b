//! Who runs on the cores of the servers is seen, and told from the servers themselves.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use bearerbench::testbed::machine::{available_cores, pin_thread};
use bearerbench::units::Stamp;
use serde_json::json;

use crate::{alone, program};

/// A process on a core that burns its time when it is told to, and says when it has done so.
fn burner(core: u32) -> Child {
    // On a thread of its own, from which the process has its core.
    let starting = std::thread::spawn(move || {
        pin_thread(&[core]).expect("the core is there");
        let script = "read go; i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo done; read end";
        Command::new("sh").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
    });
    starting.join().expect("it starts a process").expect("there is a shell")
}

/// Whether the burner has a right to the core.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    None,
    FromTheStart,
    /// It takes the place of a process that has ended.
    ToldLater,
}

/// How much of the time in which the burner burned was seen as taken; and how much of it somebody else had the core.
fn seen(right: Right) -> [f64; 2] {
    let core = available_cores()[0];
    let mut burner = burner(core);
    let mut victim = Command::new("sleep").arg("60").spawn().expect("it starts");
    let processes = match right {
        Right::None => vec![std::process::id()],
        Right::FromTheStart => vec![burner.id()],
        Right::ToldLater => vec![victim.id()],
    };
    let mut watch = Command::new(program());
    let watch = watch.arg("watch-cores").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut watch = watch.expect("it starts");
    let task = json!({ "cores": [core], "processes": processes });
    writeln!(watch.stdin.as_mut().expect("it is piped"), "{task}").expect("it listens");
    let mut lines = BufReader::new(watch.stdout.take().expect("it is piped")).lines();
    lines.next().expect("it watches").expect("in words");
    victim.kill().expect("it runs");
    victim.wait().expect("it ends");
    if right == Right::ToldLater {
        writeln!(watch.stdin.as_mut().expect("it is piped"), "[{}]", burner.id()).expect("it listens");
    }
    for _ in 0..10 {
        lines.next().expect("it goes on watching").expect("in words");
    }

    let begun = Instant::now();
    burner.stdin.as_mut().expect("it is piped").write_all(b"go\n").expect("it listens");
    let mut said = String::new();
    BufReader::new(burner.stdout.as_mut().expect("it is piped")).read_line(&mut said).expect("in words");
    let (lasted, end) = (begun.elapsed(), Stamp::now().nanos());
    let start = end - u64::try_from(lasted.as_nanos()).expect("seconds");
    let ran = cpu_nanos(&burner);
    let mut taken = 0;
    loop {
        let line = lines.next().expect("it goes on watching").expect("in words");
        let words: Vec<u64> =
            line.split_whitespace().map(|word| word.parse().expect("numbers only")).collect();
        match words[..] {
            // What was taken before it began or after it had done is somebody else's: on a busy machine a gap may go on for seconds.
            [_, until, since] => taken += until.min(end).saturating_sub(since.max(start)),
            // It was looked at until the burner had done.
            [_, until] if until >= end => break,
            _ => {}
        }
    }
    for mut process in [burner, watch] {
        process.kill().expect("it runs");
        process.wait().expect("it ends");
    }
    [taken as f64, lasted.as_nanos() as f64 - ran].map(|nanos| nanos / lasted.as_nanos() as f64)
}

/// Nanoseconds that a process of one thread has run.
fn cpu_nanos(process: &Child) -> f64 {
    let file = format!("/proc/{}/schedstat", process.id());
    let text = std::fs::read_to_string(file).expect("it runs");
    text.split(' ').next().and_then(|nanos| nanos.parse().ok()).expect("a number comes first")
}

#[test]
fn what_runs_beside_the_servers_is_seen_and_what_the_servers_do_is_not() {
    check(Right::FromTheStart);
}

#[test]
fn a_watch_goes_on_when_a_server_has_ended_and_knows_another_that_it_is_told_of() {
    check(Right::ToldLater);
}

#[track_caller]
fn check(right: Right) {
    let _alone = alone();
    let ([stranger, _], [server, others]) = (seen(Right::None), seen(right));
    assert!(stranger > 0.8, "of what somebody else burned only {stranger} was seen");
    // On a busy machine others are really there.
    let burned = server - others.max(0.0);
    assert!(
        burned < stranger / 2.0,
        "what a server burned was taken for somebody else's: {server}, {others}"
    );
}
