//! Paths inside a container's root, resolved by the kernel and only once.
//!
//! Whatever the image or a volume holds (symbolic links, dangling or cyclic),
//! nothing here ever leaves the root: openat2 resolves with `RESOLVE_IN_ROOT`,
//! and missing parts are made relative to descriptors so obtained.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::{Errno, Result};

/// As many symbolic links as the kernel follows.
const MAXIMUM_LINKS: usize = 40;

/// What [`ensure`] makes when the path's last component is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// A directory.
    Directory,
    /// An empty file.
    File,
}

/// Opens what is at `path` inside `root`, as a place (`O_PATH`).
pub(crate) fn open(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd> {
    open_with(root, path, OFlags::PATH, ResolveFlags::empty())
}

/// As [`open`], but no component may be a symbolic link.
pub(crate) fn open_without_links(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd> {
    open_with(root, path, OFlags::PATH, ResolveFlags::NO_SYMLINKS)
}

/// Opens what is at `path` inside `root` with the given flags.
pub(crate) fn open_with(
    root: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    resolve: ResolveFlags,
) -> Result<OwnedFd> {
    let path = if path.is_empty() { "/" } else { path };
    let mut attempts = 0;
    loop {
        match rustix::fs::openat2(
            root,
            path,
            flags | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | resolve,
        ) {
            // Something was renamed during a "..": the kernel wants a retry.
            Err(Errno::AGAIN) if attempts < 100 => attempts += 1,
            result => return result,
        }
    }
}

/// Opens what is at `path` inside `root` as a place, making what is missing:
/// directories on the way with mode 0755, and `missing` at its end. Says also
/// whether it existed.
pub(crate) fn ensure(
    root: BorrowedFd<'_>,
    path: &str,
    missing: Missing,
) -> Result<(OwnedFd, bool)> {
    match open(root, path) {
        Err(Errno::NOENT) => {}
        result => return Ok((result?, true)),
    }
    let mut components: VecDeque<String> = split(path).collect();
    let mut reached = String::from("/");
    let mut links = 0;
    while let Some(component) = components.pop_front() {
        let next = format!("{}/{component}", reached.trim_end_matches('/'));
        match open(root, &next) {
            Ok(_) => {
                reached = next;
                continue;
            }
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error),
        }
        let parent = open(root, &reached)?;
        match rustix::fs::readlinkat(&parent, component.as_str(), Vec::new()) {
            // A dangling link: what it points to is made instead.
            Ok(target) => {
                links += 1;
                if links > MAXIMUM_LINKS {
                    return Err(Errno::LOOP);
                }
                let target = OsString::from_vec(target.into_bytes())
                    .into_string()
                    .map_err(|_| Errno::ILSEQ)?;
                if target.starts_with('/') {
                    reached = String::from("/");
                }
                for part in split(&target).collect::<Vec<_>>().into_iter().rev() {
                    components.push_front(part);
                }
                continue;
            }
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error),
        }
        make(parent.as_fd(), &component, missing, components.is_empty())?;
        reached = next;
    }
    Ok((open(root, &reached)?, false))
}

fn make(parent: BorrowedFd<'_>, name: &str, missing: Missing, last: bool) -> Result<()> {
    let made = if last && missing == Missing::File {
        rustix::fs::openat(
            parent,
            name,
            OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::WRONLY,
            Mode::from_raw_mode(0o644),
        )
        .map(drop)
    } else {
        rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755))
    };
    match made {
        Err(Errno::EXIST) => Ok(()),
        result => result,
    }
}

fn split(path: &str) -> impl Iterator<Item = String> + '_ {
    path.split('/')
        .filter(|component| !component.is_empty() && *component != ".")
        .map(str::to_owned)
}

/// The path of a place as it is seen from inside the root.
pub(crate) fn path_inside(root: BorrowedFd<'_>, place: BorrowedFd<'_>) -> Result<String> {
    let path = |fd: BorrowedFd<'_>| -> Result<String> {
        let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
        let target = rustix::fs::readlink(link, Vec::new())?;
        Ok(target.to_string_lossy().into_owned())
    };
    let outer = path(root)?;
    let inner = path(place)?;
    let inside = inner
        .strip_prefix(outer.trim_end_matches('/'))
        .ok_or(Errno::XDEV)?;
    Ok(match inside {
        "" => "/".to_owned(),
        inside => inside.to_owned(),
    })
}

/// Status of the file behind a descriptor.
pub(crate) fn status(fd: BorrowedFd<'_>) -> Result<Stat> {
    rustix::fs::statat(fd, c"", AtFlags::EMPTY_PATH)
}

/// Whether a directory is behind the descriptor.
pub(crate) fn is_directory(fd: BorrowedFd<'_>) -> Result<bool> {
    Ok(FileType::from_raw_mode(status(fd)?.st_mode) == FileType::Directory)
}
