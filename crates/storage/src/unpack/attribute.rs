//! Extended attributes of unpacked files.

use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};

use rustix::fs::{Mode, OFlags, XattrFlags};
use rustix::io::Errno;

use super::Error;
use crate::tar::Entry;

const OPAQUE: &str = "trusted.overlay.opaque";

/// Overlay's own notes. A layer that brought some could redirect directories
/// or borrow other files' content, so they are left out, as containers/storage
/// does.
const OVERLAY: [&[u8]; 2] = [b"trusted.overlay.", b"user.overlay."];

/// Sets an entry's attributes by way of `set_one`.
pub(super) fn set(
    entry: &Entry,
    set_one: impl Fn(&[u8], &[u8]) -> Result<(), Errno>,
) -> Result<(), Error> {
    for (name, value) in &entry.attributes {
        if OVERLAY.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        match set_one(name, value) {
            Ok(()) => {}
            // As Docker: an attribute the file system does not know, or a user's
            // on something that cannot have any, is no reason to fail.
            Err(Errno::OPNOTSUPP) => {
                tracing::debug!(
                    "{}: attribute not supported here",
                    crate::tar::printable(&entry.path)
                );
            }
            Err(Errno::PERM) if name.starts_with(b"user.") => {}
            Err(error) => return Err(Error::entry("set attribute of", &entry.path)(error)),
        }
    }
    Ok(())
}

/// Sets an attribute of an open file or directory.
pub(super) fn set_on(file: impl AsFd, name: &[u8], value: &[u8]) -> Result<(), Errno> {
    rustix::fs::fsetxattr(file, name, value, XattrFlags::empty())
}

/// Sets an attribute of something that must not be opened or followed.
pub(super) fn set_at(
    directory: BorrowedFd<'_>,
    file: &[u8],
    name: &[u8],
    value: &[u8],
) -> Result<(), Errno> {
    let mut path = format!("/proc/self/fd/{}/", directory.as_raw_fd()).into_bytes();
    path.extend_from_slice(file);
    rustix::fs::lsetxattr(path, name, value, XattrFlags::empty())
}

/// Marks a directory opaque.
pub(super) fn set_opaque(parent: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    let directory = open_directory(parent, name)?;
    rustix::fs::fsetxattr(directory, OPAQUE, b"y", XattrFlags::empty())
}

pub(super) fn open_directory(
    parent: BorrowedFd<'_>,
    name: &[u8],
) -> Result<std::os::fd::OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}
