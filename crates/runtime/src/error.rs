//! Errors of the runtime.

use std::io;

use crate::failure::Failure;
use crate::{cgroup, config, hook, listener, user_namespace};

/// Why a container could not be created, started or entered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration asks for something that cannot be done. The text
    /// names the field.
    #[error("{field}: {reason}")]
    Configuration {
        /// Path of the field in config.json.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no configuration that could be read.
    #[error(transparent)]
    Document(config::Error),
    /// The container's control groups could not be made or limited.
    #[error(transparent)]
    Cgroup(#[from] cgroup::Error),
    /// The container's first process could not be made.
    #[error("making the process: {0}")]
    Clone(#[source] io::Error),
    /// The conversation with the process broke down.
    #[error("talking to the container's process: {0}")]
    Handshake(#[source] io::Error),
    /// The process ended before it ran the program, without a word.
    #[error("the container's process ended before it ran the program")]
    Died,
    /// The kernel killed the process before it ran the program.
    #[error("container process was OOM-killed (memory limit too low?)")]
    OutOfMemory,
    /// Somebody else has started the container.
    #[error("cannot start an already running container")]
    Started,
    /// A program cannot be run in a container whose processes are stopped.
    #[error("cannot exec in a paused container")]
    Paused,
    /// The user namespace has no maps.
    #[error(transparent)]
    UserNamespace(#[from] user_namespace::Error),
    /// A hook failed that must not.
    #[error(transparent)]
    Hook(#[from] hook::Failed),
    /// Nobody listens to the system call filter.
    #[error(transparent)]
    Listener(#[from] listener::Error),
    /// A limit could not be set from outside.
    #[error("setting {what} of the container's process: {source}")]
    Outside {
        /// What it is.
        what: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A step of the process failed.
    #[error("{0}")]
    Process(Failure),
}

impl Error {
    pub(crate) fn configuration(field: impl Into<String>, reason: impl Into<String>) -> Error {
        Error::Configuration {
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// The exit status that Docker's users expect: 127 when the program does
    /// not exist, 126 when it or the working directory cannot be used, and 128
    /// for everything else.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        match self {
            Error::Process(failure) => failure.exit_code().unwrap_or(128),
            _ => 128,
        }
    }
}

impl From<config::Error> for Error {
    fn from(error: config::Error) -> Error {
        match error {
            config::Error::Invalid { path, reason } => Error::configuration(path, reason),
            other => Error::Document(other),
        }
    }
}
