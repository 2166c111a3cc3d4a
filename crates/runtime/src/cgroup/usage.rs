//! Usage of a container's control groups in the words of `runc events`: the
//! names, and what is left out when it is 0, are those of runc's `types`.

mod legacy;
mod parse;
mod unified;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use super::resources::Home;
use super::{Cgroup, Error};

/// Usage at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Usage {
    /// CPU time.
    pub cpu: Cpu,
    /// CPUs and memory nodes (v1).
    pub cpuset: CpuSet,
    /// Memory.
    pub memory: Memory,
    /// Processes.
    pub pids: Pids,
    /// Block devices.
    pub blkio: BlockIo,
    /// Huge pages, by size.
    pub hugetlb: BTreeMap<String, HugePages>,
    /// Intel's resource director; never any.
    pub intel_rdt: BTreeMap<String, String>,
    /// Network interfaces made by the runtime; never any.
    pub network_interfaces: Option<Vec<String>>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// CPU time.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Cpu {
    /// Time used.
    pub usage: CpuUsage,
    /// Time waited for because of a quota.
    pub throttling: Throttling,
    /// Pressure (v2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psi: Option<Pressure>,
}

/// CPU time, in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CpuUsage {
    /// All.
    #[serde(skip_serializing_if = "is_zero")]
    pub total: u64,
    /// By CPU (v1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub percpu: Vec<u64>,
    /// In the kernel, by CPU (v1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub percpu_kernel: Vec<u64>,
    /// In the programs, by CPU (v1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub percpu_user: Vec<u64>,
    /// In the kernel.
    pub kernel: u64,
    /// In the programs.
    pub user: u64,
}

/// Periods of a quota.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Throttling {
    /// Periods with a quota in force.
    #[serde(skip_serializing_if = "is_zero")]
    pub periods: u64,
    /// Periods in which it ran out.
    #[serde(skip_serializing_if = "is_zero")]
    pub throttled_periods: u64,
    /// Nanoseconds waited.
    #[serde(skip_serializing_if = "is_zero")]
    pub throttled_time: u64,
}

/// CPUs and memory nodes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names of cpuset(7)'s files")]
pub struct CpuSet {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cpus: Vec<u32>,
    pub cpu_exclusive: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mems: Vec<u32>,
    pub mem_hardwall: u64,
    pub mem_exclusive: u64,
    pub memory_migrate: u64,
    pub memory_spread_page: u64,
    pub memory_spread_slab: u64,
    pub memory_pressure: u64,
    pub sched_load_balance: u64,
    pub sched_relax_domain_level: i64,
}

/// Memory, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Memory {
    /// Of files.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache: u64,
    /// All.
    pub usage: MemoryUsage,
    /// Memory and swap together, on v2 as well.
    pub swap: MemoryUsage,
    /// In the kernel (v1).
    pub kernel: MemoryUsage,
    /// In TCP's buffers (v1).
    #[serde(rename = "kernelTCP")]
    pub kernel_tcp: MemoryUsage,
    /// The kernel's details (memory.stat), in its words.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub raw: BTreeMap<String, u64>,
    /// Pressure (v2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psi: Option<Pressure>,
}

/// Usage of one kind of memory, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MemoryUsage {
    /// Limit; [`u64::MAX`] on v2 for none.
    pub limit: u64,
    /// In use.
    #[serde(skip_serializing_if = "is_zero")]
    pub usage: u64,
    /// Most ever in use.
    #[serde(skip_serializing_if = "is_zero")]
    pub max: u64,
    /// How often the limit was hit.
    pub failcnt: u64,
}

/// Processes and threads.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Pids {
    /// How many there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub current: u64,
    /// Limit; 0 for none.
    #[serde(skip_serializing_if = "is_zero")]
    pub limit: u64,
}

