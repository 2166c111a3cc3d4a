//! Reading tar archives that strangers made.
//!
//! Understands what image builders write: v7, ustar, GNU (long names, base-256
//! numbers, old sparse files) and PAX (extended headers, extended attributes,
//! the three sparse formats). Where readers in the field disagree about what an
//! archive contains, the archive is refused: two programs must never unpack
//! different files from the same bytes (CVE-2025-62518). Otherwise it reads as
//! Go's archive/tar does, which built the world's images.
//!
//! Nothing here touches a file system.

mod header;
mod number;
mod pax;
mod reader;
mod sparse;

pub(crate) use reader::Reader;
pub(crate) use sparse::Segment;

use std::io;

use crate::cause::words;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Regular,
    Directory,
    SymbolicLink,
    HardLink,
    CharacterDevice,
    BlockDevice,
    Fifo,
}

/// One member of an archive, names as raw bytes and not yet trusted.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) path: Vec<u8>,
    /// Where a symbolic or hard link points.
    pub(crate) link: Vec<u8>,
    pub(crate) kind: Kind,
    /// Permission bits, set-ID bits and the sticky bit.
    pub(crate) mode: u32,
    pub(crate) user: u32,
    pub(crate) group: u32,
    pub(crate) modified: Time,
    /// Major and minor number of a device.
    pub(crate) device: (u32, u32),
    /// The file's size once unpacked.
    pub(crate) size: u64,
    pub(crate) attributes: Vec<(Vec<u8>, Vec<u8>)>,
    /// Where the data goes in a sparse file.
    pub(crate) segments: Option<Vec<Segment>>,
}

/// A point in time: seconds since 1970, and nanoseconds after that second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Time {
    pub(crate) seconds: i64,
    pub(crate) nanoseconds: u32,
}

/// Why an archive was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive could not be read, or its decompression failed.
    #[error("{}", words(.0))]
    Read(#[from] io::Error),
    /// The archive ends in the middle of an entry.
    #[error("the archive ends in the middle of an entry")]
    Truncated,
    /// A header block is no header.
    #[error("invalid tar header: {0}")]
    Header(&'static str),
    /// An entry of a type that an image cannot have.
    #[error("{path}: unknown entry type {kind:?}")]
    UnknownKind {
        /// The entry's name.
        path: String,
        /// The type in its header.
        kind: char,
    },
    /// Different programs would read the archive differently.
    #[error("{path}: ambiguous archive: {reason}")]
    Ambiguous {
        /// The entry's name.
        path: String,
        /// Which statements contradict.
        reason: &'static str,
    },
    /// Larger than anything an honest archive contains.
    #[error("{path}: {what} beyond any reason")]
    Excessive {
        /// The entry's name, if it is known yet.
        path: String,
        /// What is too much.
        what: &'static str,
    },
}

/// A name for a message: whatever it contains, one line of printable text.
pub(crate) fn printable(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    text.chars()
        .map(|character| {
            if character.is_control() {
                '\u{fffd}'
            } else {
                character
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
