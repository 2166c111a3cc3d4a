//! Limits in the files of the v1 hierarchies.

use std::path::{Path, PathBuf};

use tare_oci::runtime::{BlockIo, Cpu, HugepageLimit, Memory, NetworkResources};

use super::controls::{is_invalid, read_number, set};
use super::resources::{Home, refused};
use super::{Cgroup, Error, controls};

pub(super) fn memory(directory: &Path, memory: &Memory) -> Result<(), Error> {
    memory_and_swap(directory, memory)?;
    let asked = |value: Option<i64>| value.filter(|value| *value != 0);
    for (value, file, field) in [
        (
            memory.reservation,
            "memory.soft_limit_in_bytes",
            "memory.reservation",
        ),
        (memory.kernel, "memory.kmem.limit_in_bytes", "memory.kernel"),
        (
            memory.kernel_tcp,
            "memory.kmem.tcp.limit_in_bytes",
            "memory.kernelTCP",
        ),
    ] {
        if let Some(value) = asked(value) {
            set(directory, file, field, value.to_string())?;
        }
    }
    if let Some(value) = memory.swappiness {
        set(
            directory,
            "memory.swappiness",
            "memory.swappiness",
            value.to_string(),
        )?;
    }
    if let Some(disable) = memory.disable_oom_killer {
        let present = controls::read(&directory.join("memory.oom_control"))?.unwrap_or_default();
        let value = u64::from(disable);
        if controls::keyed(&present, "oom_kill_disable") != Some(value) {
            set(
                directory,
                "memory.oom_control",
                "memory.disableOOMKiller",
                value.to_string(),
            )?;
        }
    }
    if let Some(hierarchy) = memory.use_hierarchy {
        // It has been the only way since Linux 5.11.
        let value = u64::from(hierarchy);
        if read_number(&directory.join("memory.use_hierarchy"))?.is_some_and(|now| now != value) {
            set(
                directory,
                "memory.use_hierarchy",
                "memory.useHierarchy",
                value.to_string(),
            )?;
        }
    }
    Ok(())
}

fn memory_and_swap(directory: &Path, memory: &Memory) -> Result<(), Error> {
    const LIMIT: &str = "memory.limit_in_bytes";
    const SWAP: &str = "memory.memsw.limit_in_bytes";
    let limit = memory.limit.filter(|limit| *limit != 0);
    // Without a word about it, no limit means no limit of memory and swap.
    let swap = match (memory.swap.filter(|swap| *swap != 0), limit) {
        (None, Some(-1)) => Some(-1),
        (swap, _) => swap,
    };
    if let Some(limit) = limit
        && memory.check_before_update == Some(true)
    {
        check_usage(&directory.join("memory.usage_in_bytes"), limit)?;
    }
    let set_limit = || match limit {
        Some(limit) => {
            let usage = directory.join("memory.usage_in_bytes");
            set(directory, LIMIT, "memory.limit", limit.to_string())
                .map_err(|error| below_usage(error, &usage, limit))
        }
        None => Ok(()),
    };
    // A kernel may count memory only; then the limit of memory and swap is
    // what cannot be kept, as with runc.
    let Some(swap) = swap.filter(|_| directory.join(SWAP).exists()) else {
        return set_limit();
    };
    let set_swap = || set(directory, SWAP, "memory.swap", swap.to_string());
    // The limit may at no moment be above that of memory and swap.
    let present = read_number(&directory.join(LIMIT))?.unwrap_or(u64::MAX);
    if limit.is_none() || u64::try_from(swap).map_or(true, |swap| present < swap) {
        set_swap()?;
        set_limit()
    } else {
        set_limit()?;
        set_swap()
    }
}

/// "Busy" is the kernel's word for a limit below what cannot be reclaimed.
fn below_usage(error: Error, usage: &Path, limit: i64) -> Error {
    let is_busy = matches!(&error, Error::Limit { source, .. }
        if source.kind() == std::io::ErrorKind::ResourceBusy);
    match (is_busy, read_number(usage)) {
        (true, Ok(Some(usage))) => refused(
            "memory.limit",
            format!("unable to set memory limit to {limit} (current usage: {usage})"),
        ),
        _ => error,
    }
}

