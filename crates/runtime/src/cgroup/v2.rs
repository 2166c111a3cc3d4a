//! Limits in the files of the v2 hierarchy, and those that are alike on v1.

use std::collections::BTreeMap;
use std::path::Path;

use tare_oci::runtime::{BlockIo, Cpu, HugepageLimit, Memory, Pids, Rdma, ThrottleDevice};

use super::controls::{is_invalid, read_number, set};
use super::resources::refused;
use super::v1::check_usage;
use super::{Error, controls};

/// The kernel's own period of a quota, in microseconds.
pub(super) const DEFAULT_PERIOD: u64 = 100_000;

fn bytes(value: i64) -> String {
    if value < 0 {
        "max".to_owned()
    } else {
        value.to_string()
    }
}

pub(super) fn memory(directory: &Path, memory: &Memory) -> Result<(), Error> {
    let v1_only = |asked: bool, field: &str| {
        if asked {
            return Err(refused(
                format!("memory.{field}"),
                "exists on cgroup v1 only",
            ));
        }
        Ok(())
    };
    v1_only(memory.swappiness.is_some(), "swappiness")?;
    v1_only(memory.disable_oom_killer == Some(true), "disableOOMKiller")?;
    v1_only(memory.kernel.is_some_and(|value| value > 0), "kernel")?;
    v1_only(
        memory.kernel_tcp.is_some_and(|value| value > 0),
        "kernelTCP",
    )?;
    if memory.use_hierarchy == Some(false) {
        return Err(refused(
            "memory.useHierarchy",
            "is always true on cgroup v2",
        ));
    }
    let limit = memory.limit.filter(|limit| *limit != 0);
    if let Some(limit) = limit
        && memory.check_before_update == Some(true)
    {
        check_usage(&directory.join("memory.current"), limit)?;
    }
    if let Some(swap) = swap(memory) {
        // A kernel without swap accounting has no such file, and no swap is
        // what was asked for when there is nothing to swap to.
        if swap > 0 || directory.join("memory.swap.max").exists() {
            set(directory, "memory.swap.max", "memory.swap", bytes(swap))?;
        }
    }
    if let Some(limit) = limit {
        set(directory, "memory.max", "memory.limit", bytes(limit))?;
    }
    if let Some(reservation) = memory.reservation.filter(|value| *value != 0) {
        let value = bytes(reservation);
        set(directory, "memory.low", "memory.reservation", value)?;
    }
    Ok(())
}

/// v1 counts memory and swap together, v2 swap alone.
pub(super) fn swap(memory: &Memory) -> Option<i64> {
    let limit = memory.limit.unwrap_or(0);
    match memory.swap.unwrap_or(0) {
        0 if limit == -1 => Some(-1),
        0 => None,
        -1 => Some(-1),
        swap => Some(swap.saturating_sub(limit)),
    }
}

/// cpu.weight for the shares of v1. Shares run from 2 to 262144 with 1024 as
/// the default, weights from 1 to 10000 with 100; the curve, which is that of
/// runc and crun, leads through all three points.
pub(super) fn weight(shares: u64) -> u64 {
    if shares <= 2 {
        return 1;
    }
    if shares >= 262_144 {
        return 10_000;
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "shares are below 2^18 and weights from 1 to 10000"
    )]
    {
        let logarithm = (shares as f64).log2();
        let exponent = (logarithm * logarithm + 125.0 * logarithm) / 612.0 - 7.0 / 34.0;
        10f64.powf(exponent).ceil() as u64
    }
}

pub(super) fn cpu(directory: &Path, cpu: &Cpu) -> Result<(), Error> {
    if cpu.realtime_period.is_some_and(|value| value != 0)
        || cpu.realtime_runtime.is_some_and(|value| value != 0)
    {
        return Err(refused("cpu.realtimeRuntime", "exists on cgroup v1 only"));
    }
    if cpu.idle == Some(0) {
        set(directory, "cpu.idle", "cpu.idle", "0")?;
    }
    // A group that runs only when a CPU is idle has no weight to change.
    if let Some(shares) = cpu.shares.filter(|shares| *shares != 0)
        && read_number(&directory.join("cpu.idle"))? != Some(1)
    {
        let value = weight(shares).to_string();
        set(directory, "cpu.weight", "cpu.shares", value)?;
    }
    bandwidth(directory, cpu)?;
    if cpu.idle == Some(1) {
        set(directory, "cpu.idle", "cpu.idle", "1")?;
    }
    Ok(())
}

fn bandwidth(directory: &Path, cpu: &Cpu) -> Result<(), Error> {
    let set_burst = || match cpu.burst {
        Some(burst) => set(directory, "cpu.max.burst", "cpu.burst", burst.to_string()),
        None => Ok(()),
    };
    let quota = cpu.quota.filter(|quota| *quota != 0);
    let period = cpu.period.filter(|period| *period != 0);
    if quota.is_some() || period.is_some() {
        let quota = match quota {
            Some(quota) if quota > 0 => quota.to_string(),
            _ => "max".to_owned(),
        };
        let value = format!("{quota} {}", period.unwrap_or(DEFAULT_PERIOD));
        let field = if cpu.quota.is_some() {
            "cpu.quota"
        } else {
            "cpu.period"
        };
        match set(directory, "cpu.max", field, &value) {
            // A burst above the new quota stands in the way.
            Err(error) if is_invalid(&error) && cpu.burst.is_some() => {
                set_burst()?;
                set(directory, "cpu.max", field, &value)?;
            }
            result => result?,
        }
    }
    set_burst()
}

