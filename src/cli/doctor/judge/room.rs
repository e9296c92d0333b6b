//! Room for connections, for memory and for the report.

use crate::cli::doctor::judge::{at_least, check, untold};
use crate::cli::doctor::{Check, Mark};
use crate::testbed::machine::FileLimit;

/// A server holds a file for every connection and the program a handful for every server.
pub(super) fn files(limit: FileLimit) -> Check {
    let found = format!("{} open at once, {} on request", limit.current, limit.maximum);
    check(
        "files",
        at_least(limit.maximum, 4_096, 256),
        found,
        "many connections fail: ulimit -n 65536, its ceiling in /etc/security/limits.conf",
    )
}

/// Connections are kept open, so few ports are used; servers that close them use one a request.
pub(super) fn ports(count: Option<usize>, reused: Option<bool>) -> Check {
    let advice = "connections run out of ports: sysctl net.ipv4.ip_local_port_range='15000 60999' net.ipv4.tcp_tw_reuse=2";
    let Some(count) = count else {
        return untold("ports", advice);
    };
    let reuse = match reused {
        Some(true) => "reused at once",
        Some(false) => "each waits a minute after use",
        None => "reuse unknown",
    };
    let idle = if reused == Some(false) { Mark::Warn } else { Mark::Ok };
    let mark = at_least(count as u64, 16_384, 1_024).max(idle);
    check("ports", mark, format!("{count} for outgoing connections, {reuse}"), advice)
}

pub(super) fn accept_backlog(backlog: Option<u32>) -> Check {
    let advice = "connections opened in a burst wait a second: sysctl net.core.somaxconn=4096";
    let Some(backlog) = backlog else {
        return untold("accept backlog", advice);
    };
    check("accept backlog", at_least(backlog.into(), 1_024, 16), format!("{backlog} connections"), advice)
}

/// The quickstart's generator and four servers stay below 500 MB together.
pub(super) fn memory(available: Option<u64>) -> Check {
    let advice = "servers are killed or swapped out: stop other programs";
    let Some(bytes) = available else {
        return untold("memory", advice);
    };
    let mark = at_least(bytes, 1_000_000_000, 500_000_000);
    check("memory", mark, format!("{:.1} GB available", bytes as f64 / 1e9), advice)
}

/// A report takes a few megabytes, the recording of a long run some hundred.
pub(super) fn disk(free: Option<u64>) -> Check {
    let advice = "what was measured cannot be kept: free some, or use --out on another disk";
    let Some(bytes) = free else {
        return untold("disk", advice);
    };
    let mark = at_least(bytes, 1_000_000_000, 50_000_000);
    check("disk", mark, format!("{:.1} GB free for reports", bytes as f64 / 1e9), advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_count_as_far_as_the_limit_can_be_raised() {
        let check = |current, maximum| files(FileLimit { current, maximum }).mark;
        assert_eq!(check(1_024, 65_536), Mark::Ok);
        assert_eq!(check(1_024, 1_024), Mark::Warn);
        assert_eq!(check(64, 64), Mark::Bad);
    }

    #[test]
    fn few_ports_or_ports_that_wait_are_worth_a_warning() {
        let mark = |count, reused| ports(count, reused).mark;
        assert_eq!(mark(Some(28_232), Some(true)), Mark::Ok);
        assert_eq!(mark(Some(28_232), None), Mark::Ok);
        assert_eq!(mark(Some(28_232), Some(false)), Mark::Warn);
        assert_eq!(mark(Some(2_000), Some(true)), Mark::Warn);
        assert_eq!(mark(Some(100), Some(true)), Mark::Bad);
        assert_eq!(mark(None, None), Mark::Warn);
    }

    #[test]
    fn the_old_default_backlog_is_worth_a_warning() {
        assert_eq!(accept_backlog(Some(4_096)).mark, Mark::Ok);
        assert_eq!(accept_backlog(Some(128)).mark, Mark::Warn);
    }

    #[test]
    fn memory_and_disk_are_bad_when_a_run_could_not_end() {
        assert_eq!([4_000_000_000, 700_000_000, 1].map(|bytes| memory(Some(bytes)).mark), MARKS);
        assert_eq!([4_000_000_000, 700_000_000, 1].map(|bytes| disk(Some(bytes)).mark), MARKS);
        assert_eq!(disk(None).mark, Mark::Warn);
    }

    const MARKS: [Mark; 3] = [Mark::Ok, Mark::Warn, Mark::Bad];
}
