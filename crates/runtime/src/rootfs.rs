//! The container's mount tree, made by its first process.
//!
//! In a mount namespace of its own nothing of it is visible on the host, so
//! nothing of it can be left behind: it goes with the namespace. Without one
//! all of it hangs below one mount at the root's own place, which
//! [`unmount_host`] takes off; a crash leaves that.
//!
//! Every mount is made detached, its place is resolved once inside the root
//! ([`resolve`]), and the one is attached to the other by descriptors.

mod bind;
mod cgroup;
mod copy_up;
mod devices;
mod enter;
mod filesystem;
mod mask;
mod mounts;
pub(crate) mod options;
mod overlay;
mod prepare;
mod proc_guard;
mod propagation;
mod remount;
mod resolve;
mod source;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::io::Errno;
use rustix::mount::MoveMountFlags;
use tare_oci::runtime::{Linux, Spec};
use tare_sys::mount::{Attributes, set_attributes};

use crate::failure::{Failure, Step};
use crate::handshake::ChildEnd;
use crate::terminal::Terminal;

use mounts::Context;
use resolve::Missing;

pub(crate) use enter::{change_root, unmount_host};
pub(crate) use mounts::{CgroupHierarchyView, CgroupView, is_bind};
pub(crate) use prepare::prepare;
pub use source::Rootfs;

/// What the tree is made from.
pub(crate) struct Build<'a> {
    /// The configuration.
    pub(crate) spec: &'a Spec,
    /// Directory of the configuration.
    pub(crate) bundle: &'a Path,
    /// Where the root file system comes from.
    pub(crate) rootfs: &'a Rootfs,
    /// What is shown of the control groups.
    pub(crate) cgroups: &'a CgroupView,
    /// Where the root comes from when the parent mounts it meanwhile.
    pub(crate) channel: &'a ChildEnd,
    /// For each mount of the configuration its source, where the parent has
    /// opened it: what [`prepare`] returns.
    pub(crate) prepared: &'a [Option<OwnedFd>],
    /// The root file system, where the parent has opened it.
    pub(crate) root: Option<BorrowedFd<'a>>,
    /// Whether the process is in a user namespace that is not the host's.
    pub(crate) in_user_namespace: bool,
    /// Whether the process is in a mount namespace whose root may be changed:
    /// a new one, or, as with runc, one that the configuration names.
    pub(crate) own_mount_namespace: bool,
    /// Called once, when everything is mounted and nothing hidden or read-only
    /// yet, and the old root is still there.
    pub(crate) before_pivot: &'a mut dyn FnMut() -> Result<(), Failure>,
}

/// Makes the whole tree and changes the root to it; returns the terminal when
/// the program is to have one.
pub(crate) fn build(mut build: Build<'_>) -> Result<Option<Terminal>, Failure> {
    let linux_default = Linux::default();
    let linux = build.spec.linux.as_ref().unwrap_or(&linux_default);
    if build.own_mount_namespace {
        propagation::separate_from_host(linux.rootfs_propagation)?;
    }
    let shared = propagation::is_shared(linux.rootfs_propagation);
    if shared && build.own_mount_namespace {
        enter::make_parent_private(build.rootfs.place())?;
    }
    let root = open_root(&build)?;
    let restricted = !linux.masked_paths.is_empty() || !linux.readonly_paths.is_empty();
    if restricted && !build.own_mount_namespace {
        // As runc, in its words.
        return Err(Failure::sentence(
            Step::MaskPath,
            "unable to restrict sys entries without a private MNT namespace",
        ));
    }
    enter::attach_root(
        root.as_fd(),
        build.rootfs.place(),
        linux.rootfs_propagation,
        build.own_mount_namespace,
    )?;
    let result = fill(&mut build, root.as_fd(), linux).and_then(|terminal| {
        if build.own_mount_namespace {
            enter::pivot(root.as_fd(), shared)?;
        } else {
            change_root(root.as_fd())?;
        }
        propagation::finish(linux.rootfs_propagation)?;
        enter::verify()?;
        Ok(terminal)
    });
    if result.is_err() && !build.own_mount_namespace {
        enter::unmount(root.as_fd());
    }
    result
}

fn open_root(build: &Build<'_>) -> Result<OwnedFd, Failure> {
    if let Some(root) = build.root {
        return rustix::io::fcntl_dupfd_cloexec(root, 3)
            .map_err(|error| Failure::new(Step::Root, "taking it over", error));
    }
    if build.rootfs.is_mounted_by_parent() {
        return build.channel.root();
    }
    build.rootfs.mount(build.spec)
}

/// Makes everything below the root.
fn fill(
    build: &mut Build<'_>,
    root: BorrowedFd<'_>,
    linux: &Linux,
) -> Result<Option<Terminal>, Failure> {
    let spec = build.spec;
    let context = Context {
        root,
        bundle: build.bundle,
        label: mount_label(spec),
        cgroups: build.cgroups,
        in_user_namespace: build.in_user_namespace,
        own_mount_namespace: build.own_mount_namespace,
        shared_with_host: propagation::is_shared(linux.rootfs_propagation),
    };
    let tree = mounts::attach_all(spec, build.prepared, &context)?;
    devices::make_default(&tree, root, linux)?;
    let process = spec.process.as_ref();
    let terminal = if process.is_some_and(|process| process.terminal) {
        Some(devices::open_terminal(&tree, root)?)
    } else {
        None
    };
    if let Some(process) = process {
        make_working_directory(root, &process.cwd)?;
    }
    (build.before_pivot)()?;
    mask::readonly_paths(root, &linux.readonly_paths)?;
    mask::masked_paths(
        root,
        tree.dev.as_ref().map(AsFd::as_fd),
        &linux.masked_paths,
    )?;
    tree.finish()?;
    if spec.root.as_ref().is_some_and(|root| root.readonly) {
        let read_only = Attributes {
            set: Attributes::RDONLY,
            ..Attributes::default()
        };
        set_attributes(root, c"", false, read_only)
            .map_err(|error| Failure::new(Step::Root, "making it read-only", error))?;
    }
    Ok(terminal)
}

fn mount_label(spec: &Spec) -> Option<&str> {
    let label = spec.linux.as_ref()?.mount_label.as_deref()?;
    Some(label).filter(|label| !label.is_empty())
}

/// Attaches a detached mount to a place.
pub(crate) fn attach(mount: BorrowedFd<'_>, place: BorrowedFd<'_>) -> Result<(), Errno> {
    rustix::mount::move_mount(
        mount,
        c"",
        place,
        c"",
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH,
    )
}

/// Changes the attributes of a mount.
fn change(mount: BorrowedFd<'_>, recursive: bool, attributes: Attributes) -> Result<(), Errno> {
    if attributes.is_empty() {
        return Ok(());
    }
    set_attributes(mount, c"", recursive, attributes)
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))
}

/// Makes the working directory when it is missing, as Docker does.
fn make_working_directory(root: BorrowedFd<'_>, path: &str) -> Result<(), Failure> {
    match resolve::ensure(root, path, Missing::Directory) {
        // Whether it can be entered shows when it is.
        Ok(_) | Err(Errno::NOTDIR | Errno::LOOP) => Ok(()),
        Err(error) => Err(Failure::new(Step::WorkingDirectory, path, error)),
    }
}
