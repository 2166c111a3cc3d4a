//! `linux.resources` and `linux.cgroupsPath`: what makes sense on no host.

use tare_oci::runtime::{BlockIo, Cpu, DeviceRule, Memory, Resources};

use super::{Context, Error, list, text};

/// Weights of block devices; 0 stands for none.
const WEIGHTS: std::ops::RangeInclusive<u16> = 10..=1000;

fn refuse(field: &str, reason: impl Into<String>) -> Result<(), Error> {
    Err(Error::invalid(format!("linux.resources.{field}"), reason))
}

pub(super) fn check(resources: &Resources) -> Result<(), Error> {
    check_devices(&resources.devices)?;
    if let Some(memory) = &resources.memory {
        check_memory(memory)?;
    }
    if let Some(cpu) = &resources.cpu {
        check_cpu(cpu)?;
    }
    if let Some(block) = &resources.block_io {
        check_block_io(block)?;
    }
    for (index, limit) in resources.hugepage_limits.iter().enumerate() {
        if !is_page_size(&limit.page_size) {
            return refuse(
                &format!("hugepageLimits[{index}].pageSize"),
                format!("{:?} is no size as 2MB", limit.page_size),
            );
        }
    }
    let priorities = resources
        .network
        .iter()
        .flat_map(|network| &network.priorities);
    for (index, priority) in priorities.enumerate() {
        let name = &priority.name;
        if name.is_empty() || name.contains(char::is_whitespace) || name.contains(['/', '\0']) {
            return refuse(
                &format!("network.priorities[{index}].name"),
                format!("{name:?} is no name of an interface"),
            );
        }
    }
    for name in resources.rdma.keys() {
        if name.is_empty() || name.contains(char::is_whitespace) || name.contains('\0') {
            return refuse("rdma", format!("{name:?} is no name of a device"));
        }
    }
    for (name, value) in &resources.unified {
        if name.contains(['/', '\0']) || name.is_empty() || name.starts_with('.') {
            return refuse("unified", format!("{name:?} is no file of a control group"));
        }
        text("linux.resources.unified", value)?;
    }
    Ok(())
}

pub(super) fn check_path(path: &str, context: &Context<'_>) -> Result<(), Error> {
    text("linux.cgroupsPath", path)?;
    if !context.systemd_cgroup {
        return Ok(());
    }
    let parts: Vec<&str> = path.split(':').collect();
    let [slice, prefix, name] = parts.as_slice() else {
        // The text is runc's.
        return Err(Error::invalid(
            "linux.cgroupsPath",
            format!(
                "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, \
                 got {path:?} instead"
            ),
        ));
    };
    if name.is_empty() || [slice, prefix, name].iter().any(|part| part.contains('/')) {
        return Err(Error::invalid(
            "linux.cgroupsPath",
            format!("{path:?} does not name a unit"),
        ));
    }
    Ok(())
}

fn check_devices(rules: &[DeviceRule]) -> Result<(), Error> {
    for (index, rule) in rules.iter().enumerate() {
        let field = |name: &str| format!("devices[{index}].{name}");
        let kind = rule.kind.as_deref().unwrap_or_default();
        if !matches!(kind, "" | "a" | "b" | "c") {
            return refuse(&field("type"), format!("{kind:?} is none of a, b and c"));
        }
        let access = rule.access.as_deref().unwrap_or_default();
        if let Some(other) = access.chars().find(|one| !"rwm".contains(*one)) {
            return refuse(&field("access"), format!("{other:?} is none of r, w and m"));
        }
    }
    Ok(())
}

fn check_memory(memory: &Memory) -> Result<(), Error> {
    for (field, value) in [
        ("limit", memory.limit),
        ("reservation", memory.reservation),
        ("swap", memory.swap),
        ("kernel", memory.kernel),
        ("kernelTCP", memory.kernel_tcp),
    ] {
        if value.is_some_and(|value| value < -1) {
            return refuse(&format!("memory.{field}"), "must be -1 or not negative");
        }
    }
    if let (Some(limit), Some(swap)) = (memory.limit, memory.swap)
        && limit > 0
        && swap > 0
        && swap < limit
    {
        return refuse(
            "memory.swap",
            "counts memory and swap and must not be below memory.limit",
        );
    }
    if memory.swappiness.is_some_and(|value| value > 100) {
        return refuse("memory.swappiness", "must be from 0 to 100");
    }
    Ok(())
}

fn check_cpu(cpu: &Cpu) -> Result<(), Error> {
    for (field, value) in [
        ("quota", cpu.quota),
        ("realtimeRuntime", cpu.realtime_runtime),
    ] {
        if value.is_some_and(|value| value < -1) {
            return refuse(&format!("cpu.{field}"), "must be -1 or not negative");
        }
    }
    for (field, value) in [("cpus", &cpu.cpus), ("mems", &cpu.mems)] {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            list::check(&format!("linux.resources.cpu.{field}"), value)?;
        }
    }
    if let Some(idle) = cpu.idle
        && !matches!(idle, 0 | 1)
    {
        return refuse("cpu.idle", format!("{idle} is neither 0 nor 1"));
    }
    Ok(())
}

fn check_block_io(block: &BlockIo) -> Result<(), Error> {
    let weight = |field: &str, weight: Option<u16>| match weight {
        Some(weight) if weight != 0 && !WEIGHTS.contains(&weight) => refuse(
            &format!("blockIO.{field}"),
            format!("{weight} is not between 10 and 1000"),
        ),
        _ => Ok(()),
    };
    let device = |list: &str, index: usize, major: i64, minor: i64| {
        for (field, number) in [("major", major), ("minor", minor)] {
            if !(0..=i64::from(u32::MAX)).contains(&number) {
                return refuse(
                    &format!("blockIO.{list}[{index}].{field}"),
                    format!("{number} is no number of a device"),
                );
            }
        }
        Ok(())
    };
    weight("weight", block.weight)?;
    weight("leafWeight", block.leaf_weight)?;
    for (index, one) in block.weight_device.iter().enumerate() {
        device("weightDevice", index, one.major, one.minor)?;
        weight(&format!("weightDevice[{index}].weight"), one.weight)?;
        weight(
            &format!("weightDevice[{index}].leafWeight"),
            one.leaf_weight,
        )?;
    }
    for (list, throttles) in [
        ("throttleReadBpsDevice", &block.throttle_read_bps_device),
        ("throttleWriteBpsDevice", &block.throttle_write_bps_device),
        ("throttleReadIOPSDevice", &block.throttle_read_iops_device),
        ("throttleWriteIOPSDevice", &block.throttle_write_iops_device),
    ] {
        for (index, throttle) in throttles.iter().enumerate() {
            device(list, index, throttle.major, throttle.minor)?;
        }
    }
    Ok(())
}

/// `^[1-9][0-9]*[KMG]B$`, as the specification has it.
fn is_page_size(size: &str) -> bool {
    let digits = ["KB", "MB", "GB"]
        .iter()
        .find_map(|unit| size.strip_suffix(unit));
    digits.is_some_and(|digits| {
        !digits.starts_with('0')
            && !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.len() < 10
    })
}
