//! Limits in the files of the v1 hierarchies.

use std::path::{Path, PathBuf};

use tare_oci::runtime::{
    BlockIo, Cpu, HugepageLimit, Memory, NetworkResources, Rdma, Resources, ThrottleDevice,
};

use super::resources::refused;
use super::{Cgroup, Error, controls};

/// Applies everything but device rules.
pub(super) fn apply(cgroup: &Cgroup, resources: &Resources) -> Result<(), Error> {
    let directory = |controller: &str| -> Result<PathBuf, Error> {
        cgroup.controller_directory(controller).ok_or_else(|| {
            refused(
                controller,
                format!("the {controller} controller is not mounted on this host"),
            )
        })
    };
    if let Some(memory) = &resources.memory {
        apply_memory(memory, || directory("memory"))?;
    }
    if let Some(cpu) = &resources.cpu {
        apply_cpu(cpu, &directory)?;
    }
    if let Some(pids) = &resources.pids {
        write(&directory("pids")?, "pids.max", limit(pids.limit))?;
    }
    if let Some(block_io) = &resources.block_io {
        apply_block_io(block_io, &directory("blkio")?)?;
    }
    for HugepageLimit { page_size, limit } in &resources.hugepage_limits {
        write(
            &directory("hugetlb")?,
            &format!("hugetlb.{page_size}.limit_in_bytes"),
            limit.to_string(),
        )?;
    }
    if let Some(network) = &resources.network {
        apply_network(network, &directory)?;
    }
    for (device, rdma) in &resources.rdma {
        write(&directory("rdma")?, "rdma.max", rdma_line(device, rdma))?;
    }
    Ok(())
}

fn write(directory: &Path, file: &str, value: impl AsRef<str>) -> Result<(), Error> {
    controls::write(&directory.join(file), value.as_ref())
}

/// A limit of processes in the kernel's words.
pub(super) fn limit(value: i64) -> String {
    if value > 0 {
        value.to_string()
    } else {
        "max".to_owned()
    }
}

/// A line of rdma.max.
pub(super) fn rdma_line(device: &str, rdma: &Rdma) -> String {
    let mut line = device.to_owned();
    if let Some(handles) = rdma.hca_handles {
        line.push_str(&format!(" hca_handle={handles}"));
    }
    if let Some(objects) = rdma.hca_objects {
        line.push_str(&format!(" hca_object={objects}"));
    }
    line
}

fn apply_memory(
    memory: &Memory,
    directory: impl Fn() -> Result<PathBuf, Error>,
) -> Result<(), Error> {
    const LIMIT: &str = "memory.limit_in_bytes";
    const SWAP: &str = "memory.memsw.limit_in_bytes";
    let limit = memory.limit.filter(|limit| *limit != 0);
    // Without a word about it, no limit means no limit of memory and swap.
    let swap = match (memory.swap.filter(|swap| *swap != 0), limit) {
        (None, Some(-1)) => Some(-1),
        (swap, _) => swap,
    };
    if limit.is_some() || swap.is_some() {
        let directory = directory()?;
        // A kernel may count memory only; then the limit of memory and swap is
        // what cannot be kept, as with runc.
        let can_swap = directory.join(SWAP).exists();
        if let Some(limit) = limit {
            if memory.check_before_update == Some(true) {
                check_usage(&directory.join("memory.usage_in_bytes"), limit)?;
            }
            // The limit must never be above that of memory and swap: which has
            // to change first depends on what is set.
            if let Err(error) = write(&directory, LIMIT, limit.to_string()) {
                let Some(swap) = swap.filter(|_| can_swap) else {
                    return Err(error);
                };
                write(&directory, SWAP, swap.to_string())?;
                write(&directory, LIMIT, limit.to_string())?;
            }
        }
        if let Some(swap) = swap.filter(|_| can_swap) {
            write(&directory, SWAP, swap.to_string())?;
        }
    }
    if let Some(reservation) = memory.reservation.filter(|value| *value != 0) {
        write(
            &directory()?,
            "memory.soft_limit_in_bytes",
            reservation.to_string(),
        )?;
    }
    if let Some(tcp) = memory.kernel_tcp.filter(|value| *value != 0) {
        write(
            &directory()?,
            "memory.kmem.tcp.limit_in_bytes",
            tcp.to_string(),
        )?;
    }
    if let Some(swappiness) = memory.swappiness {
        write(&directory()?, "memory.swappiness", swappiness.to_string())?;
    }
    if memory.disable_oom_killer == Some(true) {
        write(&directory()?, "memory.oom_control", "1")?;
    }
    Ok(())
}

