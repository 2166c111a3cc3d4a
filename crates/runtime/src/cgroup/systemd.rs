//! Control groups by systemd: a transient scope (or slice) for each container.
//!
//! Owns the unit of the container, whose group is the container's, by messages
//! to systemd over D-Bus; each operation opens a connection of its own and has
//! a time limit. A crash leaves at most the unit, which systemd removes when
//! no process is in it any more.

mod address;
mod annotation;
mod authentication;
mod connection;
mod decode;
mod encode;
mod message;
mod name;
mod properties;
mod unit;
mod value;

#[cfg(test)]
mod tests;

pub(super) use annotation::annotated;
pub use annotation::{PREFIX as ANNOTATION_PREFIX, check_annotations};
pub(super) use unit::Unit;

/// How long systemd may take for one operation, in seconds.
const PATIENCE: u64 = 30;

/// What went wrong in talking to systemd.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No bus leads to systemd.
    #[error(
        "systemd cannot be reached over D-Bus ({0}); without it, leave out the systemd driver \
         (--systemd-cgroup) and give linux.cgroupsPath as a path"
    )]
    NoBus(String),
    /// The bus did not let the caller in, or spoke another protocol.
    #[error("the D-Bus connection to systemd: {0}")]
    Protocol(String),
    /// systemd was too slow.
    #[error("systemd did not {operation} in {PATIENCE} s")]
    Late {
        /// What it was to do.
        operation: String,
    },
    /// systemd refused.
    #[error("systemd did not {operation}: {message}")]
    Refused {
        /// What it was to do.
        operation: String,
        /// The name of the error.
        name: String,
        /// systemd's words.
        message: String,
    },
    /// An annotation for systemd makes no sense.
    #[error("annotations[{key:?}]: {reason}")]
    Annotation {
        /// Its key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}
