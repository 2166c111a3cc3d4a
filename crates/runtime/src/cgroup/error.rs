//! What can go wrong with a control group.

use std::io;
use std::path::PathBuf;

use super::systemd;

/// What went wrong with a control group.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The host's hierarchies could not be made out.
    #[error("finding the control group hierarchies: {0}")]
    Layout(#[source] io::Error),
    /// The configured path cannot be used.
    #[error("linux.cgroupsPath {path:?}: {reason}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A group could not be made.
    #[error("making the control group {path}: {source}")]
    Create {
        /// Its directory.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// Somebody else's processes are in the group.
    #[error("the control group {0} is in use: processes are in it")]
    InUse(PathBuf),
    /// A value could not be written.
    #[error("writing {value:?} to {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What was to be written.
        value: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A file could not be read.
    #[error("reading {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A resource limit makes no sense or cannot be had here.
    #[error("linux.resources.{field}: {reason}")]
    Resource {
        /// Path of the field.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The kernel refused a resource limit.
    #[error("linux.resources.{field}: writing {value:?} to {path}: {source}")]
    Limit {
        /// Path of the field.
        field: String,
        /// What was to be written.
        value: String,
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// Access to devices could not be limited.
    #[error("linux.resources.devices: limiting access by a program: {0}")]
    Devices(#[source] io::Error),
    /// There is no group, and the operation needs one.
    #[error("cannot {0}: this container has no control group, for want of permission to make one")]
    Absent(&'static str),
    /// Freezing or thawing did not come to an end.
    #[error("the control group {path} did not become {state} in time")]
    Freeze {
        /// Its directory.
        path: PathBuf,
        /// What it was to become.
        state: &'static str,
    },
    /// A group could not be removed.
    #[error("removing the control group {path}: {source}")]
    Remove {
        /// Its directory.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// Out-of-memory events could not be subscribed to.
    #[error("watching {path} for want of memory: {source}")]
    Watch {
        /// The file or group.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// systemd could not be asked, or refused.
    #[error(transparent)]
    Systemd(#[from] systemd::Error),
}
