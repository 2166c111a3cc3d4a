//! `process`: the program, its identity and its limits.

use serde::{Deserialize, Serialize};

/// The program to run in a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// Whether standard input and output are a new terminal.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub terminal: bool,
    /// Size of that terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_size: Option<ConsoleSize>,
    /// Identity.
    #[serde(default, deserialize_with = "super::null::is_default")]
    pub user: User,
    /// Program and arguments.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub args: Vec<String>,
    /// Environment as NAME=value.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub env: Vec<String>,
    /// Working directory, absolute.
    pub cwd: String,
    /// Capability sets; absent means none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Capabilities>,
    /// Resource limits.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub rlimits: Vec<ResourceLimit>,
    /// Whether no program may gain privileges.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub no_new_privileges: bool,
    /// AppArmor profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apparmor_profile: Option<String>,
    /// Adjustment of the out-of-memory score, -1000 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oom_score_adj: Option<i32>,
    /// Scheduler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<Scheduler>,
    /// SELinux label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selinux_label: Option<String>,
    /// I/O priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub io_priority: Option<IoPriority>,
    /// CPU affinity of processes executed later.
    #[serde(rename = "execCPUAffinity", skip_serializing_if = "Option::is_none")]
    pub exec_cpu_affinity: Option<ExecCpuAffinity>,
}

/// Size of a terminal in characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleSize {
    /// Rows.
    pub height: u64,
    /// Columns.
    pub width: u64,
}

/// Identity of a process, in the container's user namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// User ID.
    #[serde(default, deserialize_with = "super::null::is_default")]
    pub uid: u32,
    /// Group ID.
    #[serde(default, deserialize_with = "super::null::is_default")]
    pub gid: u32,
    /// File mode creation mask; 0o022 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub umask: Option<u32>,
    /// Supplementary groups.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub additional_gids: Vec<u32>,
    /// Name, on platforms where that is the identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

/// Capability sets as lists of names (`CAP_CHOWN`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// What may ever be gained.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub bounding: Vec<String>,
    /// What is in force.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub effective: Vec<String>,
    /// What programs with file capabilities inherit.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub inheritable: Vec<String>,
    /// What may be put in force.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub permitted: Vec<String>,
    /// What ordinary programs keep.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub ambient: Vec<String>,
}

/// A resource limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceLimit {
    /// Name, as `RLIMIT_NOFILE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Ceiling of the soft limit.
    pub hard: u64,
    /// The limit in force.
    pub soft: u64,
}

/// Scheduling of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduler {
    /// Policy.
    pub policy: SchedulerPolicy,
    /// Nice value, for the time-sharing policies.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "is_zero_i32"
    )]
    pub nice: i32,
    /// Static priority, for the real-time policies.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "is_zero_i32"
    )]
    pub priority: i32,
    /// `SCHED_FLAG_*` names.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub flags: Vec<String>,
    /// Nanoseconds, for the deadline policy.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "is_zero_u64"
    )]
    pub runtime: u64,
    /// Nanoseconds, for the deadline policy.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "is_zero_u64"
    )]
    pub deadline: u64,
    /// Nanoseconds, for the deadline policy.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "is_zero_u64"
    )]
    pub period: u64,
}

/// Scheduling policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are the kernel's")]
pub enum SchedulerPolicy {
    SchedOther,
    SchedFifo,
    SchedRr,
    SchedBatch,
    SchedIso,
    SchedIdle,
    SchedDeadline,
}

/// I/O priority of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IoPriority {
    /// Class.
    pub class: IoPriorityClass,
    /// Priority in the class, 0 (highest) to 7.
    #[serde(default, deserialize_with = "super::null::is_default")]
    pub priority: i32,
}

/// I/O priority classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IoPriorityClass {
    /// Real time.
    #[serde(rename = "IOPRIO_CLASS_RT")]
    RealTime,
    /// Best effort.
    #[serde(rename = "IOPRIO_CLASS_BE")]
    BestEffort,
    /// Only when the disk is idle.
    #[serde(rename = "IOPRIO_CLASS_IDLE")]
    Idle,
}

/// CPUs for processes executed in a running container, as lists (`0-3,7`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecCpuAffinity {
    /// While the runtime prepares the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial: Option<String>,
    /// From the program's start on.
    #[serde(rename = "final", skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn is_zero_i32(value: &i32) -> bool {
    *value == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn is_zero_u64(value: &u64) -> bool {
    *value == 0
}
