//! What `update` asks for, and what is in force after it: the part that needs
//! no container.

use std::io::{self, Read};

use tare_oci::runtime::{BlockIo, Cpu, Memory, Pids, Resources};

use super::size::bytes;

/// The longest file that is read.
const MAXIMUM_LENGTH: u64 = 1 << 20;

/// The flags' values as they were given; empty is as good as not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) blkio_weight: Option<String>,
    pub(super) cpu_period: Option<String>,
    pub(super) cpu_quota: Option<String>,
    pub(super) cpu_burst: Option<String>,
    pub(super) cpu_rt_period: Option<String>,
    pub(super) cpu_rt_runtime: Option<String>,
    pub(super) cpu_share: Option<String>,
    pub(super) cpu_idle: Option<String>,
    pub(super) cpuset_cpus: Option<String>,
    pub(super) cpuset_mems: Option<String>,
    pub(super) kernel_memory: Option<String>,
    pub(super) kernel_memory_tcp: Option<String>,
    pub(super) memory: Option<String>,
    pub(super) memory_reservation: Option<String>,
    pub(super) memory_swap: Option<String>,
    pub(super) pids_limit: Option<String>,
    pub(super) l3_cache_schema: Option<String>,
    pub(super) mem_bw_schema: Option<String>,
}

