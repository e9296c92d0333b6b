//! CPU time and memory of a running process.

use std::{fs, io};

use crate::observation::ProcessUsage;
use crate::testbed::machine::kernel::kilobytes;

/// The kernel's own constant for the ticks in `/proc/<pid>/stat`: 100 a second on every machine
/// this program is built for, whatever the kernel's timer.
const NANOS_PER_TICK: u64 = 1_000_000_000 / 100;

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
    let ticks = ticks(&fs::read_to_string(format!("{folder}/stat"))?).ok_or_else(|| unreadable("stat"))?;
    let resident_bytes = memory("VmRSS:")?;
    Ok(ProcessUsage {
        cpu_nanos: cpu_nanos(living_threads_nanos(&folder)?, ticks),
        resident_bytes,
        // The kernel keeps the peak of a sum that lags some 100 kB per core behind the exact one.
        peak_bytes: memory("VmHWM:")?.max(resident_bytes),
    })
}

/// The better of two figures that are both too small, if anything. The scheduler's sum is exact to the
/// nanosecond, but a thread that has ended is no longer in it. The process's own total keeps those,
/// but is rounded down to ticks, twice: once for user and once for system time.
fn cpu_nanos(living_threads_nanos: u64, ticks: u64) -> u64 {
    living_threads_nanos.max(ticks * NANOS_PER_TICK)
}

/// CPU time of the threads that exist now; 0 where the kernel keeps no `schedstat`.
fn living_threads_nanos(folder: &str) -> io::Result<u64> {
    let mut nanos = 0;
    for thread in fs::read_dir(format!("{folder}/task"))? {
        // A thread may end after it was listed.
        let text = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        nanos += on_core_nanos(&text).unwrap_or(0);
    }
    Ok(nanos)
}

/// The first field of `schedstat`: nanoseconds on a core.
fn on_core_nanos(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().next()?.parse().ok()
}

/// Fields 14 and 15 of `stat`, user and system time. The name in field 2 may hold spaces and brackets:
/// counting begins behind its last bracket, at field 3.
fn ticks(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_whitespace().skip(14 - 3);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::process::{ChildStdout, Command, Stdio};

    use super::*;

    #[test]
    fn ticks_are_found_behind_a_name_with_spaces_and_brackets() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 98 0 0 0 1234 66 7 8 20 0 1 0 156180 3133440 443";
        assert_eq!(ticks(stat), Some(1300));
        assert_eq!(ticks("42 (cut"), None);
    }

    #[test]
    fn time_on_a_core_is_the_first_field_of_schedstat() {
        assert_eq!(on_core_nanos("79932 84573 2\n"), Some(79_932));
        assert_eq!(on_core_nanos(""), None);
    }

    #[test]
    fn threads_that_ended_still_count_and_ticks_do_not_round_living_ones() {
        assert_eq!(cpu_nanos(20_000_001, 150), 1_500_000_000);
        assert_eq!(cpu_nanos(1_507_654_321, 150), 1_507_654_321);
    }

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
