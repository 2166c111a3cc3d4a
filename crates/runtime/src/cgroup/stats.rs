//! Usage of a container's control groups.

use std::path::Path;

use super::{Cgroup, Error, controls};

/// Usage at one moment. What the host does not measure is 0 or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Memory.
    pub memory: MemoryStatistics,
    /// CPU time.
    pub cpu: CpuStatistics,
    /// Processes.
    pub pids: PidStatistics,
    /// Block devices.
    pub block_io: BlockIoStatistics,
    /// Whether the numbers come from the v2 hierarchy (their details differ).
    pub unified: bool,
}

/// Memory, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryStatistics {
    /// In use, caches included.
    pub usage: u64,
    /// Most ever in use (0 where the kernel does not tell).
    pub maximum_usage: u64,
    /// Limit; [`u64::MAX`] for none.
    pub limit: u64,
    /// How often the limit was hit.
    pub failures: u64,
    /// The kernel's details (memory.stat), in its words.
    pub details: Vec<(String, u64)>,
}

/// CPU time, in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CpuStatistics {
    /// All.
    pub total: u64,
    /// In the programs.
    pub user: u64,
    /// In the kernel.
    pub system: u64,
    /// By CPU; v1 only.
    pub per_cpu: Vec<u64>,
    /// Periods with a quota in force.
    pub periods: u64,
    /// Periods in which the quota ran out.
    pub throttled_periods: u64,
    /// Time waited for the next period.
    pub throttled_time: u64,
}

/// Processes and threads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PidStatistics {
    /// How many there are.
    pub current: u64,
    /// Limit; 0 for none, as Docker has it.
    pub limit: u64,
}

/// Block devices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockIoStatistics {
    /// Bytes by device and operation.
    pub bytes: Vec<IoEntry>,
    /// Operations by device and operation.
    pub operations: Vec<IoEntry>,
}

/// One counter of one device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IoEntry {
    /// Major number.
    pub major: u64,
    /// Minor number.
    pub minor: u64,
    /// `read`, `write`, ... in lower case.
    pub operation: String,
    /// Count.
    pub value: u64,
}

impl Cgroup {
    /// Reads the usage.
    ///
    /// # Errors
    /// When a file exists but cannot be read.
    pub fn stats(&self) -> Result<Statistics, Error> {
        if self.is_unified() {
            return unified(&self.main_directory()?);
        }
        let mut statistics = Statistics::default();
        if let Some(directory) = self.controller_directory("memory") {
            statistics.memory = memory_v1(&directory)?;
        }
        if let Some(directory) = self.controller_directory("cpuacct") {
            cpu_accounting(&directory, &mut statistics.cpu)?;
        }
        if let Some(directory) = self.controller_directory("cpu") {
            let text = text(&directory, "cpu.stat")?;
            let value = |key| controls::keyed(&text, key).unwrap_or(0);
            statistics.cpu.periods = value("nr_periods");
            statistics.cpu.throttled_periods = value("nr_throttled");
            statistics.cpu.throttled_time = value("throttled_time");
        }
        if let Some(directory) = self.controller_directory("pids") {
            statistics.pids = pids(&directory)?;
        }
        if let Some(directory) = self.controller_directory("blkio") {
            statistics.block_io = block_io_v1(&directory)?;
        }
        Ok(statistics)
    }
}

fn text(directory: &Path, file: &str) -> Result<String, Error> {
    Ok(controls::read(&directory.join(file))?.unwrap_or_default())
}

fn number(directory: &Path, file: &str) -> Result<u64, Error> {
    Ok(controls::number(&text(directory, file)?).unwrap_or(0))
}

fn details(text: &str) -> Vec<(String, u64)> {
    text.lines()
        .filter_map(|line| {
            let (key, value) = line.split_once(' ')?;
            Some((key.to_owned(), value.parse().ok()?))
        })
        .collect()
}

fn pids(directory: &Path) -> Result<PidStatistics, Error> {
    let limit = number(directory, "pids.max")?;
    Ok(PidStatistics {
        current: number(directory, "pids.current")?,
        limit: if limit == u64::MAX { 0 } else { limit },
    })
}

