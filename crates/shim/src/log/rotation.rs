//! The files of a log: moving them on, and finding them while they move.
//!
//! A writer may rotate, or die between two renames, at any moment of a
//! reader's search. Readers therefore know files by their inode, open the
//! newest first, and take numbers only as places to look.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;

use super::LogConfig;

/// An open file of a log.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: File,
    pub(super) identity: Identity,
}

/// Device and inode.
pub(super) type Identity = (u64, u64);

/// Makes room at `config.path`: every file gets one older, the oldest goes.
pub(super) fn rotate(config: &LogConfig) -> io::Result<()> {
    if config.max_files < 2 {
        return std::fs::remove_file(&config.path);
    }
    for age in (1..config.max_files - 1).rev() {
        ignore_missing(std::fs::rename(
            config.rotated(age),
            config.rotated(age + 1),
        ))?;
    }
    std::fs::rename(&config.path, config.rotated(1))
}

/// All files, oldest first.
pub(super) fn open_all(config: &LogConfig) -> io::Result<Vec<Source>> {
    open_until(config, None)
}

/// The files that are newer than one, oldest first. If that one is gone, all.
pub(super) fn open_newer(config: &LogConfig, than: Identity) -> io::Result<Vec<Source>> {
    open_until(config, Some(than))
}

fn open_until(config: &LogConfig, last: Option<Identity>) -> io::Result<Vec<Source>> {
    let mut found: Vec<Source> = Vec::new();
    for age in 0..config.max_files.max(1) {
        let opened = if age == 0 {
            File::open(&config.path)
        } else {
            File::open(config.rotated(age))
        };
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        let identity = (metadata.dev(), metadata.ino());
        if last == Some(identity) {
            break;
        }
        // Seen already when the files moved on during the search.
        if found.iter().all(|source| source.identity != identity) {
            found.push(Source { file, identity });
        }
    }
    found.reverse();
    Ok(found)
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
