//! A further process of a running container, from its birth to its program.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags};
use tare_sys::SingleThreaded;
use tare_sys::namespace::{self, Kinds};

use crate::conditions::Conditions;
use crate::failure::{Failure, Step};
use crate::handshake::ChildEnd;
use crate::init::{become_root_inside, begin, close_to_others, join_keyring};
use crate::process::{Ending, Prepared, Streams};
use crate::rootfs;
use crate::terminal::Terminal;

/// Everything that the process needs, made by its parent. It is born in the
/// container's PID namespace.
pub(crate) struct Plan<'a> {
    pub(crate) id: &'a str,
    pub(crate) prepared: &'a Prepared,
    /// What the container's programs are run under.
    pub(crate) conditions: &'a Conditions,
    /// v1 groups to enter.
    pub(crate) cgroup_entries: &'a [PathBuf],
    /// The container's first process.
    pub(crate) container: BorrowedFd<'a>,
    /// Its number in the host's /proc.
    pub(crate) container_pid: i32,
    /// Namespaces of it to enter.
    pub(crate) namespaces: Kinds,
    /// Whether the parent sets the out-of-memory score.
    pub(crate) scored_by_parent: bool,
    /// Whether it was born in the namespaces, by way of another process.
    pub(crate) is_inside: bool,
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
            Ok(terminal) => self.prepared.become_program(
                proof,
                channel,
                Ending {
                    streams,
                    terminal,
                    gate: None,
                    hooks: &|| Ok(()),
                },
            ),
        }
    }

    fn enter(&self, proof: SingleThreaded, streams: &Streams) -> Result<Option<Terminal>, Failure> {
        begin(self.cgroup_entries)?;
        self.prepared.affinity().settle()?;
        self.conditions.take_on()?;
        let root = if self.namespaces.contains(Kinds::MOUNT) {
            None
        } else {
            Some(self.open_root()?)
        };
        if !self.is_inside {
            self.prepared.apply_on_host(self.scored_by_parent)?;
            close_to_others()?;
            // Root and working directory are the container's afterwards.
            namespace::enter_process(proof, self.container, self.namespaces)
                .map_err(|error| Failure::new(Step::Namespace, "container's", error))?;
        }
        if self.namespaces.contains(Kinds::USER) {
            become_root_inside()?;
        }
        if let Some(root) = root {
            rootfs::change_root(root.as_fd())?;
        }
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

    /// The root of a container that has no mount namespace, from which it
    /// would come.
    fn open_root(&self) -> Result<OwnedFd, Failure> {
        let failed = |error| Failure::new(Step::Pivot, "opening the container's root", error);
        let root = rustix::fs::open(
            format!("/proc/{}/root", self.container_pid),
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(|error| failed(error.into()))?;
        // The number may have become another process's, unless this one is
        // still there now.
        tare_sys::signal::send(self.container, 0).map_err(failed)?;
        Ok(root)
    }
}
