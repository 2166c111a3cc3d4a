//! `linux`: namespaces, devices, masks and the rest of Linux's own features.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Resources, Seccomp};

/// Configuration of Linux's own features.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Linux {
    /// User ID mappings of a new user namespace.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub uid_mappings: Vec<IdMapping>,
    /// Group ID mappings of a new user namespace.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub gid_mappings: Vec<IdMapping>,
    /// Kernel parameters of the container's namespaces.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub sysctl: BTreeMap<String, String>,
    /// Limits of the control groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// Path of the control groups: below the hierarchies' roots when absolute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroups_path: Option<String>,
    /// Namespaces, made or joined.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub namespaces: Vec<Namespace>,
    /// Device files to make.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub devices: Vec<Device>,
    /// Network interfaces to move into the container, by name on the host.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub net_devices: BTreeMap<String, NetDevice>,
    /// System call filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seccomp: Option<Seccomp>,
    /// Propagation of mounts between the root and the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rootfs_propagation: Option<RootfsPropagation>,
    /// Paths that cannot be read inside.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub masked_paths: Vec<String>,
    /// Paths that cannot be written inside.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub readonly_paths: Vec<String>,
    /// SELinux label of the mounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount_label: Option<String>,
    /// Cache and memory bandwidth allocation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intel_rdt: Option<IntelRdt>,
    /// NUMA memory policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_policy: Option<MemoryPolicy>,
    /// Execution domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personality: Option<Personality>,
    /// Clock offsets of a new time namespace, by clock name.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub time_offsets: BTreeMap<String, TimeOffset>,
}

/// A range of IDs mapped between host and container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMapping {
    /// First ID inside.
    #[serde(rename = "containerID")]
    pub container_id: u32,
    /// First ID on the host.
    #[serde(rename = "hostID")]
    pub host_id: u32,
    /// Number of IDs.
    pub size: u32,
}

/// A namespace, new or to be joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// Kind.
    #[serde(rename = "type")]
    pub kind: NamespaceKind,
    /// File of the namespace to join; absent for a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// Kinds of namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NamespaceKind {
    /// Process IDs.
    Pid,
    /// Interfaces, addresses, ports, rules.
    Network,
    /// Mounts.
    Mount,
    /// System V IPC and POSIX message queues.
    Ipc,
    /// Host and domain name.
    Uts,
    /// User and group IDs.
    User,
    /// Control groups.
    Cgroup,
    /// Clocks.
    Time,
}

/// A device file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Path in the container.
    pub path: String,
    /// Type.
    #[serde(rename = "type")]
    pub kind: DeviceType,
    /// Major number; [`Device::NO_NUMBER`] when absent, as for a FIFO.
    #[serde(
        default = "no_number",
        deserialize_with = "number",
        skip_serializing_if = "is_no_number"
    )]
    pub major: i64,
    /// Minor number, likewise.
    #[serde(
        default = "no_number",
        deserialize_with = "number",
        skip_serializing_if = "is_no_number"
    )]
    pub minor: i64,
    /// Permissions; 0o666 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_mode: Option<u32>,
    /// Owner in the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Group in the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
}

impl Device {
    /// In the place of a number that is not given.
    pub const NO_NUMBER: i64 = -1;
}

fn no_number() -> i64 {
    Device::NO_NUMBER
}

fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(Device::NO_NUMBER))
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn is_no_number(number: &i64) -> bool {
    *number == Device::NO_NUMBER
}

/// Types of device files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceType {
    /// Character device.
    #[serde(rename = "c", alias = "u")]
    Character,
    /// Block device.
    #[serde(rename = "b")]
    Block,
    /// FIFO.
    #[serde(rename = "p")]
    Fifo,
}

/// A network interface moved into the container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetDevice {
    /// Its name inside; unchanged when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Propagation of mounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are mount(8)'s")]
pub enum RootfsPropagation {
    Private,
    Rprivate,
    Shared,
    Rshared,
    Slave,
    Rslave,
    Unbindable,
    Runbindable,
}

/// Cache and memory bandwidth allocation (resctrl).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IntelRdt {
    /// Class of service.
    #[serde(rename = "closID", skip_serializing_if = "Option::is_none")]
    pub class_id: Option<String>,
    /// Schemata lines.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub schemata: Vec<String>,
    /// Level 3 cache schema.
    #[serde(rename = "l3CacheSchema", skip_serializing_if = "Option::is_none")]
    pub l3_cache_schema: Option<String>,
    /// Memory bandwidth schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mem_bw_schema: Option<String>,
    /// Whether cache occupancy is watched; superseded by `enable_monitoring`.
    #[serde(
        rename = "enableCMT",
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub enable_cache_monitoring: bool,
    /// Whether memory bandwidth is watched; superseded likewise.
    #[serde(
        rename = "enableMBM",
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub enable_bandwidth_monitoring: bool,
    /// Whether a monitoring group is made.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub enable_monitoring: bool,
}

/// NUMA memory policy of a container's processes (set_mempolicy(2)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryPolicy {
    /// Mode.
    pub mode: MemoryPolicyMode,
    /// Nodes as a list (`0-3,7`).
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub nodes: String,
    /// Flags of the mode.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub flags: Vec<MemoryPolicyFlag>,
}

/// Modes of a memory policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are the kernel's")]
pub enum MemoryPolicyMode {
    MpolDefault,
    MpolBind,
    MpolInterleave,
    MpolWeightedInterleave,
    MpolPreferred,
    MpolPreferredMany,
    MpolLocal,
}

/// Flags of a memory policy's mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemoryPolicyFlag {
    /// Pages may move to the node that uses them.
    #[serde(rename = "MPOL_F_NUMA_BALANCING")]
    NumaBalancing,
    /// Nodes count from the first that the process may use.
    #[serde(rename = "MPOL_F_RELATIVE_NODES")]
    RelativeNodes,
    /// Nodes stay the same when those that the process may use change.
    #[serde(rename = "MPOL_F_STATIC_NODES")]
    StaticNodes,
}

/// Execution domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personality {
    /// Domain.
    pub domain: PersonalityDomain,
    /// None is defined.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub flags: Vec<String>,
}

/// Execution domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PersonalityDomain {
    /// The host's own.
    #[serde(rename = "LINUX")]
    Linux,
    /// As on a 32-bit machine.
    #[serde(rename = "LINUX32")]
    Linux32,
}

/// Offset of a clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeOffset {
    /// Seconds.
    #[serde(default, deserialize_with = "super::null::is_default")]
    pub secs: i64,
    /// Nanoseconds.
    #[serde(default, deserialize_with = "super::null::is_default")]
    pub nanosecs: u32,
}
