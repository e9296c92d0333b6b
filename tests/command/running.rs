//! The program while it runs: its servers, its recording, and signals to it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

use crate::program::Ended;

/// Ends a test that would hang. It is no limit on speed: on a machine that is busy with other work everything may take a hundred times
/// as long.
const PATIENCE: Duration = Duration::from_mins(20);
/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until `look` sees something.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(LOOK);
    }
}

/// A process by its number, which may have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Process(i32);

impl Process {
    pub(crate) fn signal(self, signal: Signal) {
        let pid = Pid::from_raw(self.0).expect("a process number is not zero");
        kill_process(pid, signal).expect("it is ours");
    }

    /// Limits a resource for good.
    pub(crate) fn limit(self, resource: Resource, most: u64) {
        let limits = Rlimit { current: Some(most), maximum: Some(most) };
        prlimit(Pid::from_raw(self.0), resource, limits).expect("it is ours");
    }

    /// Whether it has ended; one that nobody waited for has too.
    pub(crate) fn is_gone(self) -> bool {
        match fs::read_to_string(self.file("stat")) {
            // Behind the name, which may hold anything, stands the state.
            Ok(stat) => stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with(['Z', 'X'])),
            Err(_) => true,
        }
    }

    /// The processes it has started and not waited for.
    pub(crate) fn children(self) -> Vec<Process> {
        let Ok(threads) = fs::read_dir(self.file("task")) else { return Vec::new() };
        let mut children: Vec<Process> = threads
            .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok())
            .flat_map(|pids| pids.split_whitespace().map(process).collect::<Vec<_>>())
            .filter(|child| !child.is_gone())
            .collect();
        children.sort_unstable();
        children
    }

    /// Whether this subcommand of the program is what it does.
    fn does(self, command: &str) -> bool {
        fs::read(self.file("cmdline"))
            .is_ok_and(|line| line.split(|byte| *byte == 0).any(|word| word == command.as_bytes()))
    }

    fn file(self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.0.to_string()).join(name)
    }
}

fn process(pid: &str) -> Process {
    Process(pid.parse().expect("the system lists numbers"))
}

/// A command under way. Dropped, it and what it started are ended.
pub(crate) struct Running {
    child: Option<Child>,
    process: Process,
    stderr: PathBuf,
}

impl Running {
    /// Starts the command; what it says meanwhile goes to a file in `folder`.
    pub(crate) fn start(mut command: Command, folder: &Path) -> Self {
        let stderr = folder.join("stderr");
        let said = File::create(&stderr).expect("the folder can be written");
        let child = command.stdout(Stdio::piped()).stderr(said).spawn();
        let child = child.expect("the program can be started");
        let process = Process(i32::try_from(child.id()).expect("a process number"));
        Self { child: Some(child), process, stderr }
    }

    pub(crate) fn process(&self) -> Process {
        self.process
    }

    /// Waits until `look` sees something, or fails when the command has ended without it.
    #[track_caller]
    pub(crate) fn wait_for<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        wait_for(what, || {
            // Asked first: what it did last may be what is waited for.
            let is_gone = self.process.is_gone();
            let seen = look();
            assert!(seen.is_some() || !is_gone, "it ended without {what}, and said: {}", self.said());
            seen
        })
    }

    /// Waits until it has said these words on standard error.
    #[track_caller]
    pub(crate) fn wait_for_words(&self, words: &str) {
        self.wait_for(words, || self.said().contains(words).then_some(()));
    }

    /// Waits until it has `count` servers, and tells which.
    #[track_caller]
    pub(crate) fn wait_for_servers(&self, count: usize) -> Vec<Process> {
        self.wait_for("the servers", || {
            let mut servers = self.process.children();
            // What watches their cores is no server.
            servers.retain(|child| !child.does("watch-cores"));
            (servers.len() == count).then_some(servers)
        })
    }

    /// Waits until the command has ended.
    pub(crate) fn ended(mut self) -> Ended {
        let child = self.child.take().expect("it is waited for once");
        let ended: Ended = child.wait_with_output().expect("it can be waited for").into();
        Ended { stderr: self.said(), ..ended }
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.stderr).expect("it was made at the start")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Its servers end with it.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
