//! New file systems, by type.

mod legacy;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen, open_tree,
};
use tare_oci::runtime::Mount;
use tare_sys::mount::Attributes;

use super::bind::change_unlocked;
use super::mounts::{Context, Refusal, check_place};
use super::options::MountOptions;
use super::resolve::{self, Missing};
use super::{attach as attach_mount, copy_up};

/// The kernel takes values of at most this many bytes, terminator included.
const MAXIMUM_VALUE: usize = 256;

/// The host's mount that stands in where a user namespace may not make one of
/// its own, because the namespace that it shows is the host's.
const SUBSTITUTES: [(&str, &str); 2] = [("sysfs", "/sys"), ("mqueue", "/dev/mqueue")];

/// A directory to mount on.
struct Place {
    directory: OwnedFd,
    existed: bool,
}

/// Makes a file system and attaches it.
pub(super) fn attach(
    kind: &str,
    mount: &Mount,
    options: &MountOptions,
    context: &Context<'_>,
) -> Result<OwnedFd, Refusal> {
    let place = place(kind, mount, context)?;
    let mut options = options.clone();
    complete(kind, &mut options, context, &place)?;
    if kind == "overlay" && options.data.iter().any(is_long) {
        return legacy::mount(kind, mount, &options, context.root, &place.directory);
    }
    let made = match make(kind, mount, &options) {
        // The group that owns terminals by custom has no number in there.
        Err(Refusal::Kernel(Errno::INVAL, _))
            if context.in_user_namespace && kind == "devpts" && options.has_data("gid") =>
        {
            options.data.retain(|(key, _)| key != "gid");
            make(kind, mount, &options)?
        }
        Err(Refusal::Kernel(Errno::PERM, _)) if context.in_user_namespace => {
            substitute(kind, &options, context)?
        }
        result => result?,
    };
    if options.copy_up && place.existed {
        let (user, group) = (!options.has_data("uid"), !options.has_data("gid"));
        copy_up::copy(place.directory.as_fd(), made.as_fd(), user, group)?;
    }
    change_unlocked(made.as_fd(), false, options.own_attributes())?;
    attach_mount(made.as_fd(), place.directory.as_fd())?;
    Ok(made)
}

fn place(kind: &str, mount: &Mount, context: &Context<'_>) -> Result<Place, Refusal> {
    let (root, path) = (context.root, mount.destination.as_str());
    let (directory, existed) = if matches!(kind, "proc" | "sysfs") {
        // A link there would put it somewhere else than every mask and every
        // later check expect it (CVE-2019-19921).
        match resolve::open_without_links(root, path) {
            Err(Errno::NOENT) => {
                resolve::ensure(root, path, Missing::Directory)?;
                (resolve::open_without_links(root, path)?, false)
            }
            result => (result?, true),
        }
    } else {
        resolve::ensure(root, path, Missing::Directory)?
    };
    if !resolve::is_directory(directory.as_fd())? {
        return Err(Errno::NOTDIR.into());
    }
    if kind != "proc" {
        check_place(context, directory.as_fd(), None)?;
    }
    Ok(Place { directory, existed })
}

/// Adds what the options leave open.
fn complete(
    kind: &str,
    options: &mut MountOptions,
    context: &Context<'_>,
    place: &Place,
) -> Result<(), Errno> {
    if kind == "tmpfs" && place.existed {
        // The new directory looks like the one that it covers.
        let status = resolve::status(place.directory.as_fd())?;
        if !options.has_data("mode") {
            let mode = format!("{:o}", status.st_mode & 0o7777);
            options.data.push(("mode".to_owned(), Some(mode)));
        }
    }
    if let Some(label) = context.label
        && !matches!(kind, "proc" | "sysfs")
    {
        options
            .data
            .push(("context".to_owned(), Some(label.to_owned())));
    }
    Ok(())
}

