//! What a configuration means for the way its container is made, and what of
//! it is refused.

use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};
use tare_oci::runtime::{NamespaceKind, Process, Seccomp, Spec};
use tare_sys::namespace::Kinds;

use crate::error::Error;
use crate::init::{kinds, name};
use crate::seccomp;

/// Namespaces to make and to join.
#[derive(Debug)]
pub(crate) struct Namespaces {
    /// Made by the clone itself.
    pub(crate) cloned: Kinds,
    /// Made after the control groups have been entered.
    pub(crate) new_cgroup: bool,
    /// Made by itself, because its offsets come before its first process.
    pub(crate) new_time: bool,
    /// Joined.
    pub(crate) join: Vec<(NamespaceKind, OwnedFd)>,
    /// All those that are not the caller's.
    pub(crate) all: Kinds,
}

impl Namespaces {
    /// Sorts the configured namespaces and those given as descriptors, which
    /// prevail.
    pub(crate) fn plan(
        spec: &Spec,
        given: Vec<(NamespaceKind, OwnedFd)>,
    ) -> Result<Namespaces, Error> {
        let mut namespaces = Namespaces {
            cloned: Kinds::NONE,
            new_cgroup: false,
            new_time: false,
            join: given,
            all: Kinds::NONE,
        };
        let configured = spec.linux.iter().flat_map(|linux| &linux.namespaces);
        for namespace in configured {
            let kind = namespace.kind;
            if namespaces.join.iter().any(|(joined, _)| *joined == kind) {
                continue;
            }
            if namespaces.all.contains(kinds(kind)) {
                return Err(Error::configuration(
                    "linux.namespaces",
                    format!("{} is listed twice", name(kind)),
                ));
            }
            match namespace.path.as_deref().filter(|path| !path.is_empty()) {
                Some(path) => {
                    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
                    let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| {
                        Error::configuration(
                            "linux.namespaces",
                            format!("{} namespace {path}: {error}", name(kind)),
                        )
                    })?;
                    namespaces.join.push((kind, opened));
                }
                None => match kind {
                    NamespaceKind::Cgroup => namespaces.new_cgroup = true,
                    NamespaceKind::Time => namespaces.new_time = true,
                    _ => namespaces.cloned = namespaces.cloned.union(kinds(kind)),
                },
            }
            namespaces.all = namespaces.all.union(kinds(kind));
        }
        for (kind, _) in &namespaces.join {
            namespaces.all = namespaces.all.union(kinds(*kind));
        }
        if namespaces.cloned.contains(Kinds::USER) {
            let linux = spec.linux.as_ref();
            for (field, mappings) in [
                ("linux.uidMappings", linux.map(|linux| &linux.uid_mappings)),
                ("linux.gidMappings", linux.map(|linux| &linux.gid_mappings)),
            ] {
                if mappings.is_none_or(Vec::is_empty) {
                    return Err(Error::configuration(
                        field,
                        "is missing: a new user namespace needs it",
                    ));
                }
            }
        }
        Ok(namespaces)
    }

    /// The PID namespace to be born in, when it is another's.
    pub(crate) fn joined_pid(&self) -> Option<&OwnedFd> {
        self.join
            .iter()
            .find(|(kind, _)| *kind == NamespaceKind::Pid)
            .map(|(_, namespace)| namespace)
    }

    fn has_own(spec: &Spec, given: &[(NamespaceKind, OwnedFd)], kind: NamespaceKind) -> bool {
        spec.linux
            .iter()
            .flat_map(|linux| &linux.namespaces)
            .any(|namespace| namespace.kind == kind)
            || given.iter().any(|(joined, _)| *joined == kind)
    }
}

/// The program of a configuration.
pub(crate) fn process(spec: &Spec) -> Result<&Process, Error> {
    spec.process
        .as_ref()
        .ok_or_else(|| Error::configuration("process", "is missing"))
}

/// Path of the control groups.
pub(crate) fn cgroup_path(spec: &Spec, id: &str) -> String {
    spec.linux
        .as_ref()
        .and_then(|linux| linux.cgroups_path.clone())
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| format!("/tare/{id}"))
}

/// The configured system call filter.
pub(crate) fn seccomp(spec: &Spec) -> Option<&Seccomp> {
    spec.linux.as_ref()?.seccomp.as_ref()
}

/// The filter, compiled and encoded; empty for none.
pub(crate) fn filter(configured: Option<&Seccomp>) -> Result<Vec<u8>, Error> {
    let Some(configured) = configured else {
        return Ok(Vec::new());
    };
    seccomp::compile(configured)
        .map(|filter| filter.encode())
        .map_err(|error| Error::configuration("linux.seccomp", error.to_string()))
}

/// Refuses what would be ignored otherwise, and what would reach beyond the
/// container.
pub(crate) fn check(spec: &Spec, given: &[(NamespaceKind, OwnedFd)]) -> Result<(), Error> {
    let unsupported = |field: &str| Err(Error::configuration(field, "is not supported yet"));
    let has = |kind| Namespaces::has_own(spec, given, kind);
    for (field, value) in [
        ("hostname", &spec.hostname),
        ("domainname", &spec.domainname),
    ] {
        if value.as_deref().is_some_and(|value| !value.is_empty()) && !has(NamespaceKind::Uts) {
            return Err(Error::configuration(
                field,
                "needs a UTS namespace of the container's own",
            ));
        }
    }
    for (index, mount) in spec.mounts.iter().enumerate() {
        if mount.destination.is_empty() {
            return Err(Error::configuration(
                format!("mounts[{index}].destination"),
                "is empty",
            ));
        }
        if !mount.uid_mappings.is_empty() || !mount.gid_mappings.is_empty() {
            return unsupported(&format!("mounts[{index}].uidMappings"));
        }
    }
    let Some(linux) = &spec.linux else {
        return Ok(());
    };
    if !linux.net_devices.is_empty() {
        return unsupported("linux.netDevices");
    }
    if linux.intel_rdt.is_some() {
        return unsupported("linux.intelRdt");
    }
    if linux.memory_policy.is_some() {
        return unsupported("linux.memoryPolicy");
    }
    if !linux.time_offsets.is_empty() && !has(NamespaceKind::Time) {
        return Err(Error::configuration(
            "linux.timeOffsets",
            "needs a time namespace of the container's own",
        ));
    }
    for parameter in linux.sysctl.keys() {
        check_parameter(parameter, &has)?;
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
fn check_parameter(parameter: &str, has: &dyn Fn(NamespaceKind) -> bool) -> Result<(), Error> {
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
    let path = parameter_path(parameter);
    let refuse = |reason: &str| {
        Err(Error::configuration(
            "linux.sysctl",
            format!("{parameter:?} {reason}"),
        ))
    };
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
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

#[cfg(test)]
mod tests;
