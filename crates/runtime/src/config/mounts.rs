//! `mounts`.

use tare_oci::runtime::{IdMapping, Linux, Mount, NamespaceKind, Spec};

use super::{Context, Error, has_own, mappings, text};

pub(super) fn check(spec: &Spec, context: &Context<'_>) -> Result<(), Error> {
    for (index, mount) in spec.mounts.iter().enumerate() {
        let field = |name: &str| format!("mounts[{index}].{name}");
        // A relative destination is taken from the root (config.md, "Mounts";
        // it comes with a warning).
        text(&field("destination"), &mount.destination)?;
        if mount.destination.is_empty() {
            return Err(Error::invalid(field("destination"), "is empty"));
        }
        if is_root(&mount.destination) {
            return Err(Error::invalid(
                field("destination"),
                format!(
                    "{:?} is the root file system's own place",
                    mount.destination
                ),
            ));
        }
        text(&field("type"), mount.kind.as_deref().unwrap_or_default())?;
        text(
            &field("source"),
            mount.source.as_deref().unwrap_or_default(),
        )?;
        for (position, option) in mount.options.iter().enumerate() {
            text(&field(&format!("options[{position}]")), option)?;
        }
        let has = |option: &str| mount.options.iter().any(|one| one == option);
        let has_source = mount.source.as_deref().is_some_and(|path| !path.is_empty());
        if is_bind(mount) && !has_source && !has("remount") {
            return Err(Error::invalid(
                field("source"),
                "is needed for a bind mount",
            ));
        }
        check_mappings(index, mount, spec, context)?;
        if context.rootless
            && let Some(linux) = &spec.linux
        {
            check_owner(index, mount, linux)?;
        }
    }
    Ok(())
}

/// Whether a mount shows a directory or file of the host: without a type there
/// is nothing else that it could be.
fn is_bind(mount: &Mount) -> bool {
    matches!(mount.kind.as_deref(), None | Some("" | "none" | "bind"))
        || mount
            .options
            .iter()
            .any(|option| matches!(option.as_str(), "bind" | "rbind"))
}

/// Whether a path is the root itself, in whatever spelling. Links are not
/// known here.
fn is_root(path: &str) -> bool {
    let mut depth = 0usize;
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => depth = depth.saturating_sub(1),
            _ => depth += 1,
        }
    }
    depth == 0
}

fn check_mappings(
    index: usize,
    mount: &Mount,
    spec: &Spec,
    context: &Context<'_>,
) -> Result<(), Error> {
    let field = |name: &str| format!("mounts[{index}].{name}");
    mappings::check(&field("uidMappings"), &mount.uid_mappings)?;
    mappings::check(&field("gidMappings"), &mount.gid_mappings)?;
    for (name, list, other) in [
        ("uidMappings", &mount.uid_mappings, &mount.gid_mappings),
        ("gidMappings", &mount.gid_mappings, &mount.uid_mappings),
    ] {
        // "If specified, it MUST be specified along with" the other.
        if list.is_empty() && !other.is_empty() {
            return Err(Error::invalid(
                field(name),
                "is missing: the mappings of users and of groups go together",
            ));
        }
    }
    let option = mount
        .options
        .iter()
        .position(|option| matches!(option.as_str(), "idmap" | "ridmap"));
    let is_mapped = !mount.uid_mappings.is_empty();
    if !is_mapped && option.is_none() {
        return Ok(());
    }
    let at = match option {
        Some(option) => field(&format!("options[{option}]")),
        None => field("uidMappings"),
    };
    if !is_bind(mount) {
        return Err(Error::invalid(
            at,
            "only a bind mount can have its IDs mapped",
        ));
    }
    // Without mappings of its own those of the container's user namespace.
    if !is_mapped && !has_own(spec, context, NamespaceKind::User) {
        return Err(Error::invalid(
            at,
            "needs mappings, of the mount or of a user namespace",
        ));
    }
    if context.rootless {
        return Err(Error::invalid(
            at,
            "mapping the IDs of a mount needs root privileges",
        ));
    }
    Ok(())
}

/// In a user namespace an owner without an ID outside of it does not exist,
/// and the kernel says no more than "invalid argument".
fn check_owner(index: usize, mount: &Mount, linux: &Linux) -> Result<(), Error> {
    for (position, option) in mount.options.iter().enumerate() {
        let (mappings, number) = match option.split_once('=') {
            Some(("uid", number)) => (&linux.uid_mappings, number),
            Some(("gid", number)) => (&linux.gid_mappings, number),
            _ => continue,
        };
        let Ok(number) = number.parse::<u32>() else {
            continue;
        };
        if !mappings.is_empty() && !mappings.iter().any(|mapping| contains(mapping, number)) {
            return Err(Error::invalid(
                format!("mounts[{index}].options[{position}]"),
                format!("{option} is not mapped in the user namespace"),
            ));
        }
    }
    Ok(())
}

fn contains(mapping: &IdMapping, id: u32) -> bool {
    id.checked_sub(mapping.container_id)
        .is_some_and(|distance| distance < mapping.size)
}
