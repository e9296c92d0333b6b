//! Whether this process may use the cores that it sees: a container often may use less of them than it has.

use crate::testbed::machine::kernel::text;

/// True if a control group limits the CPU time of this process (`cpu.max`, or `cpu.cfs_quota_us` of version 1). Whoever spins then
/// takes from its own.
pub fn has_cpu_quota() -> bool {
    let groups = text("/proc/self/cgroup").unwrap_or_default();
    let limits = groups.lines().flat_map(files).chain(ROOTS.map(str::to_owned));
    limits.filter_map(|file| text(&file)).any(|limit| is_limited(&limit))
}

/// Those of a container that is the root of what it sees.
const ROOTS: [&str; 2] = ["/sys/fs/cgroup/cpu.max", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us"];

/// Where the limits of a group and of those around it lie: a line is `number:controllers:path`.
fn files(group: &str) -> Vec<String> {
    let mut parts = group.splitn(3, ':').skip(1);
    let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { return Vec::new() };
    let (root, name) = match controllers {
        "" => ("/sys/fs/cgroup", "cpu.max"),
        _ if controllers.split(',').any(|controller| controller == "cpu") => {
            ("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us")
        }
        _ => return Vec::new(),
    };
    let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
    ends.map(|end| format!("{root}{}/{name}", path[..end].trim_end_matches('/'))).collect()
}

/// `max 100000` and `-1` limit nothing.
fn is_limited(limit: &str) -> bool {
    limit.split_whitespace().next().and_then(|quota| quota.parse::<i64>().ok()).is_some_and(|quota| quota > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_limit_and_its_absence_none() {
        for (limit, expected) in
            [("max 100000\n", false), ("-1\n", false), ("150000 100000\n", true), ("50000", true)]
        {
            assert_eq!(is_limited(limit), expected, "{limit}");
        }
    }

    #[test]
    fn limits_are_looked_for_in_the_group_and_around_it() {
        assert_eq!(files("0::/a/b"), ["/sys/fs/cgroup/a/cpu.max", "/sys/fs/cgroup/a/b/cpu.max"]);
        assert_eq!(files("4:cpu,cpuacct:/x"), ["/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us"]);
        assert!(files("9:memory:/x").is_empty());
    }
}
