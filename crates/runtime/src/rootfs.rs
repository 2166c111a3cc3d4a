//! The container's mount tree, made by its first process in a mount namespace
//! of its own. Nothing of it is visible on the host, so nothing of it can be
//! left behind: it goes with the namespace.
//!
//! Every mount is made detached, its place is resolved once inside the root
//! ([`resolve`]), and the one is attached to the other by descriptors.

mod cgroup;
mod copy_up;
mod devices;
mod mask;
mod mounts;
mod options;
mod overlay;
mod resolve;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, OpenTreeFlags};
use tare_oci::runtime::{Linux, RootfsPropagation, Spec};
use tare_sys::mount::{Attributes, set_attributes};

use crate::failure::{Failure, Step};
use crate::handshake::ChildEnd;
use crate::terminal::Terminal;

use options::MountOptions;
use resolve::Missing;

pub(crate) use mounts::{CgroupHierarchyView, CgroupView};

/// Where a container's root file system comes from.
#[derive(Debug, Clone)]
pub enum Rootfs {
    /// A directory as it is.
    Path(PathBuf),
    /// Directories put together by overlayfs.
    Overlay {
        /// Read-only layers, topmost first.
        lower: Vec<PathBuf>,
        /// Directory that takes the changes.
        upper: PathBuf,
        /// Empty directory on the same file system as `upper`.
        work: PathBuf,
        /// Whether the changes need not survive a power cut: no sync is ever
        /// done, which is right for a container that is removed when it ends.
        volatile: bool,
    },
}

/// What [`build`] needs.
pub(crate) struct Build<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) rootfs: &'a Rootfs,
    pub(crate) cgroups: &'a CgroupView,
    pub(crate) channel: &'a ChildEnd,
    /// What [`prepare`] made, mount by mount.
    pub(crate) prepared: &'a [Option<OwnedFd>],
    /// The root file system, when the parent has mounted it before.
    pub(crate) root: Option<BorrowedFd<'a>>,
    /// Whether the process is root of a user namespace only.
    pub(crate) in_user_namespace: bool,
    /// Whether the process has a mount namespace of its own.
    pub(crate) own_mount_namespace: bool,
    /// Called when everything is mounted and the root not yet changed.
    pub(crate) before_pivot: &'a mut dyn FnMut() -> Result<(), Failure>,
}

/// Opens in the parent, with its privileges, what the child cannot: the sources
/// of bind mounts when the child has a user namespace of its own.
pub(crate) fn prepare(
    spec: &Spec,
    has_user_namespace: bool,
) -> Result<Vec<Option<OwnedFd>>, Failure> {
    mounts::prepare(spec, has_user_namespace)
}

/// Removes the mounts of a container that had no mount namespace of its own.
pub(crate) fn unmount_host(place: &Path) -> Result<(), String> {
    match rustix::mount::unmount(place, rustix::mount::UnmountFlags::DETACH) {
        Ok(()) | Err(Errno::INVAL | Errno::NOENT) => Ok(()),
        Err(error) => Err(format!("unmounting {}: {error}", place.display())),
    }
}

fn change_root(root: BorrowedFd<'_>) -> std::io::Result<()> {
    rustix::process::fchdir(root)?;
    rustix::process::chroot(c".")?;
    Ok(rustix::process::chdir(c"/")?)
}

/// Makes the whole tree and changes the root to it; returns the terminal when
/// the program is to have one. The process must be in a mount namespace of its
/// own.
pub(crate) fn build(build: Build<'_>) -> Result<Option<Terminal>, Failure> {
    let Build {
        spec,
        rootfs,
        cgroups,
        channel,
        prepared,
        root,
        in_user_namespace: _,
        own_mount_namespace,
        before_pivot,
    } = build;
    let linux_default = Linux::default();
    let linux = spec.linux.as_ref().unwrap_or(&linux_default);
    let label = mount_label(spec);

    let propagation = linux.rootfs_propagation;
    if own_mount_namespace {
        separate_from_host(propagation)?;
    }
    let mount = if let Some(root) = root {
        rustix::io::fcntl_dupfd_cloexec(root, 3)
            .map_err(|error| Failure::new(Step::Root, "taking it over", error))?
    } else if rootfs.is_mounted_by_parent() {
        channel.root()?
    } else {
        rootfs.mount(spec)?
    };
    let root = attach_root(mount, rootfs.place(), propagation)?;
    let tree = mounts::attach_all(spec, root.as_fd(), label, cgroups, prepared)?;
    devices::make_default(&tree, root.as_fd(), linux)?;
    let wants_terminal = spec
        .process
        .as_ref()
        .is_some_and(|process| process.terminal);
    let terminal = if wants_terminal {
        Some(devices::open_terminal(&tree, root.as_fd())?)
    } else {
        None
    };
    if let Some(process) = &spec.process {
        make_working_directory(root.as_fd(), &process.cwd)?;
    }
    mask::readonly_paths(root.as_fd(), &linux.readonly_paths)?;
    mask::masked_paths(
        root.as_fd(),
        tree.dev.as_ref().map(AsFd::as_fd),
        &linux.masked_paths,
    )?;
    if spec.root.as_ref().is_some_and(|root| root.readonly) {
        set_attributes(
            root.as_fd(),
            c"",
            false,
            Attributes {
                set: Attributes::RDONLY,
                ..Attributes::default()
            },
        )
        .map_err(|error| Failure::new(Step::Root, "making it read-only", error))?;
    }
    drop(tree);
    before_pivot()?;

    if own_mount_namespace {
        tare_sys::mount::pivot_root(root.as_fd())
    } else {
        change_root(root.as_fd())
    }
    .map_err(|error| Failure::new(Step::Pivot, "changing the root", error))?;
    if let Some(propagation) = propagation
        && let Some(kind) = final_propagation(propagation)
    {
        let attributes = Attributes {
            propagation: kind.0,
            ..Attributes::default()
        };
        set_attributes(root.as_fd(), c"", kind.1, attributes)
            .map_err(|error| Failure::new(Step::Root, "setting its propagation", error))?;
    }
    // The working directory must be inside: anything else means a way out.
    let here = rustix::process::getcwd(Vec::new())
        .map_err(|error| Failure::new(Step::Pivot, "verifying the root", error))?;
    if here.as_bytes() != b"/" {
        return Err(Failure::sentence(
            Step::Pivot,
            "the working directory is not the new root",
        ));
    }
    Ok(terminal)
}

