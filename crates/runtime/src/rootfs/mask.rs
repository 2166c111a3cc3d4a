//! Paths hidden from the container or made read-only in it.
//!
//! Nothing that the image or a volume holds is trusted here: places are
//! resolved once, inside the root, and what covers them is a null device known
//! to be one: the node made here on the container's new /dev, else the host's,
//! but never whatever is found under the container's /dev/null. The cover is
//! read-only, so that nobody inside changes that node's mode or owner.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_string,
    fsmount, fsopen, open_tree,
};
use tare_sys::mount::Attributes;

use super::{attach, change, resolve};
use crate::failure::{Failure, Step};

const CLONE: OpenTreeFlags = OpenTreeFlags::OPEN_TREE_CLONE
    .union(OpenTreeFlags::OPEN_TREE_CLOEXEC)
    .union(OpenTreeFlags::from_bits_retain(0x1000)); // AT_EMPTY_PATH

/// Makes paths read-only, with all that is mounted below them. Missing ones
/// are passed over.
pub(super) fn readonly_paths(root: BorrowedFd<'_>, paths: &[String]) -> Result<(), Failure> {
    for path in paths {
        readonly_path(root, path).map_err(|error| Failure::new(Step::ReadonlyPath, path, error))?;
    }
    Ok(())
}

fn readonly_path(root: BorrowedFd<'_>, path: &str) -> Result<(), Errno> {
    let place = match resolve::open(root, path) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
        result => result?,
    };
    let tree = open_tree(&place, c"", CLONE | OpenTreeFlags::AT_RECURSIVE)?;
    let attributes = Attributes {
        set: Attributes::RDONLY,
        ..Attributes::default()
    };
    change(tree.as_fd(), true, attributes)?;
    attach(tree.as_fd(), place.as_fd())
}

/// Hides paths: a directory behind an empty read-only one, a file behind a
/// null device. Missing ones are passed over. `dev` is the container's /dev if
/// it was made here.
pub(super) fn masked_paths(
    root: BorrowedFd<'_>,
    dev: Option<BorrowedFd<'_>>,
    paths: &[String],
) -> Result<(), Failure> {
    let mut cover = Cover {
        dev,
        directory: None,
        file: None,
    };
    for path in paths {
        cover
            .hide(root, path)
            .map_err(|error| Failure::new(Step::MaskPath, path, error))?;
    }
    Ok(())
}

/// What hides paths, made when first needed. A detached mount can be attached
/// once only, and only an attached one can be cloned: the first of each kind
/// is the model of the others.
struct Cover<'a> {
    dev: Option<BorrowedFd<'a>>,
    directory: Option<OwnedFd>,
    file: Option<OwnedFd>,
}

impl Cover<'_> {
    fn hide(&mut self, root: BorrowedFd<'_>, path: &str) -> Result<(), Errno> {
        let place = match resolve::open(root, path) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
            result => result?,
        };
        let is_directory = resolve::is_directory(place.as_fd())?;
        let model = if is_directory {
            &mut self.directory
        } else {
            &mut self.file
        };
        if let Some(model) = model {
            let copy = open_tree(model.as_fd(), c"", CLONE)?;
            return attach(copy.as_fd(), place.as_fd());
        }
        let made = if is_directory {
            empty_file_system()?
        } else {
            null_device(self.dev)?
        };
        attach(made.as_fd(), place.as_fd())?;
        *model = Some(made);
        Ok(())
    }
}

/// An empty file system that stays so.
fn empty_file_system() -> Result<OwnedFd, Errno> {
    let context = fsopen(c"tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, c"source", c"tmpfs")?;
    fsconfig_set_string(&context, c"size", c"4k")?;
    fsconfig_set_string(&context, c"nr_inodes", c"2")?;
    fsconfig_create(&context)?;
    fsmount(
        &context,
        FsMountFlags::FSMOUNT_CLOEXEC,
        MountAttrFlags::MOUNT_ATTR_RDONLY,
    )
}

/// A null device, verified to be one, as a mount of its own.
fn null_device(dev: Option<BorrowedFd<'_>>) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let device = match dev {
        Some(dev) => rustix::fs::openat(dev, "null", flags, Mode::empty())?,
        // The host's /dev is still in place, and the container has had no
        // hand in it.
        None => rustix::fs::open("/dev/null", flags, Mode::empty())?,
    };
    let status = resolve::status(device.as_fd())?;
    let is_null = FileType::from_raw_mode(status.st_mode) == FileType::CharacterDevice
        && status.st_rdev == rustix::fs::makedev(1, 3);
    if !is_null {
        return Err(Errno::NODEV);
    }
    let mount = open_tree(&device, c"", CLONE)?;
    let attributes = Attributes {
        set: Attributes::RDONLY | Attributes::NOSUID | Attributes::NOEXEC,
        ..Attributes::default()
    };
    change(mount.as_fd(), false, attributes)?;
    Ok(mount)
}