fn memory_v1(directory: &Path) -> Result<MemoryStatistics, Error> {
    // Without a limit v1 shows the largest multiple of the page size.
    const NO_LIMIT: u64 = 0x7fff_ffff_ffff_0000;
    let limit = number(directory, "memory.limit_in_bytes")?;
    Ok(MemoryStatistics {
        usage: number(directory, "memory.usage_in_bytes")?,
        maximum_usage: number(directory, "memory.max_usage_in_bytes")?,
        limit: if limit >= NO_LIMIT { u64::MAX } else { limit },
        failures: number(directory, "memory.failcnt")?,
        details: details(&text(directory, "memory.stat")?),
    })
}

fn cpu_accounting(directory: &Path, cpu: &mut CpuStatistics) -> Result<(), Error> {
    cpu.total = number(directory, "cpuacct.usage")?;
    cpu.user = number(directory, "cpuacct.usage_user")?;
    cpu.system = number(directory, "cpuacct.usage_sys")?;
    cpu.per_cpu = text(directory, "cpuacct.usage_percpu")?
        .split_whitespace()
        .filter_map(|value| value.parse().ok())
        .collect();
    Ok(())
}

fn block_io_v1(directory: &Path) -> Result<BlockIoStatistics, Error> {
    let read =
        |file: &str| -> Result<Vec<IoEntry>, Error> { Ok(entries_v1(&text(directory, file)?)) };
    Ok(BlockIoStatistics {
        bytes: read("blkio.throttle.io_service_bytes_recursive")?,
        operations: read("blkio.throttle.io_serviced_recursive")?,
    })
}

/// Lines of `8:0 Read 4096`; the last one, `Total 4096`, is left out.
pub(super) fn entries_v1(text: &str) -> Vec<IoEntry> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let (major, minor) = words.next()?.split_once(':')?;
            Some(IoEntry {
                major: major.parse().ok()?,
                minor: minor.parse().ok()?,
                operation: words.next()?.to_lowercase(),
                value: words.next()?.parse().ok()?,
            })
        })
        .collect()
}

fn unified(directory: &Path) -> Result<Statistics, Error> {
    let cpu = text(directory, "cpu.stat")?;
    let microseconds = |key| controls::keyed(&cpu, key).unwrap_or(0) * 1000;
    let events = text(directory, "memory.events")?;
    Ok(Statistics {
        memory: MemoryStatistics {
            usage: number(directory, "memory.current")?,
            maximum_usage: number(directory, "memory.peak")?,
            limit: controls::number(&text(directory, "memory.max")?).unwrap_or(u64::MAX),
            failures: controls::keyed(&events, "max").unwrap_or(0),
            details: details(&text(directory, "memory.stat")?),
        },
        cpu: CpuStatistics {
            total: microseconds("usage_usec"),
            user: microseconds("user_usec"),
            system: microseconds("system_usec"),
            per_cpu: Vec::new(),
            periods: controls::keyed(&cpu, "nr_periods").unwrap_or(0),
            throttled_periods: controls::keyed(&cpu, "nr_throttled").unwrap_or(0),
            throttled_time: microseconds("throttled_usec"),
        },
        pids: pids(directory)?,
        block_io: entries_v2(&text(directory, "io.stat")?),
        unified: true,
    })
}

/// Lines of `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`.
pub(super) fn entries_v2(text: &str) -> BlockIoStatistics {
    let mut statistics = BlockIoStatistics::default();
    for line in text.lines() {
        let mut words = line.split(' ');
        let Some((major, minor)) = words.next().and_then(|device| device.split_once(':')) else {
            continue;
        };
        let (Ok(major), Ok(minor)) = (major.parse(), minor.parse()) else {
            continue;
        };
        for word in words {
            let Some((key, Ok(value))) = word
                .split_once('=')
                .map(|(key, value)| (key, value.parse::<u64>()))
            else {
                continue;
            };
            let (list, operation) = match key {
                "rbytes" => (&mut statistics.bytes, "read"),
                "wbytes" => (&mut statistics.bytes, "write"),
                "rios" => (&mut statistics.operations, "read"),
                "wios" => (&mut statistics.operations, "write"),
                _ => continue,
            };
            list.push(IoEntry {
                major,
                minor,
                operation: operation.to_owned(),
                value,
            });
        }
    }
    statistics
}