/// Block devices. Those beyond the first two are kept by some schedulers only.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockIo {
    /// Bytes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub io_service_bytes_recursive: Vec<BlockIoEntry>,
    /// Operations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub io_serviced_recursive: Vec<BlockIoEntry>,
    /// Operations waiting.
    #[serde(rename = "ioQueueRecursive", skip_serializing_if = "Vec::is_empty")]
    pub io_queued_recursive: Vec<BlockIoEntry>,
    /// Nanoseconds of service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub io_service_time_recursive: Vec<BlockIoEntry>,
    /// Nanoseconds waited.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub io_wait_time_recursive: Vec<BlockIoEntry>,
    /// Operations merged with others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub io_merged_recursive: Vec<BlockIoEntry>,
    /// Milliseconds of the device.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub io_time_recursive: Vec<BlockIoEntry>,
    /// Sectors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sectors_recursive: Vec<BlockIoEntry>,
    /// Pressure (v2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psi: Option<Pressure>,
}

/// One counter of one device.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct BlockIoEntry {
    /// Major number.
    #[serde(skip_serializing_if = "is_zero")]
    pub major: u64,
    /// Minor number.
    #[serde(skip_serializing_if = "is_zero")]
    pub minor: u64,
    /// `Read`, `Write`, ... as the kernel has it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub op: String,
    /// Count.
    #[serde(skip_serializing_if = "is_zero")]
    pub value: u64,
}

/// Huge pages of one size, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct HugePages {
    /// In use.
    #[serde(skip_serializing_if = "is_zero")]
    pub usage: u64,
    /// Most ever in use.
    #[serde(skip_serializing_if = "is_zero")]
    pub max: u64,
    /// How often the limit was hit.
    pub failcnt: u64,
}

/// How long processes waited for a resource (Documentation/accounting/psi.rst).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Pressure {
    /// While some waited.
    pub some: PressureTimes,
    /// While all waited.
    pub full: PressureTimes,
}

/// Shares of the last 10, 60 and 300 seconds in percent, and microseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the kernel's names")]
pub struct PressureTimes {
    pub avg10: f64,
    pub avg60: f64,
    pub avg300: f64,
    pub total: u64,
}

impl Cgroup {
    /// Reads the usage. What the host does not measure is 0 or empty.
    ///
    /// # Errors
    /// When a file exists but cannot be read.
    pub fn usage(&self) -> Result<Usage, Error> {
        let mut usage = Usage::default();
        if self.absent {
            return Ok(usage);
        }
        if self.is_unified() {
            let directory = self.main_directory()?;
            unified::cpu(&directory, &mut usage.cpu)?;
            unified::memory(&directory, &mut usage.memory)?;
            unified::block_io(&directory, &mut usage.blkio)?;
            unified::huge_pages(&directory, &mut usage.hugetlb)?;
            usage.pids = parse::pids(&directory)?;
            return Ok(usage);
        }
        let group = |controller| self.controller_directory(controller);
        if let Some(directory) = group("cpu") {
            legacy::throttling(&directory, &mut usage.cpu.throttling)?;
        }
        if let Some(directory) = group("cpuacct") {
            legacy::cpu(&directory, &mut usage.cpu.usage)?;
        }
        if let Some(directory) = group("cpuset") {
            legacy::cpuset(&directory, &mut usage.cpuset)?;
        }
        if let Some(directory) = group("memory") {
            legacy::memory(&directory, &mut usage.memory)?;
        }
        if let Some(directory) = group("pids") {
            usage.pids = parse::pids(&directory)?;
        }
        if let Some(directory) = group("blkio") {
            legacy::block_io(&directory, &mut usage.blkio)?;
        }
        match self.home("hugepageLimits", "hugetlb") {
            Ok(Home::Legacy(directory)) => {
                legacy::huge_pages(&directory, &mut usage.hugetlb)?;
            }
            Ok(Home::Unified(directory)) => {
                unified::huge_pages(&directory, &mut usage.hugetlb)?;
            }
            // Not on this host.
            Err(_) => {}
        }
        Ok(usage)
    }
}
