//! What a container has when nobody asks for anything else: capabilities,
//! system calls, mounts, devices, and paths out of reach. The values are
//! Docker's, which images and people are used to.

mod calls;
#[cfg(test)]
mod tests;

use tare_sys::seccomp::Flags;

use tare_oci::runtime::{
    DeviceRule, Mount, Namespace, NamespaceKind, Seccomp, SeccompAction, SeccompArchitecture,
    SeccompArgument, SeccompFlag, SeccompOperator, SeccompSyscall,
};

/// Capabilities of a container that has not been given others.
pub const CAPABILITIES: [&str; 14] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
];

/// Paths hidden from a container.
pub const MASKED_PATHS: [&str; 12] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// Paths that a container can read but not write.
pub const READONLY_PATHS: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// Mounts of a container, with /dev/shm of the given size in bytes.
#[must_use]
pub fn mounts(shm_size: u64) -> Vec<Mount> {
    let shm_size = format!("size={shm_size}");
    let list: [(&str, &str, &str, &[&str]); 7] = [
        ("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"]),
        (
            "/dev",
            "tmpfs",
            "tmpfs",
            &["nosuid", "strictatime", "mode=755", "size=65536k"],
        ),
        (
            "/dev/pts",
            "devpts",
            "devpts",
            &[
                "nosuid",
                "noexec",
                "newinstance",
                "ptmxmode=0666",
                "mode=0620",
                "gid=5",
            ],
        ),
        (
            "/sys",
            "sysfs",
            "sysfs",
            &["nosuid", "noexec", "nodev", "ro"],
        ),
        (
            "/sys/fs/cgroup",
            "cgroup",
            "cgroup",
            &["ro", "nosuid", "noexec", "nodev"],
        ),
        (
            "/dev/mqueue",
            "mqueue",
            "mqueue",
            &["nosuid", "noexec", "nodev"],
        ),
        (
            "/dev/shm",
            "tmpfs",
            "shm",
            &["nosuid", "noexec", "nodev", "mode=1777", &shm_size],
        ),
    ];
    list.into_iter()
        .map(|(destination, kind, source, options)| Mount {
            destination: destination.to_owned(),
            kind: Some(kind.to_owned()),
            source: Some(source.to_owned()),
            options: options.iter().map(|&option| option.to_owned()).collect(),
            ..Mount::default()
        })
        .collect()
}

/// New namespaces of every kind that isolates a container by default.
#[must_use]
pub fn namespaces() -> Vec<Namespace> {
    [
        NamespaceKind::Mount,
        NamespaceKind::Network,
        NamespaceKind::Uts,
        NamespaceKind::Pid,
        NamespaceKind::Ipc,
        NamespaceKind::Cgroup,
    ]
    .into_iter()
    .map(|kind| Namespace { kind, path: None })
    .collect()
}

/// Access to devices: any may be made, none used but the harmless ones.
#[must_use]
pub fn device_rules() -> Vec<DeviceRule> {
    let rule = |allow, kind: Option<&str>, major, minor, access: &str| DeviceRule {
        allow,
        kind: kind.map(str::to_owned),
        major,
        minor,
        access: Some(access.to_owned()),
    };
    let character = |major, minor| rule(true, Some("c"), Some(major), minor, "rwm");
    vec![
        rule(false, None, None, None, "rwm"),
        rule(true, Some("c"), None, None, "m"),
        rule(true, Some("b"), None, None, "m"),
        character(1, Some(3)), // null
        character(1, Some(5)), // zero
        character(1, Some(7)), // full
        character(1, Some(8)), // random
        character(1, Some(9)), // urandom
        character(5, Some(0)), // tty
        character(5, Some(1)), // console
        character(5, Some(2)), // ptmx
        character(136, None),  // pts
    ]
}

/// What becomes of sockets that 32-bit programs make through i386's
/// `socketcall`, whose address family is behind a pointer and so out of a
/// filter's sight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IndirectSockets {
    /// The call waits for an answer from outside: whoever holds the filter's
    /// listener looks at the family and makes the socket. Without a listener
    /// it fails.
    #[default]
    Supervised,
    /// They are made, AF_ALG and AF_VSOCK ones too, as under Docker's filter
    /// (CVE-2026-31431). For hosts where something else denies these families
    /// to containers, an AppArmor profile say, and programs in them want to
    /// install filters with a listener of their own, of which the kernel
    /// allows one for each process.
    Allowed,
}