/// The same on v1.
pub(super) fn cpusets(directory: &Path, cpu: &Cpu) -> Result<(), Error> {
    for (file, field, value) in [
        ("cpuset.cpus", "cpu.cpus", &cpu.cpus),
        ("cpuset.mems", "cpu.mems", &cpu.mems),
    ] {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            set(directory, file, field, value)?;
        }
    }
    Ok(())
}

/// The same on v1; 0 is no word about it.
pub(super) fn pids(directory: &Path, pids: &Pids) -> Result<(), Error> {
    set(directory, "pids.max", "pids.limit", bytes(pids.limit))
}

/// io.weight for a weight of v1: 10 to 1000 becomes 1 to 10000.
pub(super) fn io_weight(weight: u16) -> u64 {
    1 + u64::from(weight).saturating_sub(10) * 9999 / 990
}

pub(super) fn block_io(directory: &Path, block_io: &BlockIo) -> Result<(), Error> {
    // bfq's weights have v1's range.
    let bfq = directory.join("io.bfq.weight").exists();
    let scaled = |weight: u16| {
        if bfq {
            u64::from(weight)
        } else {
            io_weight(weight)
        }
    };
    let file = if bfq { "io.bfq.weight" } else { "io.weight" };
    let leaf = block_io
        .weight_device
        .iter()
        .any(|device| device.leaf_weight.is_some_and(|weight| weight != 0));
    if leaf || block_io.leaf_weight.is_some_and(|weight| weight != 0) {
        return Err(refused("blockIO.leafWeight", "exists on cgroup v1 only"));
    }
    if let Some(weight) = block_io.weight.filter(|weight| *weight != 0) {
        let value = scaled(weight).to_string();
        set(directory, file, "blockIO.weight", value)?;
    }
    for device in &block_io.weight_device {
        if let Some(weight) = device.weight.filter(|weight| *weight != 0) {
            let value = format!("{}:{} {}", device.major, device.minor, scaled(weight));
            set(directory, file, "blockIO.weightDevice", value)?;
        }
    }
    let throttles: [(&str, &str, &[ThrottleDevice]); 4] = [
        (
            "rbps",
            "throttleReadBpsDevice",
            &block_io.throttle_read_bps_device,
        ),
        (
            "wbps",
            "throttleWriteBpsDevice",
            &block_io.throttle_write_bps_device,
        ),
        (
            "riops",
            "throttleReadIOPSDevice",
            &block_io.throttle_read_iops_device,
        ),
        (
            "wiops",
            "throttleWriteIOPSDevice",
            &block_io.throttle_write_iops_device,
        ),
    ];
    for (key, field, devices) in throttles {
        for device in devices {
            let rate = match device.rate {
                0 => "max".to_owned(),
                rate => rate.to_string(),
            };
            // The kernel leaves the device's other keys as they are.
            let value = format!("{}:{} {key}={rate}", device.major, device.minor);
            set(directory, "io.max", &format!("blockIO.{field}"), value)?;
        }
    }
    Ok(())
}

pub(super) fn huge_pages(directory: &Path, limits: &[HugepageLimit]) -> Result<(), Error> {
    for HugepageLimit { page_size, limit } in limits {
        let value = limit.to_string();
        let file = format!("hugetlb.{page_size}.max");
        set(directory, &file, "hugepageLimits", &value)?;
        // Pages that are reserved and not yet used; since Linux 5.7.
        let reserved = format!("hugetlb.{page_size}.rsvd.max");
        if directory.join(&reserved).exists() {
            set(directory, &reserved, "hugepageLimits", &value)?;
        }
    }
    Ok(())
}

/// The same on v1.
pub(super) fn rdma(directory: &Path, limits: &BTreeMap<String, Rdma>) -> Result<(), Error> {
    for (device, rdma) in limits {
        let mut line = device.clone();
        if let Some(handles) = rdma.hca_handles {
            line.push_str(&format!(" hca_handle={handles}"));
        }
        if let Some(objects) = rdma.hca_objects {
            line.push_str(&format!(" hca_object={objects}"));
        }
        set(directory, "rdma.max", "rdma", line)?;
    }
    Ok(())
}

/// Files by their own names.
pub(super) fn files(directory: &Path, unified: &BTreeMap<String, String>) -> Result<(), Error> {
    for (file, value) in unified {
        let field = format!("unified[{file:?}]");
        let present = || controls::read(&directory.join("cgroup.controllers"));
        // A file may hold several lines, each of which is written by itself.
        for line in value.lines() {
            match set(directory, file, &field, line) {
                Err(Error::Resource { .. }) => {
                    let controller = file.split('.').next().unwrap_or_default();
                    let found = present()?.unwrap_or_default();
                    let reason = if found.split_whitespace().any(|one| one == controller) {
                        format!("the {controller} controller has no such file")
                    } else {
                        format!("the {controller} controller is not available in cgroup v2 here")
                    };
                    return Err(refused(field, reason));
                }
                result => result?,
            }
        }
    }
    Ok(())
}
