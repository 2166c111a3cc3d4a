//! Limits that make no sense on any host.

use tare_oci::runtime::{BlockIo, Cpu, Memory, NetworkResources, Resources};

use super::refused;
use crate::cgroup::{Error, devices, sets};

/// The kernel's bounds of a CPU period and of a quota, in microseconds.
const PERIOD: std::ops::RangeInclusive<u64> = 1000..=1_000_000;

pub(super) fn all(resources: &Resources) -> Result<(), Error> {
    if let Some(value) = &resources.memory {
        memory(value)?;
    }
    if let Some(value) = &resources.cpu {
        cpu(value)?;
    }
    if resources.pids.as_ref().is_some_and(|pids| pids.limit < -1) {
        return Err(refused("pids.limit", "must be -1 or not negative"));
    }
    if let Some(value) = &resources.block_io {
        block_io(value)?;
    }
    for limit in &resources.hugepage_limits {
        page_size(&limit.page_size)?;
    }
    if let Some(value) = &resources.network {
        network(value)?;
    }
    for device in resources.rdma.keys() {
        if device.is_empty() || device.contains(char::is_whitespace) {
            return Err(refused("rdma", format!("{device:?} is no device")));
        }
    }
    for name in resources.unified.keys() {
        file(name)?;
    }
    devices::check(&resources.devices).map(drop)
}

fn memory(memory: &Memory) -> Result<(), Error> {
    for (field, value) in [
        ("limit", memory.limit),
        ("reservation", memory.reservation),
        ("swap", memory.swap),
        ("kernel", memory.kernel),
        ("kernelTCP", memory.kernel_tcp),
    ] {
        if value.is_some_and(|value| value < -1) {
            return Err(refused(
                format!("memory.{field}"),
                "must be -1 or not negative",
            ));
        }
    }
    let limit = memory.limit.unwrap_or(0);
    if let Some(swap) = memory.swap.filter(|swap| *swap > 0) {
        if limit <= 0 {
            return Err(refused("memory.swap", "needs memory.limit"));
        }
        if swap < limit {
            return Err(refused(
                "memory.swap",
                "counts memory and swap and must not be below memory.limit",
            ));
        }
    }
    if memory.swappiness.is_some_and(|value| value > 100) {
        return Err(refused("memory.swappiness", "must be from 0 to 100"));
    }
    Ok(())
}

fn cpu(cpu: &Cpu) -> Result<(), Error> {
    let period = cpu.period.filter(|period| *period != 0);
    if period.is_some_and(|period| !PERIOD.contains(&period)) {
        return Err(refused("cpu.period", "must be from 1000 to 1000000"));
    }
    match cpu.quota {
        Some(i64::MIN..-1) => return Err(refused("cpu.quota", "must be -1 or not negative")),
        Some(1..1000) => return Err(refused("cpu.quota", "must be at least 1000")),
        Some(quota @ 1..) if cpu.burst.is_some_and(|burst| burst > quota.unsigned_abs()) => {
            return Err(refused("cpu.burst", "must not be above cpu.quota"));
        }
        _ => {}
    }
    if cpu.idle.is_some_and(|idle| !matches!(idle, 0 | 1)) {
        return Err(refused("cpu.idle", "must be 0 or 1"));
    }
    let runtime = cpu.realtime_runtime.unwrap_or(0);
    if runtime < -1 {
        return Err(refused("cpu.realtimeRuntime", "must be -1 or not negative"));
    }
    if let Some(period) = cpu.realtime_period.filter(|period| *period != 0)
        && u64::try_from(runtime).is_ok_and(|runtime| runtime > period)
    {
        return Err(refused(
            "cpu.realtimeRuntime",
            "must not be above cpu.realtimePeriod",
        ));
    }
    for (field, value) in [("cpu.cpus", &cpu.cpus), ("cpu.mems", &cpu.mems)] {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            sets::parse(value).map_err(|reason| refused(field, reason))?;
        }
    }
    Ok(())
}

fn block_io(block_io: &BlockIo) -> Result<(), Error> {
    let weight = |field: &str, weight: Option<u16>| match weight {
        None | Some(0 | 10..=1000) => Ok(()),
        Some(_) => Err(refused(
            format!("blockIO.{field}"),
            "must be from 10 to 1000",
        )),
    };
    let number = |field: &str, major: i64, minor: i64| {
        if u32::try_from(major).is_ok() && u32::try_from(minor).is_ok() {
            return Ok(());
        }
        Err(refused(
            format!("blockIO.{field}"),
            format!("{major}:{minor} is no device"),
        ))
    };
    weight("weight", block_io.weight)?;
    weight("leafWeight", block_io.leaf_weight)?;
    for device in &block_io.weight_device {
        number("weightDevice", device.major, device.minor)?;
        weight("weightDevice", device.weight)?;
        weight("weightDevice", device.leaf_weight)?;
    }
    for (field, devices) in [
        ("throttleReadBpsDevice", &block_io.throttle_read_bps_device),
        (
            "throttleWriteBpsDevice",
            &block_io.throttle_write_bps_device,
        ),
        (
            "throttleReadIOPSDevice",
            &block_io.throttle_read_iops_device,
        ),
        (
            "throttleWriteIOPSDevice",
            &block_io.throttle_write_iops_device,
        ),
    ] {
        for device in devices {
            number(field, device.major, device.minor)?;
        }
    }
    Ok(())
}

/// `<number><KB|MB|GB>`, as the kernel names the files.
fn page_size(size: &str) -> Result<(), Error> {
    let number = ["KB", "MB", "GB"]
        .iter()
        .find_map(|unit| size.strip_suffix(unit));
    let is_number = number.is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
    });
    if is_number {
        return Ok(());
    }
    Err(refused(
        "hugepageLimits.pageSize",
        format!("{size:?} is no size (as 2MB)"),
    ))
}

fn network(network: &NetworkResources) -> Result<(), Error> {
    for priority in &network.priorities {
        let name = priority.name.as_str();
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '/') {
            return Err(refused(
                "network.priorities",
                format!("{name:?} is no network interface"),
            ));
        }
    }
    Ok(())
}

/// Files that are no limits: they move or end processes, and processes of
/// others.
const NO_LIMITS: [&str; 5] = [
    "cgroup.procs",
    "cgroup.threads",
    "cgroup.type",
    "cgroup.kill",
    "cgroup.freeze",
];

fn file(name: &str) -> Result<(), Error> {
    if name.contains(['/', '\0']) || name.starts_with('.') || !name.contains('.') {
        return Err(refused(
            "unified",
            format!("{name:?} is no file of a control group (CONTROLLER.PARAMETER)"),
        ));
    }
    if NO_LIMITS.contains(&name) {
        return Err(refused("unified", format!("{name:?} is no limit")));
    }
    Ok(())
}
