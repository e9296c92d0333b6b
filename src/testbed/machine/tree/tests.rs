//! What trees of shells use up, and that it does not fall when some of them end.

use std::io::{BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::*;
use crate::testbed::machine::{descendants, has_ended};

/// Burns 30 ms of a core or so.
const BURN: &str = "burn() { i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; }; ";

struct Shell {
    child: Child,
    stdin: ChildStdin,
}

impl Shell {
    /// Runs `script`, which may wait for a line by `read line`.
    fn start(script: &str) -> (Self, BufReader<std::process::ChildStdout>) {
        let mut child = Command::new("sh")
            .args(["-c", &format!("{BURN}{script}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        (Self { child, stdin }, stdout)
    }

    fn tree(&self) -> ProcessTree {
        ProcessTree::of(self.child.id())
    }

    fn tell(&mut self) {
        self.stdin.write_all(b"\n").unwrap();
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(stdout: &mut impl std::io::BufRead) -> String {
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    line.trim().to_owned()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Seconds of a line of `times`: user and system, `0m0.30s 0m0.01s`.
fn seconds(line: &str) -> f64 {
    let seconds = |text: &str| {
        let (minutes, seconds) = text.trim_end_matches('s').split_once('m').unwrap();
        minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap()
    };
    line.split_whitespace().map(seconds).sum()
}

#[test]
fn the_sum_over_children_that_come_and_go_never_falls_and_is_what_they_burned() {
    let (mut shell, mut stdout) =
        Shell::start("for n in 1 2 3 4 5 6 7 8; do (burn; (burn)); done; times; read line");
    let mut tree = shell.tree();
    let reading = thread::spawn(move || [line(&mut stdout), line(&mut stdout)].map(|line| seconds(&line)));
    let mut last = 0;
    while !reading.is_finished() {
        let now = tree.usage().unwrap().cpu_nanos;
        assert!(now >= last, "{now} after {last}");
        last = now;
    }
    let told: f64 = reading.join().unwrap().iter().sum();
    let read = tree.usage().unwrap().cpu_nanos as f64 / 1e9;
    shell.tell();
    assert!(told > 0.2, "the loops were too short to say anything: {told} s");
    // The shell tells four figures, each rounded down to 10 ms; a sum that was told stays, and it was not rounded.
    assert!((-0.021..0.061).contains(&(read - told)), "read {read} s, burned {told} s");
}

#[test]
fn a_child_counts_while_it_runs() {
    let (mut shell, mut stdout) = Shell::start("(burn; burn; burn; echo burned; read line) <&0; :");
    let mut tree = shell.tree();
    assert_eq!(line(&mut stdout), "burned");
    let alone = process_usage(shell.child.id()).unwrap();
    let usage = tree.usage().unwrap();
    assert_eq!(descendants(shell.child.id()).len(), 1);
    assert!(usage.cpu_nanos > alone.cpu_nanos + 20_000_000, "{usage:?}, the shell alone {alone:?}");
    shell.tell();
}

#[test]
fn what_an_orphan_used_is_kept_when_it_ends_and_counts_once() {
    // The one in the middle ends at once: the last one is then a child of nobody in the tree, and nobody there waits for it.
    let script = "(sh -c 'burn; burn; burn; echo burned; exec sleep 60' & echo $!; read line) ; read line; echo on; burn; \
                  echo burned; read line";
    let script = script.replace("sh -c '", &format!("sh -c '{BURN}"));
    let (mut shell, mut stdout) = Shell::start(&script);
    let mut tree = shell.tree();
    let orphan: u32 = line(&mut stdout).parse().unwrap();
    assert_eq!(line(&mut stdout), "burned");
    let before = tree.usage().unwrap().cpu_nanos;
    shell.tell();
    wait_until("an orphan", || !descendants(shell.child.id()).contains(&orphan));
    let orphaned = tree.usage().unwrap().cpu_nanos;
    assert!(orphaned >= before && orphaned < before + 20_000_000, "{before}, then {orphaned}");
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(i32::try_from(orphan).unwrap()).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
    wait_until("its end", || has_ended(orphan));
    let ended = tree.usage().unwrap().cpu_nanos;
    assert!(ended >= orphaned, "{orphaned}, then {ended}");
    // And what is used from then on counts in full: it is not hidden behind what was kept.
    let alone = process_usage(shell.child.id()).unwrap().cpu_nanos;
    shell.tell();
    assert_eq!(line(&mut stdout), "on");
    assert_eq!(line(&mut stdout), "burned");
    let burned = process_usage(shell.child.id()).unwrap().cpu_nanos - alone;
    let more = tree.usage().unwrap().cpu_nanos - ended;
    assert!(more + ROUNDING_NANOS >= burned && burned > 0, "{more} of {burned}");
    shell.tell();
}

#[test]
fn memory_that_a_fork_shares_counts_once() {
    // 32 MB in a variable, and a fork that has the same pages.
    let script = "x=$(head -c 32000000 /dev/zero | tr '\\0' x); (echo forked; read line; : \"$x\") <&0; :";
    let (mut shell, mut stdout) = Shell::start(script);
    assert_eq!(line(&mut stdout), "forked");
    let alone = process_usage(shell.child.id()).unwrap().resident_bytes;
    let together = shell.tree().usage().unwrap().resident_bytes;
    assert!(alone > 32_000_000, "{alone} bytes");
    assert!(together < alone + alone / 2, "{together} bytes of two that share {alone}");
    shell.tell();
}

#[test]
fn a_process_by_itself_has_the_figures_that_it_had() {
    let (mut shell, mut stdout) = Shell::start("burn; echo burned; read line");
    let mut tree = shell.tree();
    assert_eq!(line(&mut stdout), "burned");
    wait_until("the shell to rest", || Stat::read(shell.child.id()).unwrap().state == 'S');
    assert_eq!(tree.usage().unwrap(), process_usage(shell.child.id()).unwrap());
    shell.tell();
    wait_until("its end", || has_ended(shell.child.id()));
    assert!(tree.usage().unwrap_err().to_string().contains("the process has ended"));
}

/// By number: the parent, and milliseconds used by itself and by those whom it waited for.
fn members<const N: usize>(members: [(u32, u32, u64, u64); N]) -> BTreeMap<u32, Member> {
    let member = |(pid, parent, own, waited)| {
        let began = u64::from(pid);
        (pid, Member { began, parent, own_nanos: own * 1_000_000, waited_nanos: waited * 1_000_000 })
    };
    members.map(member).into_iter().collect()
}

#[track_caller]
fn check_lost(known: &BTreeMap<u32, Member>, now: &BTreeMap<u32, Member>, milliseconds: u64) {
    assert_eq!(lost_nanos(known, now), milliseconds * 1_000_000);
}

#[test]
fn who_ended_is_lost_unless_it_is_in_the_figures_of_who_waited_for_it() {
    // An orphan ends while its former family waits for a child that nobody saw.
    let known = members([(10, 2, 0, 100), (12, 1, 400, 0)]);
    check_lost(&known, &members([(10, 2, 0, 600)]), 400);
    // A child that is waited for, beside that orphan.
    let known = members([(10, 2, 0, 100), (11, 10, 300, 0), (12, 1, 400, 0)]);
    check_lost(&known, &members([(10, 2, 0, 400)]), 400);
    // It is rounded.
    check_lost(&known, &members([(10, 2, 0, 390)]), 400);
    // Its parent waits for nobody.
    check_lost(&known, &members([(10, 2, 0, 100), (12, 1, 400, 0)]), 300);
    // What one parent waited for does not hide whom another did not.
    let known = members([(10, 2, 0, 0), (11, 10, 50, 0), (12, 11, 300, 0)]);
    check_lost(&known, &members([(10, 2, 0, 900), (11, 10, 50, 0)]), 300);
    // A child and its child end, the one having waited for the other.
    check_lost(&known, &members([(10, 2, 0, 350)]), 0);
    // And not having done so.
    check_lost(&known, &members([(10, 2, 0, 50)]), 300);
    // Somebody else has its number.
    let mut known = members([(10, 2, 0, 0), (12, 1, 300, 0)]);
    let now = known.clone();
    known.get_mut(&12).unwrap().began -= 1;
    check_lost(&known, &now, 300);
}
