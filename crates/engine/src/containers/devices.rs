//! Devices: the rules every container has, and nodes of the host asked for.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use tare_engine_api::HostConfig;
use tare_oci::runtime::{Device, DeviceRule, DeviceType};
use tare_runtime::defaults;

use crate::error::{Error, Result};

/// Device nodes to make and what the control group allows.
pub(crate) struct Devices {
    pub(crate) nodes: Vec<Device>,
    pub(crate) rules: Vec<DeviceRule>,
}

/// The devices that `host_config` gives a container.
pub(crate) fn collect(host_config: &HostConfig) -> Result<Devices> {
    if host_config.privileged {
        let mut nodes = Vec::new();
        every_node(Path::new("/dev"), &mut nodes);
        let all = DeviceRule {
            allow: true,
            access: Some("rwm".to_owned()),
            ..DeviceRule::default()
        };
        return Ok(Devices {
            nodes,
            rules: vec![all],
        });
    }
    let mut devices = Devices {
        nodes: Vec::new(),
        rules: defaults::device_rules(),
    };
    for mapping in host_config.devices.iter().flatten() {
        let inside = if mapping.path_in_container.is_empty() {
            &mapping.path_on_host
        } else {
            &mapping.path_in_container
        };
        let access = if mapping.cgroup_permissions.is_empty() {
            "rwm"
        } else {
            mapping.cgroup_permissions.as_str()
        };
        if !access.chars().all(|letter| "rwm".contains(letter)) {
            return Err(Error::invalid(format!("invalid device mode: {access}")));
        }
        let node = node(Path::new(&mapping.path_on_host), inside).ok_or_else(|| {
            Error::invalid(format!(
                "error gathering device information while adding custom device \"{}\": not a device node",
                mapping.path_on_host
            ))
        })?;
        devices.rules.push(DeviceRule {
            allow: true,
            kind: Some(
                if node.kind == DeviceType::Block {
                    "b"
                } else {
                    "c"
                }
                .to_owned(),
            ),
            major: Some(node.major),
            minor: Some(node.minor),
            access: Some(access.to_owned()),
        });
        devices.nodes.push(node);
    }
    Ok(devices)
}

/// The node at `path`, to appear at `inside`; `None` when it is none.
fn node(path: &Path, inside: &str) -> Option<Device> {
    let metadata = path.metadata().ok()?;
    let kind = if metadata.file_type().is_block_device() {
        DeviceType::Block
    } else if metadata.file_type().is_char_device() {
        DeviceType::Character
    } else {
        return None;
    };
    Some(Device {
        path: inside.to_owned(),
        kind,
        major: i64::from(rustix::fs::major(metadata.rdev())),
        minor: i64::from(rustix::fs::minor(metadata.rdev())),
        file_mode: Some(metadata.mode() & 0o7777),
        uid: Some(metadata.uid()),
        gid: Some(metadata.gid()),
    })
}

/// All nodes below `directory`, but for what a container has of its own.
fn every_node(directory: &Path, nodes: &mut Vec<Device>) {
    let Ok(entries) = directory.read_dir() else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(file_type) = entry.file_type() else {
            continue;
        };
        if file_type.is_dir() {
            if !["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"]
                .iter()
                .any(|name| path.ends_with(name))
            {
                every_node(&path, nodes);
            }
        } else if !file_type.is_symlink()
            && !["console", "ptmx", "tty"]
                .iter()
                .any(|name| path.ends_with(name))
        {
            nodes.extend(path.to_str().and_then(|inside| node(&path, inside)));
        }
    }
}
