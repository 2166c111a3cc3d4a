//! Whole directory trees: removed, and measured.
//!
//! The trees are made by containers and may be absurd: hundreds of thousands
//! of directories inside each other exhaust a recursive program's stack and
//! its file descriptors. Here depth costs neither.

use std::collections::HashSet;
use std::ffi::{CStr, CString, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::path::Arg as _;

/// How many directories are open at once; deeper ones are moved up first.
const DEPTH_MAX: usize = 32;
/// A directory that keeps getting entries while it is emptied is given up.
const SCANS_MAX: usize = 16;

/// Removes a file or a directory with everything in it. What does not exist is
/// removed already. Directories too deep to be emptied where they are get
/// moved to `<path>.<n>` beside it first, so no other path may be named so.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    remove_at(CWD, path, path)
}

/// Like [`remove`], by the name in an open directory, with deep directories
/// moved to `<spill>.<n>` on the same file system.
pub(crate) fn remove_at<P: rustix::path::Arg>(
    parent: BorrowedFd<'_>,
    name: P,
    spill: &Path,
) -> io::Result<()> {
    let mut moved = Moved {
        base: spill,
        count: 0,
        pending: Vec::new(),
    };
    name.into_with_c_str(|name| Ok(remove_one(parent, name, &mut moved)))??;
    while let Some(path) = moved.pending.pop() {
        path.into_with_c_str(|path| Ok(remove_one(CWD, path, &mut moved)))??;
    }
    Ok(())
}

fn remove_one(parent: BorrowedFd<'_>, name: &CStr, moved: &mut Moved<'_>) -> io::Result<()> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {
            empty(open_directory(parent, name)?, 0, moved)?;
            Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
        }
        Err(error) => Err(error.into()),
    }
}

/// Directories that were too deep and now lie beside the tree.
struct Moved<'path> {
    base: &'path Path,
    count: u64,
    pending: Vec<PathBuf>,
}

impl Moved<'_> {
    fn take(&mut self, parent: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
        let mut path = OsString::from(self.base);
        path.push(format!(".{}", self.count));
        self.count += 1;
        rustix::fs::renameat(parent, name, CWD, &path)?;
        self.pending.push(path.into());
        Ok(())
    }
}

fn empty(directory: OwnedFd, depth: usize, moved: &mut Moved<'_>) -> io::Result<()> {
    // Removing entries while reading may skip some; a scan that finds none ends it.
    for _ in 0..SCANS_MAX {
        let mut found = false;
        for entry in Dir::read_from(&directory)? {
            let entry = entry?;
            let name = entry.file_name();
            if is_dot(name) {
                continue;
            }
            found = true;
            if entry.file_type() != FileType::Directory {
                match rustix::fs::unlinkat(&directory, name, AtFlags::empty()) {
                    Ok(()) | Err(Errno::NOENT) => continue,
                    // The file system did not tell the type.
                    Err(Errno::ISDIR | Errno::PERM) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            match rustix::fs::unlinkat(&directory, name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => continue,
                Err(Errno::NOTEMPTY | Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            if depth + 1 == DEPTH_MAX {
                moved.take(directory.as_fd(), name)?;
            } else {
                empty(open_directory(directory.as_fd(), name)?, depth + 1, moved)?;
                rustix::fs::unlinkat(&directory, name, AtFlags::REMOVEDIR)?;
            }
        }
        if !found {
            return Ok(());
        }
    }
    Err(Errno::NOTEMPTY.into())
}

/// The bytes in a tree's regular files, each counted once however many names
/// it has, as Docker reports a container's size.
pub(crate) fn size(path: &Path) -> io::Result<u64> {
    let mut total = 0;
    let mut linked = HashSet::new();
    // A path of names relative to each other would outgrow PATH_MAX, so the
    // way back up is "..": the directories are not renamed while they are ours,
    // and where a container moves one meanwhile, only the sum is off.
    let mut directory = open_directory(CWD, path)?;
    let root = identity(&directory)?;
    let mut pending: Vec<Vec<CString>> = vec![scan(&directory, &mut total, &mut linked)?];
    while let Some(names) = pending.last_mut() {
        if let Some(name) = names.pop() {
            match open_directory(directory.as_fd(), name.as_c_str()) {
                Ok(child) => {
                    pending.push(scan(&child, &mut total, &mut linked)?);
                    directory = child;
                }
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(error),
            }
        } else {
            pending.pop();
            if pending.is_empty() || identity(&directory)? == root {
                break;
            }
            directory = open_directory(directory.as_fd(), c"..")?;
        }
    }
    Ok(total)
}

fn scan(
    directory: &OwnedFd,
    total: &mut u64,
    linked: &mut HashSet<(u64, u64)>,
) -> io::Result<Vec<CString>> {
    let mut directories = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        match entry.file_type() {
            FileType::Directory if !is_dot(name) => directories.push(name.to_owned()),
            FileType::RegularFile | FileType::Unknown => {
                let stat = match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => stat,
                    Err(Errno::NOENT) => continue,
                    Err(error) => return Err(error.into()),
                };
                match FileType::from_raw_mode(stat.st_mode) {
                    FileType::Directory if !is_dot(name) => directories.push(name.to_owned()),
                    FileType::RegularFile
                        if stat.st_nlink == 1 || linked.insert((stat.st_dev, stat.st_ino)) =>
                    {
                        *total += u64::try_from(stat.st_size).unwrap_or(0);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    Ok(directories)
}

fn identity(directory: &OwnedFd) -> io::Result<(u64, u64)> {
    let stat = rustix::fs::fstat(directory)?;
    Ok((stat.st_dev, stat.st_ino))
}

fn is_dot(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
    )
}

fn open_directory<P: rustix::path::Arg>(parent: BorrowedFd<'_>, name: P) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(parent, name, flags, Mode::empty())?)
}

#[cfg(test)]
mod tests;
