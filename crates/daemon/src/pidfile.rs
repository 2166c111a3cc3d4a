//! The file with the process ID.
//!
//! On disk: the file, locked as long as the daemon lives, so that a stale one
//! is known from a live one even if the number has been given to another
//! process. A crash leaves the file and drops the lock.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use thiserror::Error;

/// Why the file cannot be written.
#[derive(Debug, Error)]
pub(crate) enum PidFileError {
    /// Another daemon has it.
    #[error(
        "another daemon is running: {path} is locked by process {process}; stop it, or give this one another --pidfile"
    )]
    Taken { path: PathBuf, process: String },
    /// The file system refused.
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: io::Error },
}

/// The file; removed when dropped.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
    _lock: File,
}

impl PidFile {
    /// Writes this process's ID.
    pub(crate) fn write(path: &Path) -> Result<Self, PidFileError> {
        let failed = |source| PidFileError::Write {
            path: path.to_owned(),
            source,
        };
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(failed)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let process = fs::read_to_string(path)
                .unwrap_or_default()
                .trim()
                .to_owned();
            return Err(PidFileError::Taken {
                path: path.to_owned(),
                process,
            });
        }
        file.set_len(0).map_err(failed)?;
        write!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: file,
        })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Somebody may have removed it by hand.
        let _ = fs::remove_file(&self.path);
    }
}
