//! Mount attributes and descriptors of mounts, beyond what rustix has.

mod legacy;

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::{OpenTreeFlags, open_tree};

/// What [`set_attributes`] changes: `MOUNT_ATTR_*` bits to set and to clear,
/// and a propagation type (`MS_PRIVATE`, ...; 0 for none).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Bits to set.
    pub set: u64,
    /// Bits to clear, before setting.
    pub clear: u64,
    /// Propagation type, or 0.
    pub propagation: u64,
}

impl Attributes {
    /// `MOUNT_ATTR_RDONLY`
    pub const RDONLY: u64 = 0x1;
    /// `MOUNT_ATTR_NOSUID`
    pub const NOSUID: u64 = 0x2;
    /// `MOUNT_ATTR_NODEV`
    pub const NODEV: u64 = 0x4;
    /// `MOUNT_ATTR_NOEXEC`
    pub const NOEXEC: u64 = 0x8;
    /// `MOUNT_ATTR__ATIME`: the mask of the three below.
    pub const ATIME: u64 = 0x70;
    /// `MOUNT_ATTR_RELATIME`
    pub const RELATIME: u64 = 0x0;
    /// `MOUNT_ATTR_NOATIME`
    pub const NOATIME: u64 = 0x10;
    /// `MOUNT_ATTR_STRICTATIME`
    pub const STRICTATIME: u64 = 0x20;
    /// `MOUNT_ATTR_NODIRATIME`
    pub const NODIRATIME: u64 = 0x80;
    /// `MOUNT_ATTR_NOSYMFOLLOW`
    pub const NOSYMFOLLOW: u64 = 0x20_0000;
    /// `MS_UNBINDABLE`
    pub const UNBINDABLE: u64 = libc::MS_UNBINDABLE;
    /// `MS_PRIVATE`
    pub const PRIVATE: u64 = libc::MS_PRIVATE;
    /// `MS_SLAVE`
    pub const SLAVE: u64 = libc::MS_SLAVE;
    /// `MS_SHARED`
    pub const SHARED: u64 = libc::MS_SHARED;

    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Attributes::default()
    }
}

/// Changes the attributes of the mount at `path` relative to `directory` (of
/// `directory` itself when the path is empty), and of all mounts below it when
/// `recursive`. Before Linux 5.12 a detached mount is replaced by a copy that
/// has them, behind the same descriptor.
///
/// # Errors
/// The errno of mount_setattr, or of the older calls that do its work.
pub fn set_attributes(
    directory: BorrowedFd<'_>,
    path: &CStr,
    recursive: bool,
    attributes: Attributes,
) -> io::Result<()> {
    let attr = MountAttr {
        attr_set: attributes.set,
        attr_clr: attributes.clear,
        propagation: attributes.propagation,
        userns_fd: 0,
    };
    match mount_setattr(directory, path, recursive, attr) {
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
            legacy::set_attributes(directory, path, recursive, attributes)
        }
        result => result,
    }
}

/// Translates the owners of what a detached mount shows (and of all mounts
/// below it when `recursive`) by the mappings of a user namespace: ID `n` on
/// the file system looks like what `n` inside the namespace is outside.
///
/// # Errors
/// The errno of mount_setattr: `ENOSYS` before Linux 5.12, `EINVAL` also when a file system does not
/// support it, `EPERM` for one that belongs to another user namespace.
pub fn set_id_mapping(
    mount: BorrowedFd<'_>,
    recursive: bool,
    user_namespace: BorrowedFd<'_>,
) -> io::Result<()> {
    const MOUNT_ATTR_IDMAP: u64 = 0x10_0000;
    let attr = MountAttr {
        attr_set: MOUNT_ATTR_IDMAP,
        attr_clr: 0,
        propagation: 0,
        userns_fd: user_namespace.as_raw_fd() as u64,
    };
    mount_setattr(mount, c"", recursive, attr)
}

/// The kernel's `struct mount_attr`.
#[repr(C)]
struct MountAttr {
    attr_set: u64,
    attr_clr: u64,
    propagation: u64,
    userns_fd: u64,
}

fn mount_setattr(
    directory: BorrowedFd<'_>,
    path: &CStr,
    recursive: bool,
    attr: MountAttr,
) -> io::Result<()> {
    const AT_RECURSIVE: libc::c_int = 0x8000;
    let mut flags = libc::AT_SYMLINK_NOFOLLOW;
    if path.is_empty() {
        flags |= libc::AT_EMPTY_PATH;
    }
    if recursive {
        flags |= AT_RECURSIVE;
    }
    // SAFETY: the kernel reads a NUL-terminated path and a structure of the
    // size given; both live until the call returns.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            directory.as_raw_fd(),
            path.as_ptr(),
            flags,
            &raw const attr,
            size_of::<MountAttr>(),
        )
    };
    crate::check(result).map(drop)
}

/// Makes `new_root` the root of the mount namespace and removes the old root
/// from it. The working directory is the new root afterwards. `shared` says
/// that mounts of the old root may be shared with other namespaces, which must
/// keep them.
///
/// # Errors
/// The errno of open, fchdir, pivot_root, mount_setattr or umount2.
pub fn pivot_root(new_root: BorrowedFd<'_>, shared: bool) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let old_root = rustix::fs::open("/", flags, Mode::empty())?;
    rustix::process::fchdir(new_root)?;
    // The old root ends up stacked on the new one and is taken off again, so
    // that no directory has to exist for it (pivot_root(2), "." twice).
    rustix::process::pivot_root(c".", c".")?;
    if shared {
        // Or the host would lose all its mounts.
        let slave = Attributes {
            propagation: Attributes::SLAVE,
            ..Attributes::default()
        };
        set_attributes(old_root.as_fd(), c"", true, slave)?;
    }
    drop(old_root);
    rustix::mount::unmount(c".", rustix::mount::UnmountFlags::DETACH)?;
    rustix::process::chdir(c"/")?;
    Ok(())
}

/// Opens a file through a read-only mount of its own that has no place in the
/// tree. Who executes that descriptor cannot be overwritten through
/// /proc/PID/exe, whatever the file's own mode says.
///
/// # Errors
/// The errno of open_tree, mount_setattr or open. Needs CAP_SYS_ADMIN.
pub fn read_only_file(path: &Path) -> io::Result<OwnedFd> {
    let tree = open_tree(
        CWD,
        path,
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC,
    )?;
    let attributes = Attributes {
        set: Attributes::RDONLY,
        ..Attributes::default()
    };
    set_attributes(tree.as_fd(), c"", false, attributes)?;
    // An O_PATH descriptor is enough to execute, but a readable one also keeps
    // the mount alive for a script's interpreter and is what fexecve expects.
    Ok(rustix::fs::open(
        format!("/proc/self/fd/{}", tree.as_raw_fd()),
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )?)
}
