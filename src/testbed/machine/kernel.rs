//! What the kernel says about itself in `/proc` and `/sys`. `None` where it has no such file.

use std::fs;
use std::ops::RangeInclusive;

/// The trimmed text of a file of `/proc` or `/sys`.
pub(super) fn text(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// The source of every clock: `tsc`, `kvm-clock`, `hpet`, ...
pub fn clock_source() -> Option<String> {
    text("/sys/devices/system/clocksource/clocksource0/current_clocksource")
}

/// The policy by which a core's frequency follows its load: `performance`, `powersave`, ...
/// A virtual machine has none.
pub fn frequency_governor(core: u32) -> Option<String> {
    text(&format!("/sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor"))
}

/// The logical cores that share the physical core of `core`, itself included.
pub fn core_siblings(core: u32) -> Vec<u32> {
    text(&format!("/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list"))
        .map_or_else(|| vec![core], |list| core_list(&list))
}

/// How many tasks ran or waited to run, averaged over the last minute.
pub fn load_average() -> Option<f64> {
    text("/proc/loadavg")?.split_whitespace().next()?.parse().ok()
}

/// Bytes of memory of the machine.
pub fn memory_total() -> Option<u64> {
    kilobytes(&text("/proc/meminfo")?, "MemTotal:")
}

/// Bytes of memory that a new process can have without anything being swapped out.
pub fn memory_available() -> Option<u64> {
    kilobytes(&text("/proc/meminfo")?, "MemAvailable:")
}

/// The ports that outgoing connections are given.
pub fn ephemeral_ports() -> Option<RangeInclusive<u16>> {
    port_range(&text("/proc/sys/net/ipv4/ip_local_port_range")?)
}

/// Whether the port of a closed connection on loopback is given out again within its minute of `TIME_WAIT`.
pub fn ports_are_reused() -> Option<bool> {
    // 0 is off, 1 on, 2 on for loopback alone: the default since Linux 4.19.
    text("/proc/sys/net/ipv4/tcp_tw_reuse").map(|setting| setting != "0")
}

/// The most connections that can wait to be accepted at one listener.
pub fn accept_backlog() -> Option<u32> {
    text("/proc/sys/net/core/somaxconn")?.parse().ok()
}

/// Bytes of a line such as `VmRSS:     1660 kB`, of `/proc/meminfo` or `/proc/<pid>/status`.
pub(super) fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

fn port_range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once(char::is_whitespace)?;
    Some(first.parse().ok()?..=last.trim().parse().ok()?)
}

/// The cores of a list such as `0-2,5`.
fn core_list(text: &str) -> Vec<u32> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse::<u32>().ok()?..=last.parse().ok()?)
    };
    text.split(',').filter_map(range).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kilobytes_are_read_as_bytes_and_only_under_their_own_key() {
        let text = "VmPeak:\t    3060 kB\nVmHWM:\t    1772 kB\nVmRSS:\t    1660 kB\nThreads:\t1\n";
        assert_eq!(kilobytes(text, "VmRSS:"), Some(1660 * 1024));
        assert_eq!(kilobytes(text, "VmSwap:"), None);
        assert_eq!(kilobytes(text, "Threads:"), None);
    }

    #[test]
    fn a_list_of_cores_may_hold_ranges() {
        assert_eq!(core_list("0-2,5"), [0, 1, 2, 5]);
        assert_eq!(core_list("7"), [7]);
    }

    #[test]
    fn a_port_range_includes_both_ends() {
        assert_eq!(port_range("32768\t60999"), Some(32_768..=60_999));
        assert_eq!(port_range("nonsense"), None);
    }

    #[test]
    fn this_kernel_tells_its_memory_its_load_and_its_ports() {
        assert!(memory_total() > memory_available());
        assert!(load_average().is_some_and(|load| load >= 0.0));
        assert!(ephemeral_ports().is_some_and(|ports| ports.len() > 1));
        assert!(core_siblings(0).contains(&0));
    }
}
