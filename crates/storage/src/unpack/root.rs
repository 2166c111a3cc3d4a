//! The layer's root and the way to the directories in it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::path::{self, Clean};
use super::{Error, NO_FOLLOW, attribute, is_whiteout, timestamps};
use crate::tar::{Entry, Time};
use crate::tree;

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const INSIDE: ResolveFlags = ResolveFlags::IN_ROOT.union(ResolveFlags::NO_MAGICLINKS);
/// The kernel gives up a lookup with `..` in a link's target when anything on
/// the system is renamed meanwhile, and asks to be asked again.
const LOOKUPS_MAX: usize = 1000;

pub(super) struct Root {
    directory: OwnedFd,
    /// Where directories too deep to be emptied in place are moved.
    spill: PathBuf,
    parent: Option<Parent>,
    /// What a new file has without further ado.
    pub(super) user: u32,
    pub(super) group: u32,
    pub(super) umask: u32,
    /// Something was replaced, so a path may not be what it was.
    replaced: bool,
}

/// The directory of the last entry: the next is most often beside it.
struct Parent {
    path: Vec<u8>,
    directory: OwnedFd,
    passes_group_on: bool,
}

/// Where an entry goes: a directory, and whether new files in it get its group.
#[derive(Clone, Copy)]
pub(super) struct Place<'root, 'name> {
    pub(super) directory: BorrowedFd<'root>,
    pub(super) name: &'name [u8],
    pub(super) passes_group_on: bool,
}

