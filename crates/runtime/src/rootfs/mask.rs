//! Paths hidden from the container or made read-only in it.
//!
//! Nothing that the image or a volume holds is trusted here: places are
//! resolved once, inside the root; what covers them is a device node made here
//! on a file system of our own, not the container's /dev/null, which a link
//! could have replaced.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_string,
    fsmount, fsopen, open_tree,
};
use tare_sys::mount::{Attributes, set_attributes};

use super::{attach, resolve};
use crate::handshake::{Failure, Step};

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
    set_attributes(tree.as_fd(), c"", true, attributes)
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))?;
    attach(tree.as_fd(), place.as_fd())
}

/// Hides paths: a directory behind an empty read-only one, a file behind a
/// null device. Missing ones are passed over.
pub(super) fn masked_paths(root: BorrowedFd<'_>, paths: &[String]) -> Result<(), Failure> {
    let mut cover = Cover::default();
    for path in paths {
        cover
            .hide(root, path)
            .map_err(|error| Failure::new(Step::MaskPath, path, error))?;
    }
    Ok(())
}

/// What hides paths, made when first needed.
#[derive(Default)]
struct Cover {
    directory: Option<OwnedFd>,
    file: Option<OwnedFd>,
}

impl Cover {
    fn hide(&mut self, root: BorrowedFd<'_>, path: &str) -> Result<(), Errno> {
        let place = match resolve::open(root, path) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
            result => result?,
        };
        let kept = if resolve::is_directory(place.as_fd())? {
            &mut self.directory
        } else {
            return self.hide_file(place.as_fd());
        };
        // A detached mount can be attached once only, and only an attached one
        // can be cloned: the first serves as the model of the others.
        match kept {
            Some(model) => {
                let copy = open_tree(model.as_fd(), c"", CLONE)?;
                attach(copy.as_fd(), place.as_fd())
            }
            None => {
                let made = empty_file_system(MountAttrFlags::MOUNT_ATTR_RDONLY)?;
                attach(made.as_fd(), place.as_fd())?;
                *kept = Some(made);
                Ok(())
            }
        }
    }

    fn hide_file(&mut self, place: BorrowedFd<'_>) -> Result<(), Errno> {
        if self.file.is_none() {
            self.file = Some(null_device()?);
        }
        let model = self.file.as_ref().ok_or(Errno::INVAL)?;
        let copy = open_tree(model, c"", CLONE)?;
        attach(copy.as_fd(), place)
    }
}

fn empty_file_system(flags: MountAttrFlags) -> Result<OwnedFd, Errno> {
    let context = fsopen(c"tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, c"source", c"tmpfs")?;
    fsconfig_set_string(&context, c"size", c"0")?;
    fsconfig_set_string(&context, c"nr_inodes", c"2")?;
    fsconfig_create(&context)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, flags)
}

/// The host's null device, verified to be one: the host's /dev is still in
/// place here and the container has had no hand in it.
fn null_device() -> Result<OwnedFd, Errno> {
    let device = rustix::fs::open(
        "/dev/null",
        rustix::fs::OFlags::PATH | rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let status = resolve::status(device.as_fd())?;
    let is_null = FileType::from_raw_mode(status.st_mode) == FileType::CharacterDevice
        && status.st_rdev == rustix::fs::makedev(1, 3);
    if is_null {
        Ok(device)
    } else {
        Err(Errno::NODEV)
    }
}
