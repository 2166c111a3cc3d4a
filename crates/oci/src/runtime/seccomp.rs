//! `linux.seccomp`: the system call filter.

use serde::{Deserialize, Serialize};

/// A system call filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seccomp {
    /// What happens to calls that no rule names.
    pub default_action: SeccompAction,
    /// Errno of that action; EPERM when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_errno_ret: Option<u32>,
    /// Architectures besides the native one.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub architectures: Vec<SeccompArchitecture>,
    /// Flags of the filter; absent means the runtime's choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags: Option<Vec<SeccompFlag>>,
    /// Socket of the process that answers notifications.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener_path: Option<String>,
    /// Data passed to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener_metadata: Option<String>,
    /// Rules.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub syscalls: Vec<SeccompSyscall>,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SeccompAction {
    /// The thread is killed.
    #[serde(rename = "SCMP_ACT_KILL", alias = "SCMP_ACT_KILL_THREAD")]
    KillThread,
    /// The process is killed.
    #[serde(rename = "SCMP_ACT_KILL_PROCESS")]
    KillProcess,
    /// SIGSYS is raised.
    #[serde(rename = "SCMP_ACT_TRAP")]
    Trap,
    /// The call fails with an errno.
    #[serde(rename = "SCMP_ACT_ERRNO")]
    Errno,
    /// A tracer is told.
    #[serde(rename = "SCMP_ACT_TRACE")]
    Trace,
    /// The call goes on.
    #[serde(rename = "SCMP_ACT_ALLOW")]
    Allow,
    /// The call goes on and is logged.
    #[serde(rename = "SCMP_ACT_LOG")]
    Log,
    /// The listener decides.
    #[serde(rename = "SCMP_ACT_NOTIFY")]
    Notify,
}

impl SeccompAction {
    /// The name in a configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            SeccompAction::KillThread => "SCMP_ACT_KILL",
            SeccompAction::KillProcess => "SCMP_ACT_KILL_PROCESS",
            SeccompAction::Trap => "SCMP_ACT_TRAP",
            SeccompAction::Errno => "SCMP_ACT_ERRNO",
            SeccompAction::Trace => "SCMP_ACT_TRACE",
            SeccompAction::Allow => "SCMP_ACT_ALLOW",
            SeccompAction::Log => "SCMP_ACT_LOG",
            SeccompAction::Notify => "SCMP_ACT_NOTIFY",
        }
    }
}

/// Architectures, by libseccomp's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum SeccompArchitecture {
    #[serde(rename = "SCMP_ARCH_X86")]
    X86,
    #[serde(rename = "SCMP_ARCH_X86_64")]
    X86_64,
    #[serde(rename = "SCMP_ARCH_X32")]
    X32,
    #[serde(rename = "SCMP_ARCH_ARM")]
    Arm,
    #[serde(rename = "SCMP_ARCH_AARCH64")]
    Aarch64,
    #[serde(rename = "SCMP_ARCH_LOONGARCH64")]
    Loongarch64,
    #[serde(rename = "SCMP_ARCH_M68K")]
    M68k,
    #[serde(rename = "SCMP_ARCH_MIPS")]
    Mips,
    #[serde(rename = "SCMP_ARCH_MIPS64")]
    Mips64,
    #[serde(rename = "SCMP_ARCH_MIPS64N32")]
    Mips64N32,
    #[serde(rename = "SCMP_ARCH_MIPSEL")]
    Mipsel,
    #[serde(rename = "SCMP_ARCH_MIPSEL64")]
    Mipsel64,
    #[serde(rename = "SCMP_ARCH_MIPSEL64N32")]
    Mipsel64N32,
    #[serde(rename = "SCMP_ARCH_PPC")]
    Ppc,
    #[serde(rename = "SCMP_ARCH_PPC64")]
    Ppc64,
    #[serde(rename = "SCMP_ARCH_PPC64LE")]
    Ppc64le,
    #[serde(rename = "SCMP_ARCH_S390")]
    S390,
    #[serde(rename = "SCMP_ARCH_S390X")]
    S390x,
    #[serde(rename = "SCMP_ARCH_SH")]
    Sh,
    #[serde(rename = "SCMP_ARCH_SHEB")]
    Sheb,
    #[serde(rename = "SCMP_ARCH_PARISC")]
    Parisc,
    #[serde(rename = "SCMP_ARCH_PARISC64")]
    Parisc64,
    #[serde(rename = "SCMP_ARCH_RISCV64")]
    Riscv64,
}

/// Flags of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SeccompFlag {
    /// All threads get the filter.
    #[serde(rename = "SECCOMP_FILTER_FLAG_TSYNC")]
    ThreadSync,
    /// All actions but allow are logged.
    #[serde(rename = "SECCOMP_FILTER_FLAG_LOG")]
    Log,
    /// No mitigation of speculative store bypass.
    #[serde(rename = "SECCOMP_FILTER_FLAG_SPEC_ALLOW")]
    SpecAllow,
    /// Only fatal signals interrupt a notified call.
    #[serde(rename = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")]
    WaitKillableReceive,
}

/// A rule for some system calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeccompSyscall {
    /// Names; unknown ones are passed over.
    pub names: Vec<String>,
    /// What happens to them.
    pub action: SeccompAction,
    /// Errno, or number for the tracer; EPERM when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errno_ret: Option<u32>,
    /// Conditions, all of which must hold.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub args: Vec<SeccompArgument>,
}

/// A condition on one argument of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeccompArgument {
    /// Which argument, from 0 to 5.
    pub index: u32,
    /// What it is compared with; the mask for a masked comparison.
    pub value: u64,
    /// The masked argument is compared with this.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "is_zero"
    )]
    pub value_two: u64,
    /// How it is compared.
    pub op: SeccompOperator,
}

/// Comparisons of arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum SeccompOperator {
    #[serde(rename = "SCMP_CMP_NE")]
    NotEqual,
    #[serde(rename = "SCMP_CMP_LT")]
    LessThan,
    #[serde(rename = "SCMP_CMP_LE")]
    LessOrEqual,
    #[serde(rename = "SCMP_CMP_EQ")]
    Equal,
    #[serde(rename = "SCMP_CMP_GE")]
    GreaterOrEqual,
    #[serde(rename = "SCMP_CMP_GT")]
    GreaterThan,
    #[serde(rename = "SCMP_CMP_MASKED_EQ")]
    MaskedEqual,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn is_zero(value: &u64) -> bool {
    *value == 0
}
