//! Running a further program in a container.

use std::os::fd::{AsFd, OwnedFd};

use tare_oci::runtime::Process;
use tare_sys::SingleThreaded;
use tare_sys::namespace::Kinds;

use super::spawn::{Birth, Way, spawn};
use super::{Container, Identity, Stdio, end, make_undumpable, start};
use crate::config;
use crate::error::Error;
use crate::failure::Failure;
use crate::init::{enter_groups, enter_unified};
use crate::process::{Prepared, Streams};
use crate::state_document::Status;
use crate::user_namespace;

/// A further program in a container.
#[derive(Debug)]
pub struct ExecRequest<'a> {
    /// The program.
    pub process: &'a Process,
    /// Its standard streams; must agree with `process.terminal`.
    pub stdio: Stdio,
    /// Who it runs as.
    pub identity: Identity,
    /// How many of the caller's descriptors from 3 on it gets.
    pub preserve: u32,
    /// Whether it is made although the container is paused; it then waits
    /// until that is not so any more, and so does the caller.
    pub ignore_paused: bool,
    /// Control groups below the container's own to be in instead:
    /// `path`, or `controller,…:path` for some of the v1 hierarchies.
    pub cgroups: Vec<String>,
}

impl<'a> ExecRequest<'a> {
    /// A program with the identity of its configuration.
    #[must_use]
    pub fn new(process: &'a Process, stdio: Stdio) -> ExecRequest<'a> {
        ExecRequest {
            process,
            stdio,
            identity: Identity::Configured,
            preserve: 0,
            ignore_paused: false,
            cgroups: Vec::new(),
        }
    }
}

/// A further process of a container, whose program runs.
#[derive(Debug)]
pub struct ExecProcess {
    /// Its number in the caller's PID namespace.
    pub pid: i32,
    /// A descriptor for it.
    pub pidfd: OwnedFd,
    /// The terminal's master, when the program has one.
    pub console: Option<OwnedFd>,
    /// The listener of its system call filter: as [`Container::listener`].
    pub listener: Option<OwnedFd>,
}

impl Container {
    /// Runs a further program in the container, and returns when it runs. The
    /// process is a child of the caller.
    ///
    /// # Errors
    /// When the container's first process has ended, or a step fails. No
    /// process is left then.
    pub fn exec(&self, request: ExecRequest<'_>) -> Result<ExecProcess, Error> {
        let proof = SingleThreaded::verify().map_err(Error::Clone)?;
        config::validate_process(request.process)?;
        let is_root = rustix::process::geteuid().is_root();
        let has_user_namespace = self.namespaces.contains(Kinds::USER);
        let is_limited = user_namespace::is_limited();
        let by_parent = has_user_namespace && is_root;
        let filtered = !self.filter.is_empty();
        let prepared = Prepared::new(request.process, &request.identity, filtered)?
            .preserve(request.preserve)
            .limits_by_parent(by_parent)
            .rootless(!is_root || is_limited);
        let streams = Streams::new(request.stdio).map_err(Error::Clone)?;
        make_undumpable()?;
        // The new process would stop before it could say a word.
        if !request.ignore_paused && self.cgroup.is_frozen()? {
            return Err(Error::Paused);
        }
        let (entries, group) = if request.cgroups.is_empty() {
            (
                self.cgroup.entries(),
                self.cgroup.clone_target_of(self.pid)?,
            )
        } else {
            self.cgroup.below(&request.cgroups)?
        };
        // Who may trace sees a process of this container from its birth on, and
        // what it has open. It is born with nothing then, of a process that
        // is not seen. What it may do until it is the program is the kernel's
        // to keep, and the kernel does not against CAP_SYS_PTRACE.
        // Who is not root has to be in the user namespace to be born in the
        // PID namespace; root of a user namespace cannot come back from one to
        // his own, which is the host's.
        let has_to_pass = has_user_namespace && !is_root || is_limited;
        let through = has_to_pass || self.has_tracers;
        let first = || -> Result<(), Failure> {
            if self.has_tracers {
                enter_groups(&entries)?;
                if let Some(group) = &group {
                    enter_unified(group)?;
                }
            }
            prepared.apply_on_host(false)
        };
        let (inner_entries, inner_group) = if self.has_tracers {
            ([].as_slice(), None)
        } else {
            (entries.as_slice(), group.as_ref())
        };
        let plan = crate::exec::Plan {
            id: &self.id,
            prepared: &prepared,
            conditions: &self.conditions,
            cgroup_entries: inner_entries,
            container: self.pidfd.as_fd(),
            container_pid: self.pid,
            namespaces: self.namespaces.difference(Kinds::PID),
            scored_by_parent: by_parent,
            is_inside: through,
        };
        let way = if through {
            Way::Through {
                first: &first,
                namespaces: vec![(self.pidfd.as_fd(), self.namespaces)],
                bare: self.has_tracers.then(|| prepared.preserved().collect()),
            }
        } else {
            Way::Itself(
                self.namespaces
                    .contains(Kinds::PID)
                    .then(|| self.pidfd.as_fd()),
            )
        };
        let birth = Birth {
            new: Kinds::NONE,
            group: inner_group.map(AsFd::as_fd),
            way,
        };
        let moved = prepared.affinity().begin()?;
        let spawned = spawn(proof, birth, streams, |channel, streams| {
            plan.run(proof, channel, streams)
        });
        let is_back = moved.back();
        let (child, channel) = spawned?;
        let ready = is_back
            .and_then(|()| self.classify(child.pid))
            .and_then(|()| self.wait_ready(&channel));
        let started = ready.and_then(|console| {
            if by_parent {
                prepared.score_from_outside(child.pid)?;
                prepared.limit_from_outside(child.pid)?;
            }
            prepared.schedule_from_outside(child.pid)?;
            channel.start(&self.filter).map_err(Error::Handshake)?;
            let listener = start::run(&channel, &child.pidfd, |listener| {
                let Some(agent) = &self.agent else {
                    return Ok(Some(listener));
                };
                agent.send(&listener, child.pid, self.state_document(Status::Running))?;
                Ok(None)
            })?;
            Ok((console, listener))
        });
        match started {
            Ok((console, listener)) => Ok(ExecProcess {
                pid: child.pid,
                pidfd: child.pidfd,
                console,
                listener,
            }),
            Err(error) => {
                end(&child.pidfd);
                Err(error)
            }
        }
    }
}