fn is_long((_, value): &(String, Option<String>)) -> bool {
    value
        .as_ref()
        .is_some_and(|value| value.len() >= MAXIMUM_VALUE)
}

/// Makes a file system, mounted nowhere yet and still without attributes.
fn make(kind: &str, mount: &Mount, options: &MountOptions) -> Result<OwnedFd, Refusal> {
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    let context = context.as_fd();
    let create = || {
        if let Some(source) = mount.source.as_deref().filter(|source| !source.is_empty()) {
            fsconfig_set_string(context, c"source", source)?;
        }
        set_data(context, options)?;
        set_super_block(context, options)?;
        // Not where the file system is one that others have mounted too, or
        // still has to be filled.
        let read_only = options.own_attributes().set & Attributes::RDONLY != 0;
        if read_only && !matches!(kind, "proc" | "sysfs" | "mqueue" | "tmpfs") {
            set_access(context, true)?;
        }
        fsconfig_create(context)
    };
    create().map_err(|error| Refusal::Kernel(error, messages(context)))?;
    Ok(fsmount(
        context,
        FsMountFlags::FSMOUNT_CLOEXEC,
        MountAttrFlags::empty(),
    )?)
}

/// Sets the file system's own options.
pub(super) fn set_data(context: BorrowedFd<'_>, options: &MountOptions) -> Result<(), Errno> {
    for (key, value) in &options.data {
        match value {
            Some(value) => fsconfig_set_string(context, key.as_str(), value.as_str())?,
            None => fsconfig_set_flag(context, key.as_str())?,
        }
    }
    Ok(())
}

/// Sets the flags that all file systems have.
pub(super) fn set_super_block(
    context: BorrowedFd<'_>,
    options: &MountOptions,
) -> Result<(), Errno> {
    for flag in &options.super_block {
        match fsconfig_set_flag(context, flag.name.as_str()) {
            Err(Errno::INVAL) if !flag.needed => {}
            result => result?,
        }
    }
    Ok(())
}

/// Makes the file system as a whole read-only or writable.
pub(super) fn set_access(context: BorrowedFd<'_>, read_only: bool) -> Result<(), Errno> {
    fsconfig_set_flag(context, if read_only { c"ro" } else { c"rw" })
}

/// The host's own mount in place of one that is not allowed.
fn substitute(
    kind: &str,
    options: &MountOptions,
    context: &Context<'_>,
) -> Result<OwnedFd, Refusal> {
    let path = SUBSTITUTES
        .iter()
        .find(|(name, _)| *name == kind)
        .map(|(_, path)| *path)
        .ok_or(Errno::PERM)?;
    // All of it: mounts that cover something must not be taken off.
    let tree = open_tree(
        CWD,
        path,
        OpenTreeFlags::OPEN_TREE_CLONE
            | OpenTreeFlags::OPEN_TREE_CLOEXEC
            | OpenTreeFlags::AT_RECURSIVE,
    )
    // What is not there cannot stand in: the first answer is the one to give.
    .map_err(|_| Errno::PERM)?;
    // Without the recursion /sys/fs/cgroup would stay writable
    // (CVE-2023-25809).
    let set = options.own_attributes().set & !Attributes::ATIME;
    let attributes = Attributes {
        set,
        clear: set,
        propagation: 0,
    };
    change_unlocked(tree.as_fd(), true, attributes)?;
    context.cut_off(tree.as_fd(), false)?;
    Ok(tree)
}

/// What the kernel has to say about a failed step, each after a colon.
pub(super) fn messages(context: BorrowedFd<'_>) -> String {
    let mut text = String::new();
    let mut buffer = [0; 512];
    while let Ok(length @ 1..) = rustix::io::read(context, &mut buffer) {
        // Each message begins with its level and a space.
        let message = String::from_utf8_lossy(&buffer[..length]);
        text.push_str(": ");
        text.push_str(message.trim_end().get(2..).unwrap_or_default());
    }
    text
}
