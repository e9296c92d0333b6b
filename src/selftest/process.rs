//! The generator as a process of its own, so that it can be stopped as a whole: `bearerbench load`.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::observation::{self, Recording};
use crate::selftest::bench::SelftestError;
use crate::selftest::machine::process_delay;
use crate::selftest::server::Server;
use crate::units::Stamp;

/// How much longer than planned it may take, so that one that hangs is told: no limit on speed, since the machine may be busy.
pub(super) const PATIENCE: Duration = Duration::from_mins(5);

/// A running `bearerbench load`. Dropping it ends the process and removes what it wrote.
pub struct LoadProcess {
    child: Child,
    folder: PathBuf,
    /// How long the thread that waited longest was ready but had no core, as far as was looked; and at the beginning of
    /// what is watched.
    delayed: Duration,
    delayed_before: Duration,
}

/// When a process was stopped.
#[derive(Clone, Copy, Debug)]
pub struct Pause {
    /// From when on.
    pub from: Stamp,
    /// Until when.
    pub to: Stamp,
    /// By how much both together may be off.
    pub unsure: Duration,
}

/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(20);

impl LoadProcess {
    /// Starts `program` to send `rate` requests a second to an address, from the first instant on, with `more` arguments.
    pub fn start(
        program: &Path,
        address: SocketAddr,
        rate: f64,
        connections: u32,
        lasts: Duration,
        more: &[&str],
    ) -> Result<Self, SelftestError> {
        let folder = folder();
        let child = Command::new(program)
            .args(["load", "--quiet", "--json", "--tokens", "-", "--warmup", "0s"])
            .args(["--target", &format!("http://{address}/")])
            .args(["--rate", &rate.to_string(), "--connections", &connections.to_string()])
            .args(["--duration", &format!("{}ms", lasts.as_millis())])
            .args(more)
            .arg("--out")
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child =
            child.map_err(|error| unable(format!("{} does not start: {error}", program.display())))?;
        let mut process = Self { child, folder, delayed: Duration::ZERO, delayed_before: Duration::ZERO };
        let mut stdin = process.child.stdin.take().expect("it was asked for");
        stdin.write_all(b"good\n").map_err(|error| unable(format!("it takes no token: {error}")))?;
        Ok(process)
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it waited for a core until now does not count.
    pub(super) fn watch(&mut self) {
        self.delayed_before = process_delay(self.child.id());
    }

    /// Waits until an instant of the load, whose beginning is the first request that the server saw.
    pub fn reach(&mut self, server: &Server, instant: Duration) -> Result<(), SelftestError> {
        // Opening the connections takes a while before the first.
        let deadline = Instant::now() + instant + PATIENCE;
        loop {
            let begun = server.first_arrival();
            if begun.is_some_and(|begun| begun.elapsed() >= instant) {
                return Ok(());
            }
            if self.has_ended()? || Instant::now() > deadline {
                return Err(unable("it ended or hung before all was sent".to_owned()));
            }
            let left = begun.map_or(LOOK, |begun| instant.saturating_sub(begun.elapsed()));
            sleep(left.min(LOOK));
        }
    }

    /// Stops it for a while.
    pub fn pause(&mut self, lasts: Duration) -> Result<Pause, SelftestError> {
        let before = Stamp::now();
        self.signal(Signal::STOP)?;
        let from = Stamp::now();
        sleep(lasts.saturating_sub(from.elapsed()));
        let to = Stamp::now();
        self.signal(Signal::CONT)?;
        // Between a stamp and its signal this thread may have lost its core, and nobody knows when the signal came.
        let unsure = Duration::from_nanos(from.nanos() - before.nanos()) + to.elapsed();
        Ok(Pause { from, to, unsure })
    }

    /// The processes that it has started.
    pub(super) fn children(&self) -> Vec<u32> {
        let parent = |process: &u32| {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            // Field 4; the name in field 2 may hold anything.
            stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<u32>().ok()
        };
        let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
        let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        processes.filter(|process| parent(process) == Some(self.child.id())).collect()
    }

    /// Whether it goes on.
    pub(super) fn is_running(&mut self) -> bool {
        self.has_ended().is_ok_and(|ended| !ended)
    }

    fn signal(&self, signal: Signal) -> Result<(), SelftestError> {
        send(self.child.id(), signal)
    }

    /// Waits for its end; what it recorded, and how long it waited for a core.
    pub fn recording(mut self, patience: Duration) -> Result<(Recording, Duration), SelftestError> {
        let deadline = Instant::now() + patience;
        while !self.has_ended()? {
            if Instant::now() > deadline {
                return Err(unable(format!("it did not end within {patience:?}")));
            }
            sleep(LOOK);
        }
        let read = observation::read(&self.folder);
        let mut recordings = read.map_err(|error| unable(format!("its recording: {error}")))?;
        let recording = recordings.pop().ok_or_else(|| unable("it recorded nothing".to_owned()))?;
        match &recording.failure {
            Some(failure) => Err(unable(format!("it failed: {failure}"))),
            None => Ok((recording, self.delayed.saturating_sub(self.delayed_before))),
        }
    }

    /// Whether it is gone; while it is not, takes note of how long it waited for a core.
    fn has_ended(&mut self) -> Result<bool, SelftestError> {
        let ended = self.child.try_wait().map_err(|error| unable(format!("it is lost: {error}")))?;
        if ended.is_none() {
            self.delayed = self.delayed.max(process_delay(self.child.id()));
        }
        Ok(ended.is_some())
    }
}

impl Drop for LoadProcess {
    fn drop(&mut self) {
        // It has ended, or it is made to; either way nothing is left.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Sends a signal to a process.
pub(super) fn send(process: u32, signal: Signal) -> Result<(), SelftestError> {
    let number = i32::try_from(process).ok().and_then(Pid::from_raw);
    let number = number.ok_or_else(|| unable("it has no number".to_owned()))?;
    kill_process(number, signal).map_err(|error| unable(format!("it takes no signal: {error}")))
}

/// A folder that nobody has.
fn folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("bearerbench-selftest-{}-{number}", std::process::id()))
}

fn unable(what: String) -> SelftestError {
    SelftestError::Process { what }
}