/// Cuts the copy of the host's mounts off from the host, so that nothing done
/// here shows there.
fn separate_from_host(propagation: Option<RootfsPropagation>) -> Result<(), Failure> {
    // As runc: everything becomes a slave of the host's mounts unless the
    // configuration wants changes to flow back.
    let kind = match propagation {
        Some(RootfsPropagation::Shared | RootfsPropagation::Rshared) => return Ok(()),
        Some(RootfsPropagation::Private | RootfsPropagation::Rprivate) => Attributes::PRIVATE,
        _ => Attributes::SLAVE,
    };
    let attributes = Attributes {
        propagation: kind,
        ..Attributes::default()
    };
    set_attributes(CWD, c"/", true, attributes)
        .map_err(|error| Failure::new(Step::Root, "separating it from the host", error))
}

/// Propagation of the root in the end; private is what it has already.
fn final_propagation(propagation: RootfsPropagation) -> Option<(u64, bool)> {
    match propagation {
        RootfsPropagation::Shared => Some((Attributes::SHARED, false)),
        RootfsPropagation::Rshared => Some((Attributes::SHARED, true)),
        RootfsPropagation::Slave => Some((Attributes::SLAVE, false)),
        RootfsPropagation::Rslave => Some((Attributes::SLAVE, true)),
        RootfsPropagation::Unbindable => Some((Attributes::UNBINDABLE, false)),
        RootfsPropagation::Runbindable => Some((Attributes::UNBINDABLE, true)),
        RootfsPropagation::Private | RootfsPropagation::Rprivate => None,
    }
}

fn mount_label(spec: &Spec) -> Option<&str> {
    let label = spec.linux.as_ref()?.mount_label.as_deref()?;
    Some(label).filter(|label| !label.is_empty())
}

impl Rootfs {
    /// Whether the mount can be made outside of the container's mount
    /// namespace, by the process that creates it.
    pub(crate) fn is_mounted_by_parent(&self) -> bool {
        matches!(self, Rootfs::Overlay { .. }) && !overlay::needs_own_namespace()
    }

    /// Makes the mount, attached to nothing.
    pub(crate) fn mount(&self, spec: &Spec) -> Result<OwnedFd, Failure> {
        match self {
            Rootfs::Path(path) => rustix::mount::open_tree(
                CWD,
                path,
                OpenTreeFlags::OPEN_TREE_CLONE
                    | OpenTreeFlags::OPEN_TREE_CLOEXEC
                    | OpenTreeFlags::AT_RECURSIVE,
            )
            .map_err(|error| Failure::new(Step::Root, path.display().to_string(), error)),
            Rootfs::Overlay {
                lower,
                upper,
                work,
                volatile,
            } => overlay::mount(lower, upper, work, *volatile, mount_label(spec)),
        }
    }

    /// A directory to attach the mount to.
    pub(crate) fn place(&self) -> &Path {
        match self {
            Rootfs::Path(path) => path,
            Rootfs::Overlay { upper, .. } => upper,
        }
    }
}

/// Attaches the root to a directory of its own making, where only this
/// namespace sees it.
fn attach_root(
    mount: OwnedFd,
    place: &Path,
    propagation: Option<RootfsPropagation>,
) -> Result<OwnedFd, Failure> {
    let failed =
        |path: &Path, error: Errno| Failure::new(Step::Root, path.display().to_string(), error);
    let directory = rustix::fs::open(
        place,
        rustix::fs::OFlags::PATH | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )
    .map_err(|error| failed(place, error))?;
    if matches!(
        propagation,
        Some(RootfsPropagation::Shared | RootfsPropagation::Rshared)
    ) {
        make_parent_private(place)?;
    }
    let private = Attributes {
        propagation: Attributes::PRIVATE,
        ..Attributes::default()
    };
    set_attributes(mount.as_fd(), c"", true, private)
        .map_err(|error| Failure::new(Step::Root, place.display().to_string(), error))?;
    attach(mount.as_fd(), directory.as_fd()).map_err(|error| failed(place, error))?;
    Ok(mount)
}

/// Makes the mount that holds `path` private: attaching something to a shared
/// one would show it on the host, and pivot_root refuses it.
fn make_parent_private(path: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::new(Step::Root, path.display().to_string(), error);
    let path = path.canonicalize().map_err(failed)?;
    let private = Attributes {
        propagation: Attributes::PRIVATE,
        ..Attributes::default()
    };
    for directory in path.ancestors() {
        let name = std::ffi::CString::new(directory.as_os_str().as_encoded_bytes())
            .map_err(|error| failed(error.into()))?;
        // Only the root of a mount takes a propagation type.
        match set_attributes(CWD, &name, false, private) {
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {}
            result => return result.map_err(failed),
        }
    }
    Ok(())
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
