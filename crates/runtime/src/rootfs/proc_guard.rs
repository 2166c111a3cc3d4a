//! What may be mounted on the container's /proc.
//!
//! Whoever writes to /proc trusts it to be the kernel's: a runtime that enters
//! the container, and programs in it that set their own labels. So nothing
//! else is put there (CVE-2019-19921), as runc has it, whose texts these are.

use std::os::fd::BorrowedFd;

/// Files that lxcfs and the like replace by those that know of the limits.
const REPLACEABLE: [&str; 11] = [
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/net/dev",
    "/proc/slabinfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/sys/crypto/fips_enabled",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/uptime",
];

/// Refuses a mount at a place, given by its path inside the root with all
/// links resolved; `source` is what a bind mount shows.
pub(super) fn check(path: &str, source: Option<BorrowedFd<'_>>) -> Result<(), String> {
    if path == "/proc" {
        if source.is_some_and(is_proc) {
            return Ok(());
        }
        return Err(format!(
            "\"{path}\" cannot be mounted because it is not of type proc"
        ));
    }
    if !path.starts_with("/proc/") || REPLACEABLE.contains(&path) {
        return Ok(());
    }
    Err(format!(
        "\"{path}\" cannot be mounted because it is inside /proc"
    ))
}

fn is_proc(source: BorrowedFd<'_>) -> bool {
    const PROC_SUPER_MAGIC: i64 = 0x9fa0;
    rustix::fs::fstatfs(source).is_ok_and(|status| status.f_type == PROC_SUPER_MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_replaceable_files_are_covered() {
        for (path, allowed) in [
            ("/procfs", true),
            ("/proc/cpuinfo", true),
            ("/proc/sys/kernel/ns_last_pid", true),
            ("/proc", false),
            ("/proc/sys", false),
            ("/proc/self/attr/exec", false),
            ("/proc/cpuinfo/x", false),
        ] {
            assert_eq!(check(path, None).is_ok(), allowed, "{path}");
        }
    }
}
