//! Why a call to a shim failed.

use std::path::PathBuf;
use std::time::Duration;

use rustix::io::Errno;

use crate::packet::PacketError;
use crate::protocol::{Refusal, StartError};

/// Why a call to a shim failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The shim's directory could not be made or prepared.
    #[error("cannot prepare the shim's directory {}: {source}", path.display())]
    Directory {
        /// The directory or a file in it.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The shim could not be executed.
    #[error("cannot execute {} as a shim: {source}", executable.display())]
    Spawn {
        /// The executable.
        executable: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// No shim answers in this directory.
    #[error("cannot connect to the shim in {}: {source}", directory.display())]
    Connect {
        /// The shim's directory.
        directory: PathBuf,
        /// The cause.
        #[source]
        source: Errno,
    },
    /// The container or the exec could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The shim refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A packet could not be sent or received.
    #[error("shim in {}: {source}", directory.display())]
    Packet {
        /// The shim's directory.
        directory: PathBuf,
        /// The cause.
        #[source]
        source: PacketError,
    },
    /// The shim ended without an answer; what it said last follows.
    #[error("the shim in {} ended without an answer: {diagnostics}", directory.display())]
    Ended {
        /// The shim's directory.
        directory: PathBuf,
        /// The last line that it wrote.
        diagnostics: String,
    },
    /// No answer came in time.
    #[error("the shim in {} did not answer within {} s", directory.display(), waited.as_secs())]
    TimedOut {
        /// The shim's directory.
        directory: PathBuf,
        /// How long it was given.
        waited: Duration,
    },
    /// The shim answered something else.
    #[error("the shim in {} gave an answer that does not fit the request", directory.display())]
    Answer {
        /// The shim's directory.
        directory: PathBuf,
    },
}
