//! `linux.namespaces`, and what makes sense in a namespace of the container's
//! own only: host name, ID mappings, clock offsets, hidden paths.

use std::collections::BTreeMap;

use rustix::fs::stat;
use tare_oci::runtime::{Linux, Namespace, NamespaceKind, Spec, TimeOffset};

use super::{Context, Error, absolute, has_own, mappings, text};
use crate::init::name;

/// Longest host or domain name (`__NEW_UTS_LEN`).
const MAXIMUM_NAME: usize = 64;

pub(super) fn check(spec: &Spec, context: &Context<'_>) -> Result<(), Error> {
    for (field, value) in [
        ("hostname", &spec.hostname),
        ("domainname", &spec.domainname),
    ] {
        let value = value.as_deref().unwrap_or_default();
        text(field, value)?;
        if value.len() > MAXIMUM_NAME {
            let reason = format!("is longer than {MAXIMUM_NAME} bytes");
            return Err(Error::invalid(field, reason));
        }
        if !value.is_empty() && !has_own(spec, context, NamespaceKind::Uts) {
            return Err(Error::invalid(
                field,
                "needs a UTS namespace of the container's own",
            ));
        }
    }
    let Some(linux) = &spec.linux else {
        return Ok(());
    };
    for (index, namespace) in linux.namespaces.iter().enumerate() {
        if let Some(path) = path_of(namespace) {
            // "This value MUST be an absolute path in the runtime mount
            // namespace."
            absolute(&format!("linux.namespaces[{index}].path"), path)?;
        }
        let before = &linux.namespaces[..index];
        if before.iter().any(|other| other.kind == namespace.kind) {
            return Err(Error::invalid(
                format!("linux.namespaces[{index}].type"),
                format!("{} is listed twice", name(namespace.kind)),
            ));
        }
    }
    check_user(spec, linux, context)?;
    check_offsets(
        &linux.time_offsets,
        has_own(spec, context, NamespaceKind::Time),
    )
}

fn check_user(spec: &Spec, linux: &Linux, context: &Context<'_>) -> Result<(), Error> {
    let lists = [
        ("linux.uidMappings", &linux.uid_mappings),
        ("linux.gidMappings", &linux.gid_mappings),
    ];
    for (field, list) in lists {
        mappings::check(field, list)?;
    }
    let configured = linux
        .namespaces
        .iter()
        .find(|namespace| namespace.kind == NamespaceKind::User);
    let given = context.given.contains(&NamespaceKind::User);
    let is_new = !given && configured.is_some_and(|namespace| path_of(namespace).is_none());
    for (field, list) in lists {
        if !list.is_empty() && !given && configured.is_none() {
            return Err(Error::invalid(
                field,
                "needs a user namespace of the container's own",
            ));
        }
        // Without a mapping nobody in the namespace has an ID, and the
        // program could not become any user.
        if is_new && list.is_empty() {
            return Err(Error::invalid(field, "is needed for a new user namespace"));
        }
    }
    if context.rootless && !has_own(spec, context, NamespaceKind::User) {
        return Err(Error::invalid(
            "linux.namespaces",
            "without root privileges a user namespace is needed",
        ));
    }
    Ok(())
}

fn check_offsets(offsets: &BTreeMap<String, TimeOffset>, has_time: bool) -> Result<(), Error> {
    if !offsets.is_empty() && !has_time {
        return Err(Error::invalid(
            "linux.timeOffsets",
            "needs a time namespace of the container's own",
        ));
    }
    for (clock, offset) in offsets {
        let field = format!("linux.timeOffsets.{clock}");
        if !matches!(clock.as_str(), "monotonic" | "boottime") {
            return Err(Error::invalid(
                "linux.timeOffsets",
                format!("{clock:?} is no clock that can be set: monotonic and boottime are"),
            ));
        }
        if offset.nanosecs >= 1_000_000_000 {
            return Err(Error::invalid(
                format!("{field}.nanosecs"),
                format!("{} is a second or more", offset.nanosecs),
            ));
        }
    }
    Ok(())
}

/// The file of a namespace to be joined.
pub(super) fn path_of(namespace: &Namespace) -> Option<&str> {
    namespace.path.as_deref().filter(|path| !path.is_empty())
}

/// Whether a namespace to be joined is the runtime's own, and so none of the
/// container's. One that cannot be looked at is not; joining it will fail.
pub(super) fn is_current(namespace: &Namespace) -> bool {
    let Some(path) = path_of(namespace) else {
        return false;
    };
    let own = match namespace.kind {
        NamespaceKind::Pid => "pid",
        NamespaceKind::Network => "net",
        NamespaceKind::Mount => "mnt",
        NamespaceKind::Ipc => "ipc",
        NamespaceKind::Uts => "uts",
        NamespaceKind::User => "user",
        NamespaceKind::Cgroup => "cgroup",
        NamespaceKind::Time => "time",
    };
    match (stat(path), stat(format!("/proc/self/ns/{own}"))) {
        (Ok(named), Ok(own)) => (named.st_dev, named.st_ino) == (own.st_dev, own.st_ino),
        _ => false,
    }
}
