//! CPU time and memory of a running process.

use std::{fs, io};

use nix::time::ClockId;
use nix::unistd::Pid;

use crate::testbed::machine::kernel::kilobytes;

/// CPU time and memory of a process, or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessUsage {
    /// Nanoseconds of CPU time, user and system, since the process began.
    pub cpu_nanos: u64,
    /// Bytes resident now.
    pub resident_bytes: u64,
    /// The most bytes ever resident.
    pub peak_bytes: u64,
}

/// What a process has used up since it began: CPU time of all its threads, memory now and at most.
///
/// An error says that the process has ended or belongs to somebody else.
pub fn process_usage(process: u32) -> io::Result<ProcessUsage> {
    let folder = format!("/proc/{process}");
    let unreadable = |name: &str| {
        let message = format!("{folder}/{name} has no figures in it: the process has ended");
        io::Error::new(io::ErrorKind::NotFound, message)
    };
    let status = fs::read_to_string(format!("{folder}/status"))?;
    let memory = |key| kilobytes(&status, key).ok_or_else(|| unreadable("status"));
    let resident_bytes = memory("VmRSS:")?;
    Ok(ProcessUsage {
        cpu_nanos: cpu_nanos(process)?,
        resident_bytes,
        // The kernel keeps the peak of a sum that lags some 100 kB per core behind the exact one.
        peak_bytes: memory("VmHWM:")?.max(resident_bytes),
    })
}

/// CPU time of a process to the nanosecond, that of threads that have ended included.
pub(super) fn cpu_nanos(process: u32) -> io::Result<u64> {
    let process = i32::try_from(process).map_err(io::Error::other)?;
    let time = ClockId::pid_cpu_clock_id(Pid::from_raw(process))?.now()?;
    let nanos = time.tv_sec() * 1_000_000_000 + time.tv_nsec();
    Ok(u64::try_from(nanos).expect("CPU time is not negative"))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::process::{ChildStdout, Command, Stdio};

    use super::*;

    #[test]
    fn a_child_that_burned_a_known_cpu_time_is_read_back() {
        // The child burns, prints what times(2) says it burned, and then waits for nothing.
        let script = "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done; times; read line";
        let mut child = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = told_by_times(&mut BufReader::new(child.stdout.take().unwrap()));
        let usage = process_usage(child.id());
        child.stdin.take().unwrap().write_all(b"\n").unwrap();
        child.wait().unwrap();

        let read = usage.unwrap().cpu_nanos as f64 / 1e9;
        assert!(told > 0.1, "the loop was too short to say anything: {told} s");
        // times(2) rounds user and system time down to 10 ms each.
        assert!((-0.001..0.025).contains(&(read - told)), "read {read} s, burned {told} s");
    }

    /// User and system seconds of the shell itself: the first line of its `times`, `0m0.30s 0m0.01s`.
    fn told_by_times(stdout: &mut BufReader<ChildStdout>) -> f64 {
        let (mut line, mut rest) = (String::new(), String::new());
        stdout.read_line(&mut line).unwrap();
        stdout.take(1).read_to_string(&mut rest).unwrap();
        let seconds = |text: &str| {
            let (minutes, seconds) = text.trim_end_matches('s').split_once('m').unwrap();
            minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap()
        };
        line.split_whitespace().map(seconds).sum()
    }

    #[test]
    fn memory_that_was_given_back_stays_in_the_peak() {
        const BYTES: u64 = 64 << 20;
        let before = process_usage(std::process::id()).unwrap();
        let held = vec![1_u8; usize::try_from(BYTES).unwrap()];
        let during = process_usage(std::process::id()).unwrap();
        drop(std::hint::black_box(held));
        let after = process_usage(std::process::id()).unwrap();
        assert!(during.resident_bytes > before.resident_bytes + BYTES / 2);
        assert!(after.peak_bytes > before.resident_bytes + BYTES / 2);
        assert!(after.resident_bytes < after.peak_bytes - BYTES / 4);
    }

    #[test]
    fn a_process_that_has_ended_is_an_error_before_and_after_it_is_reaped() {
        let mut child = Command::new("true").spawn().unwrap();
        let id = child.id();
        // Its end is awaited without reaping it: its memory is gone, its entry in /proc is not.
        while process_usage(id).is_ok() {
            std::thread::yield_now();
        }
        assert!(process_usage(id).unwrap_err().to_string().contains("the process has ended"));
        child.wait().unwrap();
        assert_eq!(process_usage(id).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
