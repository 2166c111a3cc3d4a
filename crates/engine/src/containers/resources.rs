//! Limits on what a container may use: control groups, process limits, score.

use tare_engine_api::HostConfig;
use tare_oci::runtime::{Cpu, DeviceRule, Memory, Pids, ResourceLimit, Resources};

use crate::descriptors;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// The least memory a container can be limited to.
const LEAST_MEMORY: i64 = 6 << 20;
/// The period of `--cpus`, in microseconds.
const CPU_PERIOD: i64 = 100_000;
/// The least of `--cpus`.
const LEAST_NANO_CPUS: i64 = 10_000_000;

/// Limits of the container's processes (`--ulimit`). Whether the kernel lets
/// the engine raise them is seen at the start.
pub(crate) fn limits(host: &HostConfig) -> Result<Vec<ResourceLimit>> {
    host.ulimits
        .iter()
        .flatten()
        .map(|limit| {
            let kind = format!("RLIMIT_{}", limit.name.to_ascii_uppercase());
            // -1 is no limit, which the kernel writes as the largest number.
            let number = |value: i64| u64::try_from(value).unwrap_or(u64::MAX);
            if number(limit.soft) > number(limit.hard) {
                return Err(Error::invalid(format!(
                    "ulimit soft limit must be less than or equal to hard limit: {} > {}",
                    limit.soft, limit.hard
                )));
            }
            Ok(ResourceLimit {
                kind,
                hard: number(limit.hard),
                soft: number(limit.soft),
            })
        })
        .collect()
}

impl Engine {
    /// The same, with the limit of open descriptors where nobody says.
    pub(crate) fn process_limits(&self, host: &HostConfig) -> Result<Vec<ResourceLimit>> {
        let mut limits = limits(host)?;
        if !limits.iter().any(|limit| limit.kind == descriptors::KIND) {
            limits.push(self.inner.descriptor_limit.clone());
        }
        Ok(limits)
    }
}

/// How readily the kernel kills the container for want of memory.
pub(crate) fn oom_score(host: &HostConfig) -> Result<Option<i32>> {
    match i32::try_from(host.oom_score_adj) {
        Ok(0) => Ok(None),
        Ok(score) if (-1000..=1000).contains(&score) => Ok(Some(score)),
        _ => Err(Error::invalid(format!(
            "Invalid value {}, range for oom score adj is [-1000, 1000]",
            host.oom_score_adj
        ))),
    }
}

/// The swap limit of a container that names none: as much again as the memory.
pub(crate) fn complete(host: &mut HostConfig) {
    if host.memory > 0 && host.memory_swap == 0 {
        host.memory_swap = host.memory.saturating_mul(2);
    }
}

/// Limits of the control groups.
pub(crate) fn control_group(host: &HostConfig, devices: Vec<DeviceRule>) -> Result<Resources> {
    let set = |value: i64| (value != 0).then_some(value);
    let positive = |value: i64| u64::try_from(value).ok().filter(|value| *value > 0);
    check(host)?;
    let (quota, period) = if host.nano_cpus > 0 {
        (
            Some(host.nano_cpus / (1_000_000_000 / CPU_PERIOD)),
            positive(CPU_PERIOD),
        )
    } else {
        (set(host.cpu_quota), positive(host.cpu_period))
    };
    let text = |value: &String| (!value.is_empty()).then(|| value.clone());
    Ok(Resources {
        devices,
        memory: Some(Memory {
            limit: set(host.memory),
            reservation: set(host.memory_reservation),
            swap: set(host.memory_swap),
            swappiness: host
                .memory_swappiness
                .and_then(|value| u64::try_from(value).ok()),
            ..Memory::default()
        }),
        cpu: Some(Cpu {
            shares: positive(host.cpu_shares),
            quota,
            period,
            cpus: text(&host.cpuset_cpus),
            mems: text(&host.cpuset_mems),
            ..Cpu::default()
        }),
        pids: host
            .pids_limit
            .filter(|limit| *limit != 0)
            .map(|limit| Pids { limit }),
        ..Resources::default()
    })
}

/// What the kernel or Docker refuses, in Docker's words.
fn check(host: &HostConfig) -> Result<()> {
    let outside = |value: i64, range: std::ops::RangeInclusive<i64>| !range.contains(&value);
    let refusal = if host.memory != 0 && host.memory < LEAST_MEMORY {
        "Minimum memory limit allowed is 6MB".to_owned()
    } else if host.memory_swap > 0 && host.memory == 0 {
        "You should always set the Memory limit when using Memoryswap limit, see usage".to_owned()
    } else if host.memory_swap > 0 && host.memory_swap < host.memory {
        "Minimum memoryswap limit should be larger than memory limit, see usage".to_owned()
    } else if host.memory_reservation != 0 && host.memory_reservation < LEAST_MEMORY {
        "Minimum memory reservation allowed is 6MB".to_owned()
    } else if host.memory > 0 && host.memory_reservation > host.memory {
        "Minimum memory limit can not be less than memory reservation limit, see usage".to_owned()
    } else if let Some(swappiness) = host
        .memory_swappiness
        .filter(|value| outside(*value, -1..=100))
    {
        format!("Invalid value: {swappiness}, valid memory swappiness range is 0-100")
    } else if host.nano_cpus > 0 && (host.cpu_period > 0 || host.cpu_quota > 0) {
        "Conflicting options: Nano CPUs and CPU Period/Quota cannot both be set".to_owned()
    } else if host.cpu_period != 0 && outside(host.cpu_period, 1_000..=1_000_000) {
        "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"
            .to_owned()
    } else if host.cpu_quota > 0 && host.cpu_quota < 1_000 {
        "CPU cfs quota can not be less than 1ms (i.e. 1000)".to_owned()
    } else if host.shm_size < 0 {
        "SHM size can not be less than 0".to_owned()
    } else {
        return check_cpus(host.nano_cpus);
    };
    Err(Error::invalid(refusal))
}

/// At least a hundredth of a CPU, which is the kernel's least quota.
fn check_cpus(nano_cpus: i64) -> Result<()> {
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    let most = i64::try_from(available)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000_000_000);
    if nano_cpus == 0 || (LEAST_NANO_CPUS..=most).contains(&nano_cpus) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "range of CPUs is from 0.01 to {available}.00, as there are only {available} CPUs available"
    )))
}

#[cfg(test)]
mod tests;
