//! The container configuration of the OCI runtime specification 1.3
//! (config.json), for Linux, its state, and the features of a runtime.
//!
//! Field names and shapes are the specification's. What it leaves optional is
//! an `Option`, or a list or map that may be empty; what is absent or empty is
//! not written; null is the same as absent. Fields of other platforms are not
//! read.

pub mod features;
mod linux;
mod mount;
mod null;
mod process;
mod resources;
mod seccomp;
mod state;
#[cfg(test)]
mod tests;
mod vocabulary;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use linux::{
    Device, DeviceType, IdMapping, IntelRdt, Linux, MemoryPolicy, MemoryPolicyFlag,
    MemoryPolicyMode, Namespace, NamespaceKind, NetDevice, Personality, PersonalityDomain,
    RootfsPropagation, TimeOffset,
};
pub use mount::Mount;
pub use process::{
    Capabilities, ConsoleSize, ExecCpuAffinity, IoPriority, IoPriorityClass, Process,
    ResourceLimit, Scheduler, SchedulerPolicy, User,
};
pub use resources::{
    BlockIo, Cpu, DeviceRule, HugepageLimit, InterfacePriority, Memory, NetworkResources, Pids,
    Rdma, Resources, ThrottleDevice, WeightDevice,
};
pub use seccomp::{
    Seccomp, SeccompAction, SeccompArchitecture, SeccompArgument, SeccompFlag, SeccompOperator,
    SeccompSyscall,
};
pub use state::{ContainerProcessState, SECCOMP_FD_NAME, State, Status};
pub use vocabulary::words;

/// The version of the specification that this module follows.
pub const VERSION: &str = "1.3.0";

/// A container's whole configuration: config.json.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// Version of the specification that the document follows.
    #[serde(rename = "ociVersion")]
    pub version: String,
    /// The program to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// The root file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<Root>,
    /// Host name, in a UTS namespace of the container's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// NIS domain name, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domainname: Option<String>,
    /// Mounts, in the order in which they are made.
    #[serde(
        default,
        deserialize_with = "null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub mounts: Vec<Mount>,
    /// Programs run at points of the container's life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hooks: Option<Hooks>,
    /// Arbitrary metadata.
    #[serde(
        default,
        deserialize_with = "null::is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub annotations: BTreeMap<String, String>,
    /// Configuration of Linux's own features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linux: Option<Linux>,
}

/// The root file system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Root {
    /// Its directory, absolute or relative to the bundle.
    pub path: String,
    /// Whether it is read-only inside.
    #[serde(
        default,
        deserialize_with = "null::is_default",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub readonly: bool,
}

/// Programs run at points of the container's life.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hooks {
    /// After the namespaces, before the root is changed; superseded.
    #[serde(
        default,
        deserialize_with = "null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub prestart: Vec<Hook>,
    /// After the namespaces, in those of the runtime.
    #[serde(
        default,
        deserialize_with = "null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub create_runtime: Vec<Hook>,
    /// Before the root is changed, in the container's namespaces.
    #[serde(
        default,
        deserialize_with = "null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub create_container: Vec<Hook>,
    /// Before the program starts, in the container's namespaces and root.
    #[serde(
        default,
        deserialize_with = "null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub start_container: Vec<Hook>,
    /// After the program has started.
    #[serde(
        default,
        deserialize_with = "null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub poststart: Vec<Hook>,
    /// After the container has been deleted.
    #[serde(
        default,
        deserialize_with = "null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub poststop: Vec<Hook>,
}

impl Hooks {
    /// Whether there is no hook at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prestart.is_empty()
            && self.create_runtime.is_empty()
            && self.create_container.is_empty()
            && self.start_container.is_empty()
            && self.poststart.is_empty()
            && self.poststop.is_empty()
    }
}

/// One program run at a point of the container's life.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hook {
    /// Absolute path.
    pub path: String,
    /// Arguments, the first being the program's name.
    #[serde(
        default,
        deserialize_with = "null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub args: Vec<String>,
    /// Environment as NAME=value.
    #[serde(
        default,
        deserialize_with = "null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub env: Vec<String>,
    /// Seconds until it is given up; greater than zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
}