/// Refuses a limit below what is used now.
pub(super) fn check_usage(file: &Path, limit: i64) -> Result<(), Error> {
    match (read_number(file)?, u64::try_from(limit)) {
        (Some(usage), Ok(limit)) if usage > limit => Err(refused(
            "memory.limit",
            format!("{limit} is below the present usage of {usage} bytes"),
        )),
        _ => Ok(()),
    }
}

pub(super) fn cpu(directory: &Path, cpu: &Cpu) -> Result<(), Error> {
    realtime(directory, cpu)?;
    if cpu.idle == Some(0) {
        set(directory, "cpu.idle", "cpu.idle", "0")?;
    }
    if let Some(shares) = cpu.shares.filter(|shares| *shares != 0) {
        set_shares(directory, shares)?;
    }
    bandwidth(directory, cpu)?;
    if cpu.idle == Some(1) {
        set(directory, "cpu.idle", "cpu.idle", "1")?;
    }
    Ok(())
}

fn set_shares(directory: &Path, shares: u64) -> Result<(), Error> {
    // A group that runs only when a CPU is idle has no shares to change.
    if read_number(&directory.join("cpu.idle"))? == Some(1) {
        return Ok(());
    }
    set(directory, "cpu.shares", "cpu.shares", shares.to_string())?;
    // The kernel takes what is out of bounds for the nearest bound.
    match read_number(&directory.join("cpu.shares"))? {
        Some(taken) if taken < shares => Err(refused(
            "cpu.shares",
            format!("the maximum allowed cpu-shares is {taken}"),
        )),
        Some(taken) if taken > shares => Err(refused(
            "cpu.shares",
            format!("the minimum allowed cpu-shares is {taken}"),
        )),
        _ => Ok(()),
    }
}

fn bandwidth(directory: &Path, cpu: &Cpu) -> Result<(), Error> {
    let period = cpu.period.filter(|period| *period != 0);
    let set_period = || match period {
        Some(period) => set(
            directory,
            "cpu.cfs_period_us",
            "cpu.period",
            period.to_string(),
        ),
        None => Ok(()),
    };
    let set_quota = || match cpu.quota.filter(|quota| *quota != 0) {
        Some(quota) => set(
            directory,
            "cpu.cfs_quota_us",
            "cpu.quota",
            quota.to_string(),
        ),
        None => Ok(()),
    };
    let set_burst = || match cpu.burst {
        Some(burst) => set(
            directory,
            "cpu.cfs_burst_us",
            "cpu.burst",
            burst.to_string(),
        ),
        None => Ok(()),
    };
    // Each is checked against the others' present values: a burst above the
    // new quota and a quota that the new period does not allow stand in the
    // way.
    let late_period = match set_period() {
        Err(error) if is_invalid(&error) && cpu.quota.is_some_and(|quota| quota != 0) => true,
        result => result.map(|()| false)?,
    };
    match set_quota() {
        Err(error) if is_invalid(&error) && cpu.burst.is_some() => {
            set_burst()?;
            set_quota()?;
        }
        result => result?,
    }
    if late_period {
        set_period()?;
    }
    set_burst()
}