/// Refuses a limit below what is used now.
pub(super) fn check_usage(file: &Path, limit: i64) -> Result<(), Error> {
    let usage = controls::read(file)?.and_then(|text| controls::number(&text));
    match (usage, u64::try_from(limit)) {
        (Some(usage), Ok(limit)) if usage > limit => Err(refused(
            "memory.limit",
            format!("{limit} is below the present usage of {usage} bytes"),
        )),
        _ => Ok(()),
    }
}

fn apply_cpu(cpu: &Cpu, directory: &impl Fn(&str) -> Result<PathBuf, Error>) -> Result<(), Error> {
    if let Some(shares) = cpu.shares.filter(|shares| *shares != 0) {
        write(&directory("cpu")?, "cpu.shares", shares.to_string())?;
    }
    let period = cpu.period.filter(|period| *period != 0);
    let quota = cpu.quota.filter(|quota| *quota != 0);
    if let Some(period) = period {
        let directory = directory("cpu")?;
        let set = || write(&directory, "cpu.cfs_period_us", period.to_string());
        if set().is_err() {
            // A quota larger than the new period allows stands in the way.
            if let Some(quota) = quota {
                write(&directory, "cpu.cfs_quota_us", quota.to_string())?;
            }
            set()?;
        }
    }
    if let Some(quota) = quota {
        write(&directory("cpu")?, "cpu.cfs_quota_us", quota.to_string())?;
    }
    if let Some(burst) = cpu.burst {
        write(&directory("cpu")?, "cpu.cfs_burst_us", burst.to_string())?;
    }
    if let Some(period) = cpu.realtime_period.filter(|value| *value != 0) {
        write(&directory("cpu")?, "cpu.rt_period_us", period.to_string())?;
    }
    if let Some(runtime) = cpu.realtime_runtime.filter(|value| *value != 0) {
        write(&directory("cpu")?, "cpu.rt_runtime_us", runtime.to_string())?;
    }
    if let Some(idle) = cpu.idle {
        write(&directory("cpu")?, "cpu.idle", idle.to_string())?;
    }
    for (file, value) in [("cpuset.cpus", &cpu.cpus), ("cpuset.mems", &cpu.mems)] {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            write(&directory("cpuset")?, file, value)?;
        }
    }
    Ok(())
}

fn apply_block_io(block_io: &BlockIo, directory: &Path) -> Result<(), Error> {
    // The weights belong to whichever scheduler the kernel has.
    let weight_file = if directory.join("blkio.weight").exists() {
        "blkio.weight"
    } else {
        "blkio.bfq.weight"
    };
    if let Some(weight) = block_io.weight.filter(|weight| *weight != 0) {
        write(directory, weight_file, weight.to_string())?;
    }
    if let Some(weight) = block_io.leaf_weight.filter(|weight| *weight != 0) {
        write(directory, "blkio.leaf_weight", weight.to_string())?;
    }
    for device in &block_io.weight_device {
        let number = format!("{}:{}", device.major, device.minor);
        if let Some(weight) = device.weight {
            let file = format!("{weight_file}_device");
            write(directory, &file, format!("{number} {weight}"))?;
        }
        if let Some(weight) = device.leaf_weight {
            write(
                directory,
                "blkio.leaf_weight_device",
                format!("{number} {weight}"),
            )?;
        }
    }
    let throttles: [(&str, &[ThrottleDevice]); 4] = [
        ("read_bps_device", &block_io.throttle_read_bps_device),
        ("write_bps_device", &block_io.throttle_write_bps_device),
        ("read_iops_device", &block_io.throttle_read_iops_device),
        ("write_iops_device", &block_io.throttle_write_iops_device),
    ];
    for (file, devices) in throttles {
        for device in devices {
            write(
                directory,
                &format!("blkio.throttle.{file}"),
                format!("{}:{} {}", device.major, device.minor, device.rate),
            )?;
        }
    }
    Ok(())
}

fn apply_network(
    network: &NetworkResources,
    directory: &impl Fn(&str) -> Result<PathBuf, Error>,
) -> Result<(), Error> {
    if let Some(class) = network.class_id.filter(|class| *class != 0) {
        write(&directory("net_cls")?, "net_cls.classid", class.to_string())?;
    }
    for priority in &network.priorities {
        write(
            &directory("net_prio")?,
            "net_prio.ifpriomap",
            format!("{} {}", priority.name, priority.priority),
        )?;
    }
    Ok(())
}
