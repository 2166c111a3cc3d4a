//! Usage in the files of the v1 hierarchies.

use std::collections::BTreeMap;
use std::path::Path;

use super::parse::{number, page_sizes, table, text};
use super::{BlockIo, BlockIoEntry, CpuSet, CpuUsage, HugePages, Memory, MemoryUsage, Throttling};
use crate::cgroup::{Error, controls, sets};

pub(super) fn throttling(directory: &Path, throttling: &mut Throttling) -> Result<(), Error> {
    let text = text(directory, "cpu.stat")?;
    let value = |key| controls::keyed(&text, key).unwrap_or(0);
    throttling.periods = value("nr_periods");
    throttling.throttled_periods = value("nr_throttled");
    throttling.throttled_time = value("throttled_time");
    Ok(())
}

/// Nanoseconds in one of the kernel's ticks, 100 a second for programs.
const TICK: u64 = 10_000_000;

pub(super) fn cpu(directory: &Path, usage: &mut CpuUsage) -> Result<(), Error> {
    usage.total = number(directory, "cpuacct.usage")?;
    // In ticks, as runc has it: so both add up.
    let split = text(directory, "cpuacct.stat")?;
    usage.user = controls::keyed(&split, "user").unwrap_or(0) * TICK;
    usage.kernel = controls::keyed(&split, "system").unwrap_or(0) * TICK;
    usage.percpu = text(directory, "cpuacct.usage_percpu")?
        .split_whitespace()
        .filter_map(|value| value.parse().ok())
        .collect();
    // Lines of "cpu user system", below a heading.
    for line in text(directory, "cpuacct.usage_all")?.lines().skip(1) {
        let mut words = line.split(' ').skip(1).map(str::parse);
        if let (Some(Ok(user)), Some(Ok(kernel))) = (words.next(), words.next()) {
            usage.percpu_user.push(user);
            usage.percpu_kernel.push(kernel);
        }
    }
    Ok(())
}

pub(super) fn cpuset(directory: &Path, set: &mut CpuSet) -> Result<(), Error> {
    let list = |file| -> Result<Vec<u32>, Error> { Ok(sets::numbers(&text(directory, file)?)) };
    set.cpus = list("cpuset.cpus")?;
    set.mems = list("cpuset.mems")?;
    for (value, name) in [
        (&mut set.cpu_exclusive, "cpu_exclusive"),
        (&mut set.mem_hardwall, "mem_hardwall"),
        (&mut set.mem_exclusive, "mem_exclusive"),
        (&mut set.memory_migrate, "memory_migrate"),
        (&mut set.memory_spread_page, "memory_spread_page"),
        (&mut set.memory_spread_slab, "memory_spread_slab"),
        (&mut set.memory_pressure, "memory_pressure"),
        (&mut set.sched_load_balance, "sched_load_balance"),
    ] {
        *value = number(directory, &format!("cpuset.{name}"))?;
    }
    let level = text(directory, "cpuset.sched_relax_domain_level")?;
    set.sched_relax_domain_level = level.trim().parse().unwrap_or(0);
    Ok(())
}

pub(super) fn memory(directory: &Path, memory: &mut Memory) -> Result<(), Error> {
    let one = |module: &str| -> Result<MemoryUsage, Error> {
        Ok(MemoryUsage {
            limit: number(directory, &format!("{module}.limit_in_bytes"))?,
            usage: number(directory, &format!("{module}.usage_in_bytes"))?,
            max: number(directory, &format!("{module}.max_usage_in_bytes"))?,
            failcnt: number(directory, &format!("{module}.failcnt"))?,
        })
    };
    memory.usage = one("memory")?;
    memory.swap = one("memory.memsw")?;
    memory.kernel = one("memory.kmem")?;
    memory.kernel_tcp = one("memory.kmem.tcp")?;
    memory.raw = table(&text(directory, "memory.stat")?);
    memory.cache = memory.raw.get("cache").copied().unwrap_or(0);
    Ok(())
}

/// Lines of `8:0 Read 4096`, or `8:0 4096`; the last one, `Total 4096`, is left
/// out.
pub(super) fn entries(text: &str) -> Vec<BlockIoEntry> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let (major, minor) = words.next()?.split_once(':')?;
            let (op, value) = match (words.next()?, words.next()) {
                (op, Some(value)) => (op, value),
                (value, None) => ("", value),
            };
            Some(BlockIoEntry {
                major: major.parse().ok()?,
                minor: minor.parse().ok()?,
                op: op.to_owned(),
                value: value.parse().ok()?,
            })
        })
        .collect()
}

pub(super) fn block_io(directory: &Path, block_io: &mut BlockIo) -> Result<(), Error> {
    // The first kind of files that has seen something: bfq's, cfq's, and those
    // of the throttle.
    for prefix in ["blkio.bfq.", "blkio."] {
        let read = |name: &str| -> Result<Vec<BlockIoEntry>, Error> {
            Ok(entries(&text(
                directory,
                &format!("{prefix}{name}_recursive"),
            )?))
        };
        let served = read("io_serviced")?;
        if served.is_empty() {
            continue;
        }
        block_io.io_serviced_recursive = served;
        block_io.io_service_bytes_recursive = read("io_service_bytes")?;
        block_io.sectors_recursive = read("sectors")?;
        block_io.io_service_time_recursive = read("io_service_time")?;
        block_io.io_wait_time_recursive = read("io_wait_time")?;
        block_io.io_merged_recursive = read("io_merged")?;
        block_io.io_queued_recursive = read("io_queued")?;
        block_io.io_time_recursive = read("time")?;
        return Ok(());
    }
    for suffix in ["_recursive", ""] {
        let read = |name: &str| -> Result<Vec<BlockIoEntry>, Error> {
            let file = format!("blkio.throttle.{name}{suffix}");
            Ok(entries(&text(directory, &file)?))
        };
        block_io.io_serviced_recursive = read("io_serviced")?;
        block_io.io_service_bytes_recursive = read("io_service_bytes")?;
        if !block_io.io_serviced_recursive.is_empty() {
            break;
        }
    }
    Ok(())
}

pub(super) fn huge_pages(
    directory: &Path,
    found: &mut BTreeMap<String, HugePages>,
) -> Result<(), Error> {
    for size in page_sizes(directory, ".limit_in_bytes") {
        let value = |name: &str| number(directory, &format!("hugetlb.{size}.{name}"));
        let pages = HugePages {
            usage: value("usage_in_bytes")?,
            max: value("max_usage_in_bytes")?,
            failcnt: value("failcnt")?,
        };
        found.insert(size, pages);
    }
    Ok(())
}
