//! Bind mounts: a directory or file of the host made visible.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};
use tare_oci::runtime::Mount;
use tare_sys::mount::Attributes;

use super::mounts::{Context, Refusal, check_place};
use super::options::MountOptions;
use super::resolve::{self, Missing};
use super::{attach as attach_mount, change};

/// Makes the source of a bind mount a mount of its own, attached to nothing. A
/// relative path begins at the bundle.
pub(super) fn open(mount: &Mount, options: &MountOptions, bundle: &Path) -> Result<OwnedFd, Errno> {
    let source = mount.source.as_deref().filter(|source| !source.is_empty());
    let source = source.ok_or(Errno::INVAL)?;
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if options.bind == Some(true) {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    open_tree(CWD, bundle.join(source), flags)
}

/// Refuses options that the kernel would ignore for a bind mount.
pub(super) fn check(options: &MountOptions) -> Result<(), String> {
    match options.first_of_file_system() {
        // The first words are runc's.
        Some(option) => Err(format!(
            "bind mounts cannot have any filesystem-specific options applied: {option}"
        )),
        None => Ok(()),
    }
}

/// Attaches a bind mount, whose source may have been opened before.
pub(super) fn attach(
    mount: &Mount,
    options: &MountOptions,
    prepared: Option<BorrowedFd<'_>>,
    context: &Context<'_>,
) -> Result<OwnedFd, Refusal> {
    check(options).map_err(Refusal::Sentence)?;
    let mapped = options.id_map.is_some()
        || !mount.uid_mappings.is_empty()
        || !mount.gid_mappings.is_empty();
    let tree = match prepared {
        Some(prepared) => rustix::io::fcntl_dupfd_cloexec(prepared, 0)?,
        None if mapped => {
            return Err(Refusal::Sentence(
                "an id-mapped mount must be opened by the creating process".to_owned(),
            ));
        }
        None => open(mount, options, context.bundle)?,
    };
    let is_directory = resolve::is_directory(tree.as_fd())?;
    let missing = if is_directory {
        Missing::Directory
    } else {
        Missing::File
    };
    let (place, _) = resolve::ensure(context.root, &mount.destination, missing)?;
    // Neither goes onto the other; the kernel's own answer says less.
    if resolve::is_directory(place.as_fd())? != is_directory {
        return Err(Errno::NOTDIR.into());
    }
    check_place(context, place.as_fd(), Some(tree.as_fd()))?;
    context.cut_off(tree.as_fd(), prepared.is_some())?;
    change_unlocked(tree.as_fd(), false, options.attributes)?;
    change_unlocked(tree.as_fd(), true, options.recursive)?;
    attach_mount(tree.as_fd(), place.as_fd())?;
    Ok(tree)
}

/// Changes attributes, except those that must stay: a mount that comes from a
/// more privileged user namespace keeps what restricts it
/// (mount_namespaces(7)).
pub(super) fn change_unlocked(
    mount: BorrowedFd<'_>,
    recursive: bool,
    attributes: Attributes,
) -> Result<(), Errno> {
    match change(mount, recursive, attributes) {
        Err(Errno::PERM) => {
            const TIMES: u64 = Attributes::ATIME | Attributes::NODIRATIME;
            let set = attributes.set & !TIMES;
            let kept = Attributes {
                set,
                clear: attributes.clear & set,
                propagation: attributes.propagation,
            };
            change(mount, recursive, kept)
        }
        result => result,
    }
}
