//! A bundle's config.json: read within bounds, and checked before anything is
//! made of it.
//!
//! The document is a stranger's. Reading it costs a multiple of its size in
//! memory at most, its nesting is bounded, and whatever is wrong with it is one
//! line that names the property by its path. A document that passes
//! [`validate`] asks for nothing that can be known to be meaningless without
//! trying it; what fails later fails because of this host.
//!
//! Properties that the specification does not define are passed over
//! (config.md, "Extensibility"). Null is the same as absent, as Go programs
//! mean it. Names of properties are taken exactly, and none may occur twice in
//! an object; Go's decoder is lax in both.

mod devices;
mod error;
mod hooks;
mod location;
mod mappings;
mod memory_policy;
mod mounts;
mod namespaces;
mod net_devices;
mod process;
mod rdt;
mod scheduling;
mod seccomp;
mod supported;
mod sysctl;
#[cfg(test)]
mod tests;
mod version;
mod warnings;

use std::io::Read;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};
use tare_oci::runtime::{Linux, NamespaceKind, Process, Spec};

use crate::cgroup;

pub use error::Error;
pub(crate) use supported::{Feature, is_supported};
pub(crate) use sysctl::parameter_path;
pub use warnings::warnings;

/// The largest document that is read. The largest ones seen, with thousands of
/// mounts and variables, are below 1 MiB.
pub const MAXIMUM_SIZE: usize = 16 << 20;

/// The file's name in its bundle.
const NAME: &str = "config.json";

/// What a configuration is to be used for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Context<'a> {
    /// Whether the runtime has no privileges on the host.
    pub rootless: bool,
    /// Kinds of the namespaces that the caller has open already. The
    /// configuration's own of the same kinds do not count.
    pub given: &'a [NamespaceKind],
    /// Whether the caller has a root file system of its own, and `root.path`
    /// is not looked at.
    pub root_given: bool,
    /// Whether the caller keeps the listener of a system call filter that the
    /// configuration sends to nobody.
    pub keeps_listener: bool,
}

/// Reads and checks the form of the config.json of a bundle.
///
/// # Errors
/// When there is none, it cannot be read, or it does not have the form of a
/// configuration.
pub fn load(bundle: &Path) -> Result<Spec, Error> {
    parse(&read(bundle)?)
}

/// Reads the config.json of a bundle, within bounds.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn read(bundle: &Path) -> Result<Vec<u8>, Error> {
    // A FIFO there must not hold the runtime up.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file =
        rustix::fs::open(bundle.join(NAME), flags, Mode::empty()).map_err(|error| match error {
            rustix::io::Errno::NOENT => Error::Missing,
            error => Error::Read(error.into()),
        })?;
    let status = rustix::fs::fstat(&file).map_err(|error| Error::Read(error.into()))?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
        return Err(Error::NotRegular);
    }
    let expected = usize::try_from(status.st_size).unwrap_or(usize::MAX);
    if expected > MAXIMUM_SIZE {
        return Err(Error::TooLarge(NAME.to_owned()));
    }
    let mut bytes = Vec::with_capacity(expected + 1);
    std::fs::File::from(file)
        .take(MAXIMUM_SIZE as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(Error::Read)?;
    Ok(bytes)
}

/// Checks the form of a config.json.
///
/// # Errors
/// When it is too large or does not have the form of a configuration.
pub fn parse(bytes: &[u8]) -> Result<Spec, Error> {
    parse_as(NAME, bytes)
}

/// Checks the form of a `process` object that stands by itself, as `exec` is
/// given one in the file `name`.
///
/// # Errors
/// As [`parse`].
pub fn parse_process(name: &str, bytes: &[u8]) -> Result<Process, Error> {
    parse_as(name, bytes)
}

fn parse_as<'a, T: serde::Deserialize<'a>>(name: &str, bytes: &'a [u8]) -> Result<T, Error> {
    if bytes.len() > MAXIMUM_SIZE {
        return Err(Error::TooLarge(name.to_owned()));
    }
    serde_json::from_slice(bytes).map_err(|error| Error::form(name, bytes, &error))
}

