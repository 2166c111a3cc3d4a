//! A container: created, started, entered, signalled.

mod builder;
mod create;
mod exec;
mod saved;
mod spawn;
mod start;

use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;

use rustix::process::{DumpableBehavior, WaitId, WaitIdOptions};
use tare_oci::runtime::Hooks;
use tare_sys::namespace::Kinds;

use crate::cgroup::Cgroup;
use crate::conditions::Conditions;
use crate::error::Error;
use crate::handshake::{Heard, ParentEnd};
use crate::hook;
use crate::listener;
use crate::process::Streams;
use crate::resctrl;
use crate::state_document;

pub use builder::Builder;
pub use exec::{ExecProcess, ExecRequest};
pub use saved::Saved;

/// Standard streams of a program.
#[derive(Debug)]
pub enum Stdio {
    /// Three descriptors.
    Pipes {
        /// Standard input.
        stdin: OwnedFd,
        /// Standard output.
        stdout: OwnedFd,
        /// Standard error.
        stderr: OwnedFd,
    },
    /// A new terminal of the container's own, whose master the caller gets.
    Terminal,
}

/// Who a program runs as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Identity {
    /// The numbers of `process.user`.
    #[default]
    Configured,
    /// Names or numbers, looked up in the container's own files. The numbers
    /// of `process.user` are not looked at, and for anybody but root the
    /// effective, permitted and ambient capabilities are empty.
    Named {
        /// `user[:group]`; empty is root.
        user: String,
        /// Supplementary groups.
        groups: Vec<String>,
    },
}

/// A container whose first process exists.
#[derive(Debug)]
pub struct Container {
    /// The first process, in the caller's PID namespace.
    pub pid: i32,
    /// A descriptor for it.
    pub pidfd: OwnedFd,
    /// The terminal's master, when the program has one.
    pub console: Option<OwnedFd>,
    /// The listener of the program's system call filter, when that notifies
    /// and the configuration names nobody to send it to. There from the start
    /// on.
    pub listener: Option<OwnedFd>,
    /// The control groups.
    pub cgroup: Cgroup,
    id: String,
    bundle: PathBuf,
    annotations: BTreeMap<String, String>,
    hooks: Hooks,
    namespaces: Kinds,
    /// Who gets the listener.
    agent: Option<listener::Agent>,
    /// The system call filter, encoded; empty for none.
    filter: Vec<u8>,
    /// Until the program runs.
    channel: Option<ParentEnd>,
    /// Where the mounts are when they are not in a namespace of the
    /// container's own.
    host_mounts: Option<PathBuf>,
    /// What its programs are run under.
    conditions: Conditions,
    /// Its share of caches and memory bandwidth.
    resctrl: Option<resctrl::Place>,
    /// Whether programs that see its own may trace all that they see: they
    /// have, or may have, CAP_SYS_PTRACE in the host's user namespace.
    has_tracers: bool,
}

impl Container {
    /// Begins to describe a container.
    #[must_use]
    pub fn builder<'a>(id: &'a str, spec: &'a tare_oci::runtime::Spec) -> Builder<'a> {
        Builder::new(id, spec)
    }

    /// Sends a signal to the first process.
    ///
    /// # Errors
    /// `ESRCH` when it has ended, `EINVAL` when there is no such signal.
    pub fn signal(&self, signal: i32) -> std::io::Result<()> {
        tare_sys::signal::send(self.pidfd.as_fd(), signal)
    }

    /// Kills and reaps the first process if it is still there, removes what is
    /// left of the container, and runs its last hooks. Returns what went wrong
    /// on the way; all of it is tried.
    pub fn destroy(&self) -> Vec<String> {
        end(&self.pidfd);
        // Without its first process the PID namespace is dead; a container
        // without one of its own may have further processes.
        let _ = self.cgroup.kill();
        let mut failures = Vec::new();
        if let Err(error) = self.cgroup.remove() {
            failures.push(error.to_string());
        }
        if let Some(place) = &self.host_mounts {
            failures.extend(crate::rootfs::unmount_host(place).err());
        }
        if let Some(place) = &self.resctrl {
            failures.extend(place.remove().err().map(|error| error.to_string()));
        }
        failures.extend(self.run_poststop());
        failures
    }

    /// Puts a process into the container's class of service.
    fn classify(&self, pid: i32) -> Result<(), Error> {
        match &self.resctrl {
            Some(place) => place.enter(pid),
            None => Ok(()),
        }
    }

    fn run_poststop(&self) -> Vec<String> {
        if self.hooks.poststop.is_empty() {
            return Vec::new();
        }
        let state = self.state(state_document::Status::Stopped, 0);
        hook::run_each("poststop", &self.hooks.poststop, &state)
            .into_iter()
            .map(|failed| failed.to_string())
            .collect()
    }

    /// The container's state for its hooks.
    fn state(&self, status: state_document::Status, pid: i32) -> Vec<u8> {
        state_document::encode(&self.id, status, pid, &self.bundle, &self.annotations)
    }

    /// Waits until everything is in place but the program. Runs the hooks of
    /// the host's side when their time comes.
    fn wait_ready(&self, channel: &ParentEnd) -> Result<Option<OwnedFd>, Error> {
        loop {
            match channel.hear().map_err(Error::Handshake)? {
                Heard::Ready(console) => return Ok(console),
                Heard::Mounted => {
                    let state = self.state(state_document::Status::Creating, self.pid);
                    hook::run_all("prestart", &self.hooks.prestart, &state)?;
                    hook::run_all("createRuntime", &self.hooks.create_runtime, &state)?;
                    channel.hooked().map_err(Error::Handshake)?;
                }
                Heard::Failed(failure) => return Err(Error::Process(failure)),
                Heard::Closed if self.cgroup.oom_kill_count().is_ok_and(|count| count > 0) => {
                    return Err(Error::OutOfMemory);
                }
                Heard::Closed => return Err(Error::Died),
                Heard::Listener(_) => {
                    return Err(Error::Handshake(std::io::ErrorKind::InvalidData.into()));
                }
            }
        }
    }
}

/// Kills and reaps a child; one that is gone already, or is somebody else's
/// child, is fine.
fn end(pidfd: &OwnedFd) {
    let _ = tare_sys::signal::send(pidfd.as_fd(), 9);
    while let Err(rustix::io::Errno::INTR) =
        rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED)
    {}
}

/// While a copy of this process is in a container it must be out of reach of
/// the programs there: no tracing, no opening of its descriptors
/// (CVE-2016-9962). Who is not root must leave it open until the user
/// namespace has its maps; the copy then closes itself
/// ([`crate::init::begin`]).
fn make_undumpable() -> Result<(), Error> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|error| Error::Clone(error.into()))
}

impl Streams {
    /// Takes the caller's streams. None of them may be numbered as a standard
    /// stream is: putting them in place would close another.
    fn new(stdio: Stdio) -> std::io::Result<Streams> {
        let above = |fd: OwnedFd| -> std::io::Result<OwnedFd> {
            if fd.as_raw_fd() > 2 {
                return Ok(fd);
            }
            Ok(rustix::io::fcntl_dupfd_cloexec(&fd, 3)?)
        };
        Ok(match stdio {
            Stdio::Terminal => Streams::Terminal,
            Stdio::Pipes {
                stdin,
                stdout,
                stderr,
            } => Streams::Given([above(stdin)?, above(stdout)?, above(stderr)?]),
        })
    }
}