/// What is asked for cannot be made out.
#[derive(Debug, thiserror::Error)]
pub(in crate::command) enum Error {
    /// A flag's value is none.
    #[error("invalid value for {flag}: {reason}")]
    Value {
        /// The flag, without dashes.
        flag: &'static str,
        /// What is wrong with the value.
        reason: String,
    },
    /// A flag asks for what this runtime cannot do.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The file cannot be read.
    #[error("reading the resources: {0}")]
    Read(#[source] io::Error),
    /// The file is too long.
    #[error("reading the resources: longer than {MAXIMUM_LENGTH} bytes")]
    TooLong,
    /// The file is no description of resources.
    #[error("reading the resources: {0}")]
    Json(#[source] serde_json::Error),
}

impl Flags {
    /// The limits that the flags ask for.
    ///
    /// # Errors
    /// The first value that makes no sense, and flags for Intel's resource
    /// director.
    pub(super) fn resources(&self) -> Result<Resources, Error> {
        if given(&self.l3_cache_schema).is_some() {
            return Err(Error::Unsupported(
                "Intel RDT/CAT: l3 cache schema is not enabled",
            ));
        }
        if given(&self.mem_bw_schema).is_some() {
            return Err(Error::Unsupported(
                "Intel RDT/MBA: memory bandwidth schema is not enabled",
            ));
        }
        let memory = Memory {
            limit: size("memory", &self.memory)?,
            swap: size("memory-swap", &self.memory_swap)?,
            reservation: size("memory-reservation", &self.memory_reservation)?,
            ..Memory::default()
        };
        let cpu = Cpu {
            period: number("cpu-period", &self.cpu_period)?,
            quota: number("cpu-quota", &self.cpu_quota)?,
            burst: number("cpu-burst", &self.cpu_burst)?,
            realtime_period: number("cpu-rt-period", &self.cpu_rt_period)?,
            realtime_runtime: number("cpu-rt-runtime", &self.cpu_rt_runtime)?,
            shares: number("cpu-share", &self.cpu_share)?,
            idle: number("cpu-idle", &self.cpu_idle)?,
            cpus: given(&self.cpuset_cpus).map(str::to_owned),
            mems: given(&self.cpuset_mems).map(str::to_owned),
        };
        let weight = number::<u16>("blkio-weight", &self.blkio_weight)?;
        let limit = number::<i64>("pids-limit", &self.pids_limit)?;
        Ok(Resources {
            memory: (memory != Memory::default()).then_some(memory),
            cpu: (cpu != Cpu::default()).then_some(cpu),
            block_io: weight.filter(|weight| *weight != 0).map(|weight| BlockIo {
                weight: Some(weight),
                ..BlockIo::default()
            }),
            pids: limit
                .filter(|limit| *limit != 0)
                .map(|limit| Pids { limit }),
            ..Resources::default()
        })
    }

    /// Flags that have no effect, as with runc, for a warning.
    pub(super) fn ignored(&self) -> Vec<&'static str> {
        [
            ("kernel-memory", &self.kernel_memory),
            ("kernel-memory-tcp", &self.kernel_memory_tcp),
        ]
        .into_iter()
        .filter(|(_, value)| given(value).is_some())
        .map(|(flag, _)| flag)
        .collect()
    }
}

fn given(value: &Option<String>) -> Option<&str> {
    value.as_deref().filter(|value| !value.is_empty())
}

fn number<T: std::str::FromStr<Err: std::fmt::Display>>(
    flag: &'static str,
    value: &Option<String>,
) -> Result<Option<T>, Error> {
    given(value)
        .map(|text| {
            text.parse().map_err(|error| Error::Value {
                flag,
                reason: format!("{text:?}: {error}"),
            })
        })
        .transpose()
}

fn size(flag: &'static str, value: &Option<String>) -> Result<Option<i64>, Error> {
    match given(value) {
        None => Ok(None),
        Some("-1") => Ok(Some(-1)),
        Some(text) => bytes(text)
            .map(Some)
            .map_err(|reason| Error::Value { flag, reason }),
    }
}

/// Reads a description of resources (the `linux.resources` of a
/// configuration).
///
/// # Errors
/// When it cannot be read, is too long or no such description.
pub(super) fn read(source: impl Read) -> Result<Resources, Error> {
    let mut text = Vec::new();
    source
        .take(MAXIMUM_LENGTH + 1)
        .read_to_end(&mut text)
        .map_err(Error::Read)?;
    if text.len() as u64 > MAXIMUM_LENGTH {
        return Err(Error::TooLong);
    }
    serde_json::from_slice(&text).map_err(Error::Json)
}

/// The limits in force after a change: what the change does not mention stays.
pub(super) fn merge(present: &Resources, change: &Resources) -> Resources {
    let mut merged = present.clone();
    if let Some(change) = &change.memory {
        let memory = merged.memory.get_or_insert_default();
        merge_memory(memory, change);
    }
    if let Some(change) = &change.cpu {
        let cpu = merged.cpu.get_or_insert_default();
        or(&mut cpu.shares, change.shares);
        or(&mut cpu.quota, change.quota);
        or(&mut cpu.burst, change.burst);
        or(&mut cpu.period, change.period);
        or(&mut cpu.realtime_runtime, change.realtime_runtime);
        or(&mut cpu.realtime_period, change.realtime_period);
        or(&mut cpu.idle, change.idle);
        or(&mut cpu.cpus, given(&change.cpus).map(str::to_owned));
        or(&mut cpu.mems, given(&change.mems).map(str::to_owned));
    }
    // 0 is no word about it.
    if let Some(pids) = change.pids.as_ref().filter(|pids| pids.limit != 0) {
        merged.pids = Some(pids.clone());
    }
    if let Some(change) = &change.block_io {
        merge_block_io(merged.block_io.get_or_insert_default(), change);
    }
    for limit in &change.hugepage_limits {
        merged
            .hugepage_limits
            .retain(|other| other.page_size != limit.page_size);
        merged.hugepage_limits.push(limit.clone());
    }
    if let Some(network) = &change.network {
        let present = merged.network.get_or_insert_default();
        or(&mut present.class_id, network.class_id);
        for priority in &network.priorities {
            present.priorities.retain(|one| one.name != priority.name);
            present.priorities.push(priority.clone());
        }
    }
    merged.rdma.extend(change.rdma.clone());
    merged.unified.extend(change.unified.clone());
    // Rules depend on their order: others take the place of all.
    if !change.devices.is_empty() {
        merged.devices.clone_from(&change.devices);
    }
    merged
}

fn or<T>(present: &mut Option<T>, change: Option<T>) {
    if change.is_some() {
        *present = change;
    }
}

fn merge_memory(memory: &mut Memory, change: &Memory) {
    or(&mut memory.limit, change.limit);
    or(&mut memory.swap, change.swap);
    // Without a word about swap, no limit is one of neither.
    if change.limit == Some(-1) && change.swap.is_none() {
        memory.swap = Some(-1);
    }
    or(&mut memory.reservation, change.reservation);
    or(&mut memory.kernel, change.kernel);
    or(&mut memory.kernel_tcp, change.kernel_tcp);
    or(&mut memory.swappiness, change.swappiness);
    or(&mut memory.disable_oom_killer, change.disable_oom_killer);
    or(&mut memory.use_hierarchy, change.use_hierarchy);
    or(&mut memory.check_before_update, change.check_before_update);
}

fn merge_block_io(block_io: &mut BlockIo, change: &BlockIo) {
    or(&mut block_io.weight, change.weight);
    or(&mut block_io.leaf_weight, change.leaf_weight);
    for device in &change.weight_device {
        let other = |one: &tare_oci::runtime::WeightDevice| {
            (one.major, one.minor) != (device.major, device.minor)
        };
        block_io.weight_device.retain(other);
        block_io.weight_device.push(device.clone());
    }
    for (present, change) in [
        (
            &mut block_io.throttle_read_bps_device,
            &change.throttle_read_bps_device,
        ),
        (
            &mut block_io.throttle_write_bps_device,
            &change.throttle_write_bps_device,
        ),
        (
            &mut block_io.throttle_read_iops_device,
            &change.throttle_read_iops_device,
        ),
        (
            &mut block_io.throttle_write_iops_device,
            &change.throttle_write_iops_device,
        ),
    ] {
        for device in change {
            present.retain(|one| (one.major, one.minor) != (device.major, device.minor));
            present.push(device.clone());
        }
    }
}
