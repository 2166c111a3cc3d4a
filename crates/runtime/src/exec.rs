//! A further process of a running container, from its birth to its program.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags};
use tare_sys::SingleThreaded;
use tare_sys::namespace::{self, Kinds};

use crate::failure::{Failure, Step};
use crate::handshake::ChildEnd;
use crate::init::{begin, join_keyring};
use crate::process::{Prepared, Streams};
use crate::terminal::Terminal;

/// Everything that the process needs, made by its parent. It is born in the
/// container's PID namespace.
pub(crate) struct Plan<'a> {
    pub(crate) id: &'a str,
    pub(crate) prepared: &'a Prepared,
    /// v1 groups to enter.
    pub(crate) cgroup_entries: &'a [PathBuf],
    /// The container's first process.
    pub(crate) container: BorrowedFd<'a>,
    /// Namespaces of it to enter.
    pub(crate) namespaces: Kinds,
}

impl Plan<'_> {
    /// Becomes the program. Returns only when a step has failed.
    pub(crate) fn run(
        &self,
        proof: SingleThreaded,
        channel: &ChildEnd,
        streams: Streams,
    ) -> Failure {
        match self.enter(proof, &streams) {
            Err(failure) => failure,
            Ok(terminal) => self
                .prepared
                .become_program(proof, channel, streams, terminal),
        }
    }

    fn enter(&self, proof: SingleThreaded, streams: &Streams) -> Result<Option<Terminal>, Failure> {
        begin(self.cgroup_entries)?;
        self.prepared.apply_on_host()?;
        // Root and working directory are the container's afterwards.
        namespace::enter_process(proof, self.container, self.namespaces)
            .map_err(|error| Failure::new(Step::Namespace, "container's", error))?;
        join_keyring(self.id)?;
        if !matches!(streams, Streams::Terminal) {
            return Ok(None);
        }
        let failed = |error| Failure::new(Step::Console, "/dev/pts", error);
        let pts = rustix::fs::open(
            "/dev/pts",
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(failed)?;
        Terminal::open(pts.as_fd()).map(Some).map_err(failed)
    }
}
