//! OCI runtime library: makes containers, runs programs in them, and limits
//! them by control groups.
//!
//! [`Container::builder`] makes a process in namespaces and control groups of
//! its own, with the whole mount tree, identity and restrictions of the
//! configuration in place, waiting; [`Container::start`] lets it become the
//! program and returns when it has. [`Container::exec`] runs a further program
//! in a running container. The processes are children of the caller, who reaps
//! them; nothing here waits for a program's end.
//!
//! The caller must have one thread only: a container's process begins as a
//! copy of it. All files that belong to a container are either in its own
//! mount namespace, and vanish with it, or are its control groups
//! ([`cgroup`]).

pub mod capability;
pub mod cgroup;
pub mod command;
mod conditions;
pub mod config;
mod container;
pub mod defaults;
mod error;
mod exec;
mod failure;
#[doc(hidden)]
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod gate;
mod handshake;
pub mod hook;
mod init;
pub mod listener;
mod net_device;
mod number_list;
mod plan;
mod process;
mod resctrl;
mod resource_limit;
mod rootfs;
pub mod seccomp;
mod signal;
pub mod state;
mod state_document;
mod terminal;
pub mod user;
pub mod user_namespace;

pub use container::{Builder, Container, ExecProcess, ExecRequest, Identity, Saved, Stdio};
pub use error::Error;
pub use failure::{Failure, Step};
pub use rootfs::Rootfs;
pub use rootfs::options::NAMES as MOUNT_OPTIONS;
pub use terminal::resize;