impl Root {
    pub(super) fn open(directory: &Path) -> Result<Self, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let root = rustix::fs::openat(CWD, directory, flags, Mode::empty())
            .map_err(Error::entry("open", b"/"))?;
        Ok(Self {
            directory: root,
            spill: directory.with_extension("deep"),
            parent: None,
            user: rustix::process::geteuid().as_raw(),
            group: rustix::process::getegid().as_raw(),
            umask: umask(),
            replaced: false,
        })
    }

    /// The directory and name of a path, missing directories made.
    pub(super) fn place<'name>(&mut self, path: &'name Clean) -> Result<Place<'_, 'name>, Error> {
        let (parent, name) = path.split().unwrap_or((&[], b"."));
        let parent = self.parent(parent, path)?;
        Ok(Place {
            directory: parent.directory.as_fd(),
            name,
            passes_group_on: parent.passes_group_on,
        })
    }

    fn parent(&mut self, parent: &[u8], path: &Clean) -> Result<&Parent, Error> {
        let is_last = self.parent.as_ref().is_some_and(|last| last.path == parent);
        if !is_last {
            // First closed, so that a failure leaves no stale one.
            self.parent = None;
            let directory = match self.open_directory(parent) {
                Err(Errno::NOENT | Errno::NOTDIR) => self.make_directories(parent),
                other => other,
            }
            .map_err(Error::entry("create the directory of", path.as_bytes()))?;
            let stat = rustix::fs::fstat(&directory).map_err(Error::entry("look at", parent))?;
            let passes_group_on = Mode::from_raw_mode(stat.st_mode).contains(Mode::SGID);
            self.parent = Some(Parent {
                path: parent.to_vec(),
                directory,
                passes_group_on,
            });
        }
        // It was found or set above.
        self.parent
            .as_ref()
            .ok_or_else(|| Error::entry("open", parent)(Errno::NOENT))
    }

    /// Opens a directory of the layer; links in its path stay in the layer.
    pub(super) fn open_directory(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        let path: &[u8] = if path.is_empty() { b"." } else { path };
        for _ in 1..LOOKUPS_MAX {
            match rustix::fs::openat2(&self.directory, path, DIRECTORY, Mode::empty(), INSIDE) {
                Err(Errno::AGAIN) => {}
                result => return result,
            }
        }
        Err(Errno::AGAIN)
    }

    /// Makes the directories that the archive has no entries for, below the
    /// deepest that is there.
    fn make_directories(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        let mut missing = Vec::new();
        let mut existing = path;
        let mut directory = loop {
            match (self.open_directory(existing), path::split(existing)) {
                (Err(why @ (Errno::NOENT | Errno::NOTDIR)), Some((parent, name))) => {
                    missing.push((existing, name, why));
                    existing = parent;
                }
                (result, _) => break result?,
            }
        };
        while let Some((path, name, why)) = missing.pop() {
            self.make_directory(directory.as_fd(), name, why)?;
            directory = self.open_directory(path)?;
        }
        Ok(directory)
    }

    fn make_directory(&self, parent: BorrowedFd<'_>, name: &[u8], why: Errno) -> Result<(), Errno> {
        const MODE: Mode = Mode::from_raw_mode(0o755);
        let was_whiteout = match rustix::fs::statat(parent, name, NO_FOLLOW) {
            Ok(stat) if is_whiteout(&stat) => {
                rustix::fs::unlinkat(parent, name, rustix::fs::AtFlags::empty())?;
                true
            }
            // A file, or a link that leads nowhere in this layer.
            Ok(_) => return Err(why),
            Err(Errno::NOENT) => false,
            Err(error) => return Err(error),
        };
        rustix::fs::mkdirat(parent, name, MODE)?;
        if self.umask & MODE.as_raw_mode() != 0 {
            rustix::fs::chmodat(parent, name, MODE, rustix::fs::AtFlags::empty())?;
        }
        if was_whiteout {
            attribute::set_opaque(parent, name)
        } else {
            Ok(())
        }
    }

    /// Takes away what an earlier entry put at a place. Says whether that was
    /// a whiteout.
    pub(super) fn clear(&mut self, path: &Clean) -> Result<bool, Error> {
        let spill = self.spill.clone();
        let failed = || Error::entry("replace", path.as_bytes());
        let place = self.place(path)?;
        let stat = rustix::fs::statat(place.directory, place.name, NO_FOLLOW).map_err(failed())?;
        let removed = tree::remove_at(place.directory, place.name, &spill);
        removed.map_err(|source| Error::Entry {
            operation: "replace",
            path: path.printable(),
            source,
        })?;
        // The directory at hand may lie in what was removed, or behind a link.
        self.parent = None;
        self.replaced = true;
        Ok(is_whiteout(&stat))
    }

    /// Mode, owner and attributes of the layer's root.
    pub(super) fn describe(&mut self, entry: &Entry) -> Result<(), Error> {
        // What was known of the root as a parent may change.
        self.parent = None;
        let (user, group) = (
            rustix::fs::Uid::from_raw(entry.user),
            rustix::fs::Gid::from_raw(entry.group),
        );
        rustix::fs::fchown(&self.directory, Some(user), Some(group))
            .map_err(Error::entry("set owner of", b"/"))?;
        rustix::fs::fchmod(&self.directory, Mode::from_raw_mode(entry.mode))
            .map_err(Error::entry("set mode of", b"/"))?;
        attribute::set(entry, |name, value| {
            attribute::set_on(&self.directory, name, value)
        })
    }

    /// Marks a directory so that overlay shows nothing below it.
    pub(super) fn make_opaque(&mut self, path: &Clean, parent: &[u8]) -> Result<(), Error> {
        let directory = self.parent(parent, path)?.directory.as_fd();
        attribute::set_opaque(directory, b".").map_err(Error::entry("make opaque", parent))
    }

    /// Hides a file of the layers below. What this layer itself has under that
    /// name stays, and does so alone.
    pub(super) fn hide(&mut self, path: &Clean, parent: &[u8], name: &[u8]) -> Result<(), Error> {
        let directory = self.parent(parent, path)?.directory.as_fd();
        let kind = FileType::CharacterDevice;
        match rustix::fs::mknodat(directory, name, kind, Mode::empty(), 0) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => {
                let stat = rustix::fs::statat(directory, name, NO_FOLLOW)
                    .map_err(Error::entry("look at", path.as_bytes()))?;
                match FileType::from_raw_mode(stat.st_mode) {
                    FileType::Directory => attribute::set_opaque(directory, name)
                        .map_err(Error::entry("make opaque", path.as_bytes())),
                    _ => Ok(()),
                }
            }
            Err(error) => Err(Error::entry("create whiteout", path.as_bytes())(error)),
        }
    }

    pub(super) fn set_directory_time(&mut self, path: &[u8], time: Time) -> Result<(), Error> {
        let times = timestamps(time);
        let Some((parent, name)) = path::split(path) else {
            return rustix::fs::futimens(&self.directory, &times)
                .map_err(Error::entry("set times of", b"/"));
        };
        if self.parent.as_ref().is_none_or(|last| last.path != parent) {
            let directory = match self.open_directory(parent) {
                Ok(directory) => directory,
                // A later entry took its place.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) if self.replaced => return Ok(()),
                Err(error) => return Err(Error::entry("set times of", path)(error)),
            };
            self.parent = Some(Parent {
                path: parent.to_vec(),
                directory,
                passes_group_on: false,
            });
        }
        let Some(Parent { directory, .. }) = &self.parent else {
            return Ok(());
        };
        if self.replaced {
            match rustix::fs::statat(directory, name, NO_FOLLOW) {
                Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {}
                _ => return Ok(()),
            }
        }
        rustix::fs::utimensat(directory, name, &times, NO_FOLLOW)
            .map_err(Error::entry("set times of", path))
    }
}

/// The process's umask, without changing it for a moment as umask(2) would.
/// When it cannot be known, every mode is set explicitly.
fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    field
        .and_then(|value| u32::from_str_radix(value.trim(), 8).ok())
        .unwrap_or(0o777)
}
