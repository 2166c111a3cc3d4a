//! Why a command failed, in the words that those who drive runc look for.

use std::io;
use std::path::{Path, PathBuf};

use crate::cgroup;
use crate::config;
use crate::state;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// There is no such command.
    #[error("no help topic for {0:?}: there is no such command")]
    UnknownCommand(String),
    /// The container's state does not allow it.
    #[error("{0}")]
    State(String),
    /// Something about the stored state.
    #[error(transparent)]
    Store(#[from] state::Error),
    /// The container could not be made, started or entered.
    #[error("unable to start container process: {0}")]
    Start(crate::Error),
    /// A further program could not be run in a container.
    #[error("exec failed: {0}")]
    Exec(Box<Error>),
    /// Anything else of the library.
    #[error(transparent)]
    Runtime(#[from] crate::Error),
    /// A configuration does not have the form of one.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// Something about control groups.
    #[error(transparent)]
    Cgroup(#[from] cgroup::Error),
    /// New limits could not be made out.
    #[error(transparent)]
    Update(#[from] super::update::Error),
    /// Something with a file.
    #[error("{what} {path}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// To what.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// A document could not be read.
    #[error("{document}: {source}")]
    Json {
        /// Its name.
        document: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Something that the command needs is missing.
    #[error("{0}")]
    Unavailable(String),
}

impl Error {
    pub(super) fn io(
        what: &'static str,
        path: impl AsRef<Path>,
        source: impl Into<io::Error>,
    ) -> Error {
        Error::Io {
            what,
            path: path.as_ref().to_owned(),
            source: source.into(),
        }
    }

    /// The exit status of the command: 255 for a program that could not be run
    /// in a container, as with runc, else 1.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Error::Exec(_) => 255,
            _ => 1,
        }
    }
}