/// Checks what the form of a configuration does not show: relations between
/// properties, ranges, paths. Looks at nothing outside of the document but the
/// namespaces that it names.
///
/// # Errors
/// The first property that makes no sense, or that this runtime cannot honour.
pub fn validate(spec: &Spec, context: &Context<'_>) -> Result<(), Error> {
    version::check(&spec.version)?;
    if !context.root_given {
        check_root(spec)?;
    }
    // Without a program the container can be created but not started
    // (config.md, "Process").
    if let Some(process) = &spec.process {
        validate_process(process)?;
    }
    namespaces::check(spec, context)?;
    mounts::check(spec, context)?;
    if let Some(hooks) = &spec.hooks {
        hooks::check(hooks)?;
    }
    if let Some(linux) = &spec.linux {
        check_linux(spec, linux, context)?;
    }
    supported::check(spec)
}

/// Checks a `process` object, of a configuration or of an `exec`.
///
/// # Errors
/// As [`validate`].
pub fn validate_process(process: &Process) -> Result<(), Error> {
    process::check(process)?;
    scheduling::check(process)
}

fn check_root(spec: &Spec) -> Result<(), Error> {
    let Some(root) = &spec.root else {
        return Err(Error::invalid("root", "is missing"));
    };
    text("root.path", &root.path)?;
    if root.path.is_empty() {
        return Err(Error::invalid("root.path", "is empty"));
    }
    Ok(())
}

fn check_linux(spec: &Spec, linux: &Linux, context: &Context<'_>) -> Result<(), Error> {
    devices::check(&linux.devices)?;
    sysctl::check(spec, context)?;
    net_devices::check(spec, context)?;
    if let Some(resources) = &linux.resources {
        cgroup::check(resources).map_err(of_cgroup)?;
    }
    text(
        "linux.cgroupsPath",
        linux.cgroups_path.as_deref().unwrap_or_default(),
    )?;
    for (field, paths) in [
        ("maskedPaths", &linux.masked_paths),
        ("readonlyPaths", &linux.readonly_paths),
    ] {
        for (index, path) in paths.iter().enumerate() {
            absolute(&format!("linux.{field}[{index}]"), path)?;
        }
    }
    if let Some(seccomp) = &linux.seccomp {
        seccomp::check(seccomp, context)?;
    }
    if let Some(rdt) = &linux.intel_rdt {
        rdt::check(rdt)?;
    }
    memory_policy::check(linux)?;
    if let Some(personality) = &linux.personality
        && let Some(flag) = personality.flags.first()
    {
        // "The currently supported flags are none", and runc passes them over.
        return Err(Error::invalid(
            "linux.personality.flags[0]",
            format!("{flag:?} is no flag"),
        ));
    }
    Ok(())
}

/// What the control groups have to say of limits.
fn of_cgroup(error: cgroup::Error) -> Error {
    match error {
        cgroup::Error::Resource { field, reason } => {
            Error::invalid(format!("linux.resources.{field}"), reason)
        }
        other => Error::invalid("linux.resources", other.to_string()),
    }
}

/// Refuses what is no list of CPUs or memory nodes as `0-3,7`.
fn list(field: &str, list: &str) -> Result<(), Error> {
    match cgroup::parse_list(list) {
        Ok(_) => Ok(()),
        Err(reason) => Err(Error::invalid(field, reason)),
    }
}

/// Refuses text that the kernel would see the end of too early.
fn text(field: &str, text: &str) -> Result<(), Error> {
    if text.contains('\0') {
        return Err(Error::invalid(field, "holds a NUL byte"));
    }
    Ok(())
}

/// Refuses what is no absolute path.
fn absolute(field: &str, path: &str) -> Result<(), Error> {
    text(field, path)?;
    if path.is_empty() {
        return Err(Error::invalid(field, "is empty"));
    }
    if !path.starts_with('/') {
        return Err(Error::invalid(
            field,
            format!("{path:?} is not an absolute path"),
        ));
    }
    Ok(())
}

/// Whether the container has a namespace of a kind other than the runtime's:
/// one that is new, or that is given or named and is not the runtime's own.
fn has_own(spec: &Spec, context: &Context<'_>, kind: NamespaceKind) -> bool {
    context.given.contains(&kind)
        || spec
            .linux
            .iter()
            .flat_map(|linux| &linux.namespaces)
            .any(|namespace| namespace.kind == kind && !namespaces::is_current(namespace))
}
