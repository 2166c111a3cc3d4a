//! Limits in the files of the v2 hierarchy.

use std::path::Path;

use tare_oci::runtime::{BlockIo, Cpu, Memory, Resources, ThrottleDevice};

use super::resources::refused;
use super::v1::{check_usage, limit, rdma_line};
use super::{Error, controls};

/// Applies everything but device rules.
pub(super) fn apply(directory: &Path, resources: &Resources) -> Result<(), Error> {
    if let Some(memory) = &resources.memory {
        apply_memory(directory, memory)?;
    }
    if let Some(cpu) = &resources.cpu {
        apply_cpu(directory, cpu)?;
    }
    if let Some(pids) = &resources.pids {
        write(directory, "pids.max", limit(pids.limit))?;
    }
    if let Some(block_io) = &resources.block_io {
        apply_block_io(directory, block_io)?;
    }
    for huge in &resources.hugepage_limits {
        write(
            directory,
            &format!("hugetlb.{}.max", huge.page_size),
            huge.limit.to_string(),
        )?;
    }
    if let Some(network) = &resources.network
        && (network.class_id.is_some_and(|class| class != 0) || !network.priorities.is_empty())
    {
        return Err(refused("network", "exists on cgroup v1 only"));
    }
    for (device, rdma) in &resources.rdma {
        write(directory, "rdma.max", rdma_line(device, rdma))?;
    }
    for (file, value) in &resources.unified {
        // A file may hold several lines, each of which is written by itself.
        for line in value.lines() {
            write(directory, file, line)?;
        }
    }
    Ok(())
}

fn write(directory: &Path, file: &str, value: impl AsRef<str>) -> Result<(), Error> {
    controls::write(&directory.join(file), value.as_ref())
}

fn bytes(value: i64) -> String {
    if value < 0 {
        "max".to_owned()
    } else {
        value.to_string()
    }
}

fn apply_memory(directory: &Path, memory: &Memory) -> Result<(), Error> {
    let limit = memory.limit.filter(|limit| *limit != 0);
    if let Some(swap) = swap(memory)? {
        let file = directory.join("memory.swap.max");
        // A kernel without swap accounting has no such file, and no swap is
        // what was asked for when there is nothing to swap to.
        if file.exists() || swap > 0 {
            controls::write(&file, &bytes(swap))?;
        }
    }
    if let Some(limit) = limit {
        if memory.check_before_update == Some(true) {
            check_usage(&directory.join("memory.current"), limit)?;
        }
        write(directory, "memory.max", bytes(limit))?;
    }
    if let Some(reservation) = memory.reservation.filter(|value| *value != 0) {
        write(directory, "memory.low", bytes(reservation))?;
    }
    if memory.swappiness.is_some() {
        return Err(refused("memory.swappiness", "exists on cgroup v1 only"));
    }
    if memory.disable_oom_killer == Some(true) {
        return Err(refused(
            "memory.disableOOMKiller",
            "exists on cgroup v1 only",
        ));
    }
    if memory.kernel_tcp.is_some_and(|value| value != 0) {
        return Err(refused("memory.kernelTCP", "exists on cgroup v1 only"));
    }
    Ok(())
}

/// v1 counts memory and swap together, v2 swap alone.
fn swap(memory: &Memory) -> Result<Option<i64>, Error> {
    let limit = memory.limit.unwrap_or(0);
    match memory.swap.unwrap_or(0) {
        0 if limit == -1 => Ok(Some(-1)),
        0 => Ok(None),
        -1 => Ok(Some(-1)),
        _ if limit <= 0 => Err(refused("memory.swap", "needs memory.limit")),
        swap => Ok(Some(swap - limit)),
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

fn apply_cpu(directory: &Path, cpu: &Cpu) -> Result<(), Error> {
    if let Some(shares) = cpu.shares.filter(|shares| *shares != 0) {
        write(directory, "cpu.weight", weight(shares).to_string())?;
    }
    let quota = cpu.quota.filter(|quota| *quota != 0);
    let period = cpu.period.filter(|period| *period != 0);
    if quota.is_some() || period.is_some() {
        let quota = match quota {
            Some(quota) if quota > 0 => quota.to_string(),
            _ => "max".to_owned(),
        };
        let value = match period {
            Some(period) => format!("{quota} {period}"),
            None => quota,
        };
        write(directory, "cpu.max", value)?;
    }
    if let Some(burst) = cpu.burst {
        write(directory, "cpu.max.burst", burst.to_string())?;
    }
    if let Some(idle) = cpu.idle {
        write(directory, "cpu.idle", idle.to_string())?;
    }
    if cpu.realtime_period.is_some_and(|value| value != 0)
        || cpu.realtime_runtime.is_some_and(|value| value != 0)
    {
        return Err(refused("cpu.realtimeRuntime", "exists on cgroup v1 only"));
    }
    for (file, value) in [("cpuset.cpus", &cpu.cpus), ("cpuset.mems", &cpu.mems)] {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            write(directory, file, value)?;
        }
    }
    Ok(())
}

fn apply_block_io(directory: &Path, block_io: &BlockIo) -> Result<(), Error> {
    // bfq's weights have v1's range; io.weight runs from 1 to 10000.
    let bfq = directory.join("io.bfq.weight").exists();
    let scaled = |weight: u16| {
        if bfq {
            u64::from(weight)
        } else {
            1 + (u64::from(weight).saturating_sub(10)) * 9999 / 990
        }
    };
    let file = if bfq { "io.bfq.weight" } else { "io.weight" };
    if let Some(weight) = block_io.weight.filter(|weight| *weight != 0) {
        write(directory, file, scaled(weight).to_string())?;
    }
    for device in &block_io.weight_device {
        if let Some(weight) = device.weight {
            write(
                directory,
                file,
                format!("{}:{} {}", device.major, device.minor, scaled(weight)),
            )?;
        }
    }
    let throttles: [(&str, &[ThrottleDevice]); 4] = [
        ("rbps", &block_io.throttle_read_bps_device),
        ("wbps", &block_io.throttle_write_bps_device),
        ("riops", &block_io.throttle_read_iops_device),
        ("wiops", &block_io.throttle_write_iops_device),
    ];
    for (key, devices) in throttles {
        for device in devices {
            let rate = match device.rate {
                0 => "max".to_owned(),
                rate => rate.to_string(),
            };
            write(
                directory,
                "io.max",
                format!("{}:{} {key}={rate}", device.major, device.minor),
            )?;
        }
    }
    Ok(())
}