/// The system call filter for a container with the given capabilities:
/// Docker's, but for [`IndirectSockets::Supervised`].
#[must_use]
pub fn seccomp<S: AsRef<str>>(capabilities: &[S]) -> Seccomp {
    seccomp_with(capabilities, IndirectSockets::Supervised)
}

/// The system call filter for a container with the given capabilities.
#[must_use]
pub fn seccomp_with<S: AsRef<str>>(capabilities: &[S], sockets: IndirectSockets) -> Seccomp {
    let has = |name: &str| capabilities.iter().any(|one| one.as_ref() == name);
    let is_arm = cfg!(target_arch = "aarch64");
    let mut names: Vec<&str> = calls::ALWAYS.to_vec();
    names.extend(if is_arm {
        &calls::ARM[..]
    } else {
        &calls::X86[..]
    });
    for (capability, allowed) in calls::BY_CAPABILITY {
        if has(capability) {
            names.extend(allowed);
        }
    }
    // Only i386 has the call; a 64-bit machine of another kind never sees it.
    let supervised = sockets == IndirectSockets::Supervised && !is_arm;
    let mut syscalls = Vec::new();
    if supervised {
        // Before the rules for `socket` and its kin, which also mean the way
        // through this call; of rules with conditions the first counts.
        let sys_socket = |action, op| when("socketcall", action, 1, 0, op);
        syscalls.push(sys_socket(SeccompAction::Notify, SeccompOperator::Equal));
        syscalls.push(sys_socket(SeccompAction::Allow, SeccompOperator::NotEqual));
    } else {
        names.push("socketcall");
    }
    syscalls.push(SeccompSyscall {
        names: names.into_iter().map(str::to_owned).collect(),
        action: SeccompAction::Allow,
        errno_ret: None,
        args: Vec::new(),
    });
    let mut allow_when = |name: &str, value, value_two, op| {
        syscalls.push(when(name, SeccompAction::Allow, value, value_two, op));
    };
    // Every family but AF_ALG (38) and AF_VSOCK (40), which reach beyond the
    // network namespace.
    allow_when("socket", 38, 0, SeccompOperator::LessThan);
    allow_when("socket", 39, 0, SeccompOperator::Equal);
    allow_when("socket", 40, 0, SeccompOperator::GreaterThan);
    // PER_LINUX, PER_LINUX32, both with UNAME26, and asking.
    for personality in [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff] {
        allow_when("personality", personality, 0, SeccompOperator::Equal);
    }
    if !has("CAP_SYS_ADMIN") {
        // No new namespaces: CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET.
        const NAMESPACES: u64 = 0x7e02_0000;
        allow_when("clone", NAMESPACES, 0, SeccompOperator::MaskedEqual);
        // The flags of clone3 are out of a filter's sight: programs are to
        // fall back to clone.
        syscalls.push(SeccompSyscall {
            names: vec!["clone3".to_owned()],
            action: SeccompAction::Errno,
            errno_ret: Some(38),
            args: Vec::new(),
        });
    }
    Seccomp {
        default_action: SeccompAction::Errno,
        default_errno_ret: Some(1),
        architectures: if is_arm {
            vec![SeccompArchitecture::Aarch64, SeccompArchitecture::Arm]
        } else {
            vec![
                SeccompArchitecture::X86_64,
                SeccompArchitecture::X86,
                SeccompArchitecture::X32,
            ]
        },
        flags: supervised.then(flags).flatten(),
        listener_path: None,
        listener_metadata: None,
        syscalls,
    }
}

fn when(
    name: &str,
    action: SeccompAction,
    value: u64,
    value_two: u64,
    op: SeccompOperator,
) -> SeccompSyscall {
    SeccompSyscall {
        names: vec![name.to_owned()],
        action,
        errno_ret: None,
        args: vec![SeccompArgument {
            index: 0,
            value,
            value_two,
            op,
        }],
    }
}

/// Flags for a filter that notifies. `socketcall` is never interrupted by a
/// signal when it makes a socket, so a program may not be prepared for it;
/// kernels before 5.19 cannot keep signals off while a call is answered.
fn flags() -> Option<Vec<SeccompFlag>> {
    let wanted = Flags(Flags::NEW_LISTENER | Flags::WAIT_KILLABLE_RECEIVE);
    tare_sys::seccomp::knows(wanted)
        .then(|| vec![SeccompFlag::SpecAllow, SeccompFlag::WaitKillableReceive])
}
