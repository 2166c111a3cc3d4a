//! Our filters against those of the real thing, number by number.
//!
//! What proves what:
//!
//! - `against_runc`: what our compiler makes of a configuration is what runc
//!   makes of it with libseccomp. The filter is not runc's word for it: a
//!   container is started, and the filter in force read back from the kernel.
//! - `against_docker`: our default profile is Docker's. A real `dockerd` of
//!   Debian's starts containers with several sets of capabilities, whose
//!   filters are read back. Debian's is some years old; what Docker has changed
//!   since is listed, and nothing else may differ.
//! - `against_profile`: with `TARE_DOCKER_SECCOMP_PROFILE` naming a file of
//!   today's profile of Docker's, that without any difference.
//!
//! The intended difference, which all leave out: the default filter asks about
//! `socketcall(SYS_SOCKET)` (`defaults::IndirectSockets`).

mod against_docker;
mod against_profile;
mod against_runc;
mod compare;
#[path = "../../src/seccomp/interpret.rs"]
mod interpret;

use tare_runtime::defaults;

/// Sets of capabilities that the profile treats differently: the default,
/// none, and some more each.
fn capability_sets() -> Vec<Vec<&'static str>> {
    let with = |more: &[&'static str]| [&defaults::CAPABILITIES[..], more].concat();
    vec![
        with(&[]),
        vec![],
        with(&["CAP_SYS_ADMIN"]),
        with(&[
            "CAP_BPF",
            "CAP_DAC_READ_SEARCH",
            "CAP_PERFMON",
            "CAP_SYSLOG",
            "CAP_SYS_BOOT",
            "CAP_SYS_MODULE",
            "CAP_SYS_NICE",
            "CAP_SYS_PACCT",
            "CAP_SYS_PTRACE",
            "CAP_SYS_RAWIO",
            "CAP_SYS_TIME",
            "CAP_SYS_TTY_CONFIG",
        ]),
    ]
}
