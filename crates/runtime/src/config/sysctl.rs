//! `linux.sysctl`: kernel parameters.

use tare_oci::runtime::{NamespaceKind, Spec};

use super::{Context, Error, has_own, text};
use crate::init::name;

/// Parameters of an IPC namespace, besides all below fs/mqueue.
const IPC: [&str; 8] = [
    "kernel/msgmax",
    "kernel/msgmnb",
    "kernel/msgmni",
    "kernel/sem",
    "kernel/shmall",
    "kernel/shmmax",
    "kernel/shmmni",
    "kernel/shm_rmid_forced",
];

pub(super) fn check(spec: &Spec, context: &Context<'_>) -> Result<(), Error> {
    let parameters = spec.linux.iter().flat_map(|linux| &linux.sysctl);
    for (parameter, value) in parameters {
        text("linux.sysctl", value)?;
        check_parameter(parameter, |kind| has_own(spec, context, kind))?;
    }
    Ok(())
}

/// The path of a kernel parameter below /proc/sys. Dots separate, and slashes
/// stand for dots in an interface's name (`net.ipv4.conf.eth0/1.forwarding`);
/// where the first separator is a slash it is the other way round (sysctl(8)).
pub(crate) fn parameter_path(parameter: &str) -> String {
    if parameter.find(['/', '.']).map(|at| &parameter[at..=at]) == Some("/") {
        return parameter.to_owned();
    }
    parameter
        .chars()
        .map(|character| match character {
            '.' => '/',
            '/' => '.',
            other => other,
        })
        .collect()
}

/// A kernel parameter may be set only in a namespace of the container's own:
/// any other is the host's.
fn check_parameter(parameter: &str, has: impl Fn(NamespaceKind) -> bool) -> Result<(), Error> {
    let path = parameter_path(parameter);
    let refuse = |reason: &str| {
        Err(Error::invalid(
            "linux.sysctl",
            format!("{parameter:?} {reason}"),
        ))
    };
    let is_no_name = |part: &str| matches!(part, "" | "." | "..") || part.contains('\0');
    if path.split('/').any(is_no_name) {
        return refuse("is no kernel parameter");
    }
    let needed = if IPC.contains(&path.as_str()) || path.starts_with("fs/mqueue/") {
        NamespaceKind::Ipc
    } else if path.starts_with("net/") {
        NamespaceKind::Network
    } else if path == "kernel/domainname" {
        NamespaceKind::Uts
    } else if path == "kernel/hostname" {
        return refuse("is set by the hostname");
    } else {
        return refuse("is not in a separate kernel namespace");
    };
    if has(needed) {
        Ok(())
    } else {
        refuse(&format!(
            "is not allowed without a {} namespace of the container's own",
            name(needed)
        ))
    }
}
