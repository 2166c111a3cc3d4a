//! Our ends of a process's standard streams.

use std::os::fd::OwnedFd;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// Our ends of a process's standard streams.
#[derive(Debug)]
pub(crate) enum Ends {
    /// Pipes; standard input only if it is kept open.
    Pipes {
        stdin: Option<OwnedFd>,
        stdout: OwnedFd,
        stderr: OwnedFd,
    },
    /// The terminal's controlling end.
    Terminal(OwnedFd),
    /// The process has /dev/null.
    Null,
}

/// How standard input behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InputRules {
    /// The process has a standard input.
    pub(crate) open: bool,
    /// It ends with the first attachment's.
    pub(crate) once: bool,
}

pub(super) fn never_block(end: &OwnedFd) -> Result<(), Errno> {
    let flags = rustix::fs::fcntl_getfl(end)?;
    rustix::fs::fcntl_setfl(end, flags | OFlags::NONBLOCK)
}

pub(super) fn duplicate(end: &OwnedFd) -> Result<OwnedFd, Errno> {
    rustix::io::fcntl_dupfd_cloexec(end, 3)
}
