//! A process that the shim has started: the init or an exec.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use crate::protocol::{Exit, Target};
use crate::streams::Streams;

#[derive(Debug)]
pub(crate) struct Child {
    pub(super) target: Target,
    pub(super) pid: u32,
    pub(super) streams: Streams,
    pub(super) life: Life,
}

/// How far the process has come.
#[derive(Debug)]
pub(super) enum Life {
    Running(OwnedFd),
    /// Reaped; its output is awaited until then.
    Ended(Exit, Instant),
    /// The exit is known outside; or would be, had somebody listened.
    Reported {
        exit: Exit,
        told: bool,
    },
}

impl Child {
    pub(crate) fn new(target: Target, pid: u32, pidfd: OwnedFd, streams: Streams) -> Child {
        Child {
            target,
            pid,
            streams,
            life: Life::Running(pidfd),
        }
    }

    pub(super) fn running(&self) -> Option<BorrowedFd<'_>> {
        match &self.life {
            Life::Running(pidfd) => Some(pidfd.as_fd()),
            _ => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.life {
            Life::Ended(_, deadline) => Some(*deadline),
            _ => None,
        }
    }

    /// How it ended, once that has been reported.
    pub(super) fn exit(&self) -> Option<&Exit> {
        match &self.life {
            Life::Reported { exit, .. } => Some(exit),
            _ => None,
        }
    }

    /// Nobody needs this exec any more.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.life, Life::Reported { told: true, .. })
            && self.streams.output_ended()
            && !self.streams.has_attachments()
    }

    /// No attachment waits for output, so that the shim may go.
    pub(super) fn is_silent(&self) -> bool {
        !self.streams.has_attachments()
    }
}