fn realtime(directory: &Path, cpu: &Cpu) -> Result<(), Error> {
    let write = |directory: &Path| -> Result<(), Error> {
        if let Some(period) = cpu.realtime_period.filter(|value| *value != 0) {
            let value = period.to_string();
            set(directory, "cpu.rt_period_us", "cpu.realtimePeriod", value)?;
        }
        if let Some(runtime) = cpu.realtime_runtime.filter(|value| *value != 0) {
            let value = runtime.to_string();
            set(directory, "cpu.rt_runtime_us", "cpu.realtimeRuntime", value)?;
        }
        Ok(())
    };
    match write(directory) {
        Err(error) if is_invalid(&error) => {
            // No group can have more than those above it, and new ones have
            // nothing.
            let mut above: Vec<PathBuf> = directory
                .ancestors()
                .skip(1)
                .map_while(|group| {
                    let file = group.join("cpu.rt_runtime_us");
                    (read_number(&file).ok().flatten() == Some(0)).then(|| group.to_owned())
                })
                .collect();
            if above.is_empty() {
                return Err(error);
            }
            while let Some(group) = above.pop() {
                write(&group)?;
            }
            write(directory)
        }
        result => result,
    }
}

pub(super) fn block_io(directory: &Path, block_io: &BlockIo) -> Result<(), Error> {
    // The weights belong to whichever scheduler the kernel has.
    let weight_file = if directory.join("blkio.weight").exists() {
        "blkio.weight"
    } else {
        "blkio.bfq.weight"
    };
    if let Some(weight) = block_io.weight.filter(|weight| *weight != 0) {
        set(directory, weight_file, "blockIO.weight", weight.to_string())?;
    }
    if let Some(weight) = block_io.leaf_weight.filter(|weight| *weight != 0) {
        let value = weight.to_string();
        set(directory, "blkio.leaf_weight", "blockIO.leafWeight", value)?;
    }
    for device in &block_io.weight_device {
        let number = format!("{}:{}", device.major, device.minor);
        for (weight, file) in [
            (device.weight, format!("{weight_file}_device")),
            (device.leaf_weight, "blkio.leaf_weight_device".to_owned()),
        ] {
            if let Some(weight) = weight {
                let value = format!("{number} {weight}");
                set(directory, &file, "blockIO.weightDevice", value)?;
            }
        }
    }
    for (file, field, devices) in [
        (
            "blkio.throttle.read_bps_device",
            "blockIO.throttleReadBpsDevice",
            &block_io.throttle_read_bps_device,
        ),
        (
            "blkio.throttle.write_bps_device",
            "blockIO.throttleWriteBpsDevice",
            &block_io.throttle_write_bps_device,
        ),
        (
            "blkio.throttle.read_iops_device",
            "blockIO.throttleReadIOPSDevice",
            &block_io.throttle_read_iops_device,
        ),
        (
            "blkio.throttle.write_iops_device",
            "blockIO.throttleWriteIOPSDevice",
            &block_io.throttle_write_iops_device,
        ),
    ] {
        for device in devices {
            let value = format!("{}:{} {}", device.major, device.minor, device.rate);
            set(directory, file, field, value)?;
        }
    }
    Ok(())
}

pub(super) fn huge_pages(directory: &Path, limits: &[HugepageLimit]) -> Result<(), Error> {
    for HugepageLimit { page_size, limit } in limits {
        let value = limit.to_string();
        let file = format!("hugetlb.{page_size}.limit_in_bytes");
        set(directory, &file, "hugepageLimits", &value)?;
        // Pages that are reserved and not yet used; since Linux 5.7.
        let reserved = format!("hugetlb.{page_size}.rsvd.limit_in_bytes");
        if directory.join(&reserved).exists() {
            set(directory, &reserved, "hugepageLimits", &value)?;
        }
    }
    Ok(())
}

pub(super) fn network(cgroup: &Cgroup, network: &NetworkResources) -> Result<(), Error> {
    if let Some(class) = network.class_id.filter(|class| *class != 0)
        && let Home::Legacy(directory) = cgroup.home("network.classID", "net_cls")?
    {
        let value = class.to_string();
        set(&directory, "net_cls.classid", "network.classID", value)?;
    }
    for priority in &network.priorities {
        if let Home::Legacy(directory) = cgroup.home("network.priorities", "net_prio")? {
            let value = format!("{} {}", priority.name, priority.priority);
            set(
                &directory,
                "net_prio.ifpriomap",
                "network.priorities",
                value,
            )?;
        }
    }
    Ok(())
}
