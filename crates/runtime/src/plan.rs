//! What a configuration means for the way its container is made, and what of
//! it is refused.

use std::borrow::Cow;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use tare_oci::runtime::{Mount, NamespaceKind, Process, Resources, Seccomp, Spec};
use tare_sys::namespace::Kinds;

use crate::cgroup::Driver;
use crate::config::{self, Context};
use crate::error::Error;
use crate::init::{kinds, name};
use crate::process::has_selinux;
use crate::rootfs;
use crate::seccomp::{self, Cache};

pub(crate) use crate::config::parameter_path;

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
        Ok(namespaces)
    }

    /// The PID namespace to be born in, when it is another's.
    pub(crate) fn joined_pid(&self) -> Option<&OwnedFd> {
        self.join
            .iter()
            .find(|(kind, _)| *kind == NamespaceKind::Pid)
            .map(|(_, namespace)| namespace)
    }
}

/// The configuration with the sources of bind mounts, which may be relative to
/// the bundle (config.md, "Mounts"), as absolute paths.
pub(crate) fn with_absolute_sources<'a>(spec: &'a Spec, bundle: &Path) -> Cow<'a, Spec> {
    let is_relative = |mount: &Mount| {
        let source = mount.source.as_deref().unwrap_or_default();
        !source.is_empty() && !source.starts_with('/') && rootfs::is_bind(mount)
    };
    if bundle.as_os_str().is_empty() || !spec.mounts.iter().any(is_relative) {
        return Cow::Borrowed(spec);
    }
    let mut spec = spec.clone();
    for mount in spec.mounts.iter_mut().filter(|mount| is_relative(mount)) {
        let source = mount.source.as_deref().unwrap_or_default();
        mount.source = Some(bundle.join(source).display().to_string());
    }
    Cow::Owned(spec)
}

/// The program of a configuration.
pub(crate) fn process(spec: &Spec) -> Result<&Process, Error> {
    spec.process
        .as_ref()
        .ok_or_else(|| Error::configuration("process", "is missing"))
}

/// The resources of a configuration. What every container may do with devices
/// (config-linux.md, "Default Devices") is added where the rules are applied.
pub(crate) fn resources(spec: &Spec) -> Resources {
    spec.linux
        .as_ref()
        .and_then(|linux| linux.resources.clone())
        .unwrap_or_default()
}

/// Path of the control groups, in the driver's form; empty for the defaults of
/// systemd's.
pub(crate) fn cgroup_path(spec: &Spec, id: &str, driver: Driver) -> String {
    spec.linux
        .as_ref()
        .and_then(|linux| linux.cgroups_path.clone())
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| match driver {
            Driver::Cgroupfs => format!("/tare/{id}"),
            Driver::Systemd => String::new(),
        })
}

/// The configured system call filter.
pub(crate) fn seccomp(spec: &Spec) -> Option<&Seccomp> {
    spec.linux.as_ref()?.seccomp.as_ref()
}

/// The filter, compiled or out of the cache, and encoded; empty for none.
pub(crate) fn filter(
    configured: Option<&Seccomp>,
    cache: Option<&Cache>,
) -> Result<Vec<u8>, Error> {
    let Some(configured) = configured else {
        return Ok(Vec::new());
    };
    let filter = match cache {
        Some(cache) => cache.filter(configured),
        None => seccomp::compile(configured),
    };
    filter
        .map(|filter| filter.encode())
        .map_err(|error| Error::configuration("linux.seccomp", error.to_string()))
}

/// Refuses what makes no sense, what would be ignored otherwise, and what would
/// reach beyond the container.
pub(crate) fn check(
    spec: &Spec,
    given: &[(NamespaceKind, OwnedFd)],
    context: Context<'_>,
) -> Result<(), Error> {
    let given: Vec<NamespaceKind> = given.iter().map(|(kind, _)| *kind).collect();
    let context = Context {
        given: &given,
        ..context
    };
    config::validate(spec, &context).map_err(Error::from)?;
    let label = spec
        .linux
        .as_ref()
        .and_then(|linux| linux.mount_label.as_deref());
    if label.is_some_and(|label| !label.is_empty()) && !has_selinux() {
        // The kernel would refuse the first mount of it, as with runc.
        return Err(Error::configuration(
            "linux.mountLabel",
            "the host has no SELinux, or it is off",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
