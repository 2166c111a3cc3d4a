//! From an archive to a directory that an overlay can use as a lower layer.
//!
//! Nothing in the archive is trusted. Every path is taken apart and cleaned
//! first, then its directory is resolved by the kernel inside the layer's root
//! (openat2 with RESOLVE_IN_ROOT), so that no link can lead out of it, and
//! from then on only that descriptor and a last component are used, which is
//! never followed. Whiteouts become overlay's: a character device 0:0 for a
//! deleted file, `trusted.overlay.opaque` for a directory that hides what is
//! below. A path given twice holds what came last.
//!
//! The root is a fresh directory below ingest/ that nobody else looks into. A
//! failure leaves it half filled; the caller throws it away.

mod attribute;
mod entry;
mod path;
mod root;

use std::io::{self, BufRead};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Timespec, Timestamps};

use crate::cause::words;
use crate::tar::{self, Entry, Kind, Reader, Time, printable};
use path::Clean;
use root::Root;

/// Bounds that no honest layer comes near; they keep a hostile one from
/// filling the engine's memory or the file system's table of inodes.
const ENTRIES_MAX: u64 = 10_000_000;
const DIRECTORIES_MAX: usize = 1_000_000;

/// What was unpacked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Summary {
    /// Bytes in regular files.
    pub(crate) size: u64,
    pub(crate) entries: u64,
    /// The layer hides everything below it.
    pub(crate) opaque: bool,
}

/// Why a layer could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive is damaged or refused.
    #[error(transparent)]
    Archive(#[from] tar::Error),
    /// An entry's name, or a hard link's target, leads out of the layer.
    #[error("{path}: invalid path: {reason}")]
    Path {
        /// The name in the archive.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More entries than any honest layer has.
    #[error("the layer has more than {limit} {what}")]
    TooMany {
        /// "entries" or "directories".
        what: &'static str,
        /// The bound.
        limit: u64,
    },
    /// The operating system refused something.
    #[error("{operation} {path}: {}", words(source))]
    Entry {
        /// What was tried: "create", "write", "link", "set owner of" and so on.
        operation: &'static str,
        /// The entry's path in the layer.
        path: String,
        /// The operating system's answer.
        source: io::Error,
    },
}

impl Error {
    fn entry(operation: &'static str, path: &[u8]) -> impl FnOnce(rustix::io::Errno) -> Self {
        move |errno| Self::Entry {
            operation,
            path: printable(path),
            source: errno.into(),
        }
    }
}

/// Unpacks an archive into an existing empty directory and reads the input to
/// its end.
pub(crate) fn unpack(input: &mut dyn BufRead, directory: &Path) -> Result<Summary, Error> {
    let mut unpacker = Unpacker {
        root: Root::open(directory)?,
        summary: Summary::default(),
        directory_times: Vec::new(),
    };
    let mut reader = Reader::new(input);
    while let Some(entry) = reader.next()? {
        unpacker.summary.entries += 1;
        if unpacker.summary.entries > ENTRIES_MAX {
            return Err(Error::TooMany {
                what: "entries",
                limit: ENTRIES_MAX,
            });
        }
        unpacker.entry(&entry, &mut reader)?;
    }
    reader.drain()?;
    unpacker.finish()
}

struct Unpacker {
    root: Root,
    summary: Summary,
    /// Set at the end: every entry made in a directory changes its time.
    directory_times: Vec<(Box<[u8]>, Time)>,
}

impl Unpacker {
    fn entry(&mut self, entry: &Entry, reader: &mut Reader<'_>) -> Result<(), Error> {
        let path = path::clean(&entry.path)?;
        let Some((parent, name)) = path.split() else {
            return self.root_directory(entry);
        };
        if let Some(hidden) = name.strip_prefix(path::WHITEOUT) {
            return self.whiteout(&path, parent, hidden);
        }
        if path.as_bytes().starts_with(path::AUFS) {
            // A directory of AUFS's own bookkeeping, in images of its time.
            return Ok(());
        }
        match entry.kind {
            Kind::Regular => self.summary.size += entry.size,
            Kind::Directory => self.remember_time(&path, entry.modified)?,
            _ => {}
        }
        self.root.create(&path, entry, reader)
    }

    /// The entry `./` describes the layer's root.
    fn root_directory(&mut self, entry: &Entry) -> Result<(), Error> {
        if entry.kind != Kind::Directory {
            return Err(Error::Path {
                path: printable(&entry.path),
                reason: "the root is a directory",
            });
        }
        self.remember_time(&Clean::root(), entry.modified)?;
        self.root.describe(entry)
    }

    fn whiteout(&mut self, path: &Clean, parent: &[u8], hidden: &[u8]) -> Result<(), Error> {
        match hidden {
            path::OPAQUE => {
                self.summary.opaque |= parent.is_empty();
                self.root.make_opaque(path, parent)
            }
            // Other bookkeeping of AUFS.
            _ if hidden.starts_with(path::WHITEOUT) => Ok(()),
            b"" | b"." | b".." => Err(Error::Path {
                path: path.printable(),
                reason: "a whiteout without a name",
            }),
            _ => self.root.hide(path, parent, hidden),
        }
    }

    fn remember_time(&mut self, path: &Clean, time: Time) -> Result<(), Error> {
        if self.directory_times.len() == DIRECTORIES_MAX {
            return Err(Error::TooMany {
                what: "directories",
                limit: DIRECTORIES_MAX as u64,
            });
        }
        self.directory_times.push((path.as_bytes().into(), time));
        Ok(())
    }

    fn finish(mut self) -> Result<Summary, Error> {
        for (path, time) in std::mem::take(&mut self.directory_times) {
            self.root.set_directory_time(&path, time)?;
        }
        Ok(self.summary)
    }
}

/// Access and modification time alike: when a layer was read tells nobody
/// anything, and must not make two unpacks differ.
fn timestamps(time: Time) -> Timestamps {
    let time = Timespec {
        tv_sec: time.seconds,
        tv_nsec: time.nanoseconds.into(),
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}

/// Whether this is overlay's sign for a deleted file.
fn is_whiteout(stat: &rustix::fs::Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == 0
}

const NO_FOLLOW: AtFlags = AtFlags::SYMLINK_NOFOLLOW;

#[cfg(test)]
mod tests;
