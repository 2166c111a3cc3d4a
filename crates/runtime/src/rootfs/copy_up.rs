//! `tmpcopyup`: a new tmpfs starts with a copy of the directory it covers.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, Stat, Timestamps, Uid, XattrFlags,
};
use rustix::io::{Errno, Result};

use super::resolve;

/// Copies the content of a directory: files, directories, links and special
/// files, with owners, modes, times and extended attributes. Of the directory
/// itself the attributes, the times and, where asked for, the owners.
pub(super) fn copy(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    user: bool,
    group: bool,
) -> Result<()> {
    let from = rustix::fs::openat(from, c".", DIRECTORY, Mode::empty())?;
    let to = rustix::fs::openat(to, c".", DIRECTORY, Mode::empty())?;
    copy_directory(from.as_fd(), to.as_fd(), 0)?;
    let status = resolve::status(from.as_fd())?;
    own(rustix::fs::fchown(
        &to,
        user.then(|| Uid::from_raw(status.st_uid)),
        group.then(|| Gid::from_raw(status.st_gid)),
    ))?;
    copy_attributes(from.as_fd(), to.as_fd())?;
    rustix::fs::futimens(&to, &times(&status))
}

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

fn copy_directory(from: BorrowedFd<'_>, to: BorrowedFd<'_>, depth: usize) -> Result<()> {
    // Far deeper than any real tree, and shallow enough for the stack.
    if depth > 256 {
        return Err(Errno::LOOP);
    }
    for entry in Dir::read_from(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        // Once: whoever shares the directory may put something else there.
        let source = rustix::fs::openat(
            from,
            name,
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        copy_entry(source.as_fd(), to, name, depth)?;
    }
    Ok(())
}

fn copy_entry(source: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &CStr, depth: usize) -> Result<()> {
    let status = resolve::status(source)?;
    let kind = FileType::from_raw_mode(status.st_mode);
    match kind {
        FileType::Directory => {
            rustix::fs::mkdirat(to, name, Mode::from_raw_mode(0o700))?;
            let inner_from = rustix::fs::openat(source, c".", DIRECTORY, Mode::empty())?;
            let inner_to = rustix::fs::openat(to, name, DIRECTORY, Mode::empty())?;
            copy_directory(inner_from.as_fd(), inner_to.as_fd(), depth + 1)?;
            copy_attributes(inner_from.as_fd(), inner_to.as_fd())?;
        }
        FileType::RegularFile => copy_file(source, to, name)?,
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(source, c"", Vec::new())?;
            rustix::fs::symlinkat(target, to, name)?;
        }
        kind => rustix::fs::mknodat(to, name, kind, Mode::from_raw_mode(0o600), status.st_rdev)?,
    }
    own(rustix::fs::chownat(
        to,
        name,
        Some(Uid::from_raw(status.st_uid)),
        Some(Gid::from_raw(status.st_gid)),
        AtFlags::SYMLINK_NOFOLLOW,
    ))?;
    if kind != FileType::Symlink {
        // After the owner: changing that takes set-user-ID away.
        let mode = Mode::from_raw_mode(status.st_mode & 0o7777);
        rustix::fs::chmodat(to, name, mode, AtFlags::empty())?;
    }
    if kind == FileType::RegularFile {
        // Capabilities go with the old owner, too.
        let target = rustix::fs::openat(to, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        copy_attributes(reopen(source)?.as_fd(), target.as_fd())?;
    }
    rustix::fs::utimensat(to, name, &times(&status), AtFlags::SYMLINK_NOFOLLOW)
}

/// An owner that has no number in a user namespace is left behind.
fn own(result: Result<()>) -> Result<()> {
    match result {
        Err(Errno::INVAL) => Ok(()),
        result => result,
    }
}

fn times(status: &Stat) -> Timestamps {
    let time = |seconds: i64, nanoseconds: u64| rustix::fs::Timespec {
        tv_sec: seconds,
        tv_nsec: i64::try_from(nanoseconds).unwrap_or(0),
    };
    Timestamps {
        last_access: time(status.st_atime, status.st_atime_nsec),
        last_modification: time(status.st_mtime, status.st_mtime_nsec),
    }
}

/// Opens a regular file, known by its place, for reading.
fn reopen(place: BorrowedFd<'_>) -> Result<OwnedFd> {
    rustix::fs::openat(
        CWD,
        format!("/proc/self/fd/{}", place.as_raw_fd()),
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )
}

fn copy_file(source: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &CStr) -> Result<()> {
    let source = reopen(source)?;
    let target = rustix::fs::openat(
        to,
        name,
        OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::from_raw_mode(0o600),
    )?;
    while rustix::fs::sendfile(&target, &source, None, 1 << 30)? > 0 {}
    Ok(())
}

/// Copies the extended attributes that a tmpfs can hold.
fn copy_attributes(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<()> {
    // The longest list and the longest value that the kernel has.
    const MAXIMUM: usize = 64 << 10;
    let mut names = vec![0; 1024];
    let length = match rustix::fs::flistxattr(from, &mut names[..]) {
        Ok(0) | Err(Errno::OPNOTSUPP) => return Ok(()),
        Err(Errno::RANGE) => {
            names.resize(MAXIMUM, 0);
            rustix::fs::flistxattr(from, &mut names[..])?
        }
        result => result?,
    };
    let mut value = vec![0; MAXIMUM];
    for name in names[..length].split_inclusive(|&byte| byte == 0) {
        let name = CStr::from_bytes_with_nul(name).map_err(|_| Errno::INVAL)?;
        let length = match rustix::fs::fgetxattr(from, name, &mut value[..]) {
            Err(Errno::NODATA) => continue,
            result => result?,
        };
        match rustix::fs::fsetxattr(to, name, &value[..length], XattrFlags::empty()) {
            // Of a kind that tmpfs does not have, or a label, which is given by
            // the mount.
            Err(Errno::OPNOTSUPP) => {}
            Err(Errno::PERM) if name.to_bytes().starts_with(b"security.") => {}
            result => result?,
        }
    }
    Ok(())
}
