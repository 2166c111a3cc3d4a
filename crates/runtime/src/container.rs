//! A container: created, started, entered, signalled.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::process::{DumpableBehavior, WaitId, WaitIdOptions};
use tare_oci::runtime::{NamespaceKind, Process, Spec};
use tare_sys::SingleThreaded;
use tare_sys::clone::{Child, clone_process, exit_immediately};
use tare_sys::namespace::{self, Kinds};

use crate::cgroup::Cgroup;
use crate::error::Error;
use crate::failure::Failure;
use crate::handshake::{self, ChildEnd, Heard, ParentEnd};
use crate::init::Plan;
use crate::plan::{self, Namespaces};
use crate::process::{Prepared, Streams};
use crate::rootfs::{self, CgroupHierarchyView, CgroupView, Rootfs};

/// What a container is made from.
#[derive(Debug)]
pub struct CreateRequest<'a> {
    /// Its name, for its keyring and, without a configured path, for its
    /// control groups (`/tare/<id>`).
    pub id: &'a str,
    /// Its configuration. `root.path` is not looked at.
    pub spec: &'a Spec,
    /// Its root file system.
    pub rootfs: Rootfs,
    /// Namespaces to join, whatever the configuration says of their kinds.
    pub namespaces: Vec<(NamespaceKind, OwnedFd)>,
    /// The program's standard streams; must agree with `process.terminal`.
    pub stdio: Stdio,
    /// Who the program runs as.
    pub identity: Identity,
}

/// A further program in a container.
#[derive(Debug)]
pub struct ExecRequest<'a> {
    /// The program.
    pub process: &'a Process,
    /// Its standard streams; must agree with `process.terminal`.
    pub stdio: Stdio,
    /// Who it runs as.
    pub identity: Identity,
}

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
    /// The control groups.
    pub cgroup: Cgroup,
    id: String,
    namespaces: Kinds,
    /// The system call filter, encoded; empty for none.
    filter: Vec<u8>,
    /// Until the program runs.
    channel: Option<ParentEnd>,
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
}

impl Container {
    /// Makes a container up to the point where its program could run. On an
    /// error nothing of it is left: no process, no mount, no control group.
    ///
    /// Also makes the calling process undumpable for good: its copies must
    /// not be open to what runs in the container.
    ///
    /// # Errors
    /// When the configuration asks for what cannot be, or a step fails.
    pub fn create(request: CreateRequest<'_>) -> Result<Container, Error> {
        let proof = SingleThreaded::verify().map_err(Error::Clone)?;
        let CreateRequest {
            id,
            spec,
            rootfs,
            namespaces,
            stdio,
            identity,
        } = request;
        plan::check(spec, &namespaces)?;
        let process = plan::process(spec)?;
        let namespaces = Namespaces::plan(spec, namespaces)?;
        let seccomp = plan::seccomp(spec)?;
        let prepared = Prepared::new(process, &identity, seccomp.is_some())?;
        let streams = Streams::new(stdio).map_err(Error::Clone)?;
        make_undumpable()?;

        let mounts = rootfs::prepare(spec, false).map_err(Error::Process)?;

        let cgroup = Cgroup::create(&plan::cgroup_path(spec, id))?;
        let view = cgroup_view(&cgroup, namespaces.new_cgroup);
        let entries = cgroup.entries();
        let init = Plan {
            id,
            spec,
            rootfs: &rootfs,
            prepared: &prepared,
            cgroup_entries: &entries,
            cgroup_view: &view,
            mounts: &mounts,
            join: &namespaces.join,
            new_cgroup_namespace: namespaces.new_cgroup,
            new_time_namespace: namespaces.new_time,
        };
        let spawned = cgroup
            .clone_target()
            .map_err(Error::from)
            .and_then(|target| {
                spawn(
                    proof,
                    namespaces.cloned,
                    namespaces.joined_pid().map(AsFd::as_fd),
                    target,
                    streams,
                    |channel, streams| init.run(proof, channel, streams),
                )
            });
        let (child, channel) = match spawned {
            Ok(spawned) => spawned,
            Err(error) => {
                // The first error is the one to report.
                let _ = cgroup.remove();
                return Err(error);
            }
        };
        let mut container = Container {
            pid: child.pid,
            pidfd: child.pidfd,
            console: None,
            cgroup,
            id: id.to_owned(),
            namespaces: namespaces.all,
            filter: Vec::new(),
            channel: None,
        };
        // The root is mounted while the child enters its groups and
        // namespaces, and the filter is compiled and the limits are set while
        // it makes its mounts; it runs no program before it is told to.
        let resources = spec
            .linux
            .as_ref()
            .and_then(|linux| linux.resources.as_ref());
        let finished = give_root(&channel, &rootfs, spec).and_then(|()| {
            container.filter = plan::filter(seccomp)?;
            if let Some(resources) = resources {
                container.cgroup.apply(resources)?;
            }
            container.wait_ready(&channel)
        });
        match finished {
            Ok(console) => {
                container.console = console;
                container.channel = Some(channel);
                Ok(container)
            }
            Err(error) => {
                container.destroy();
                Err(error)
            }
        }
    }

    /// Lets the program run, and returns when it does. Does nothing when it
    /// has been started before.
    ///
    /// # Errors
    /// When the program cannot be executed; nothing of the container is left
    /// then but this value.
    pub fn start(&mut self) -> Result<(), Error> {
        let Some(channel) = self.channel.take() else {
            return Ok(());
        };
        run(&channel, &self.filter).inspect_err(|_| self.destroy())
    }

    /// Runs a further program in the container, and returns when it runs. The
    /// process is a child of the caller.
    ///
    /// # Errors
    /// When the container's first process has ended, or a step fails. No
    /// process is left then.
    pub fn exec(&self, request: ExecRequest<'_>) -> Result<ExecProcess, Error> {
        let proof = SingleThreaded::verify().map_err(Error::Clone)?;
        let filtered = !self.filter.is_empty();
        let prepared = Prepared::new(request.process, &request.identity, filtered)?;
        let streams = Streams::new(request.stdio).map_err(Error::Clone)?;
        make_undumpable()?;
        // The new process would stop before it could say a word.
        if self.cgroup.is_frozen()? {
            return Err(Error::Paused);
        }
        let entries = self.cgroup.entries();
        let plan = crate::exec::Plan {
            id: &self.id,
            prepared: &prepared,
            cgroup_entries: &entries,
            container: self.pidfd.as_fd(),
            namespaces: self.namespaces.difference(Kinds::PID),
        };
        let pid_namespace = self
            .namespaces
            .contains(Kinds::PID)
            .then(|| self.pidfd.as_fd());
        let (child, channel) = spawn(
            proof,
            Kinds::NONE,
            pid_namespace,
            self.cgroup.clone_target_of(self.pid)?,
            streams,
            |channel, streams| plan.run(proof, channel, streams),
        )?;
        let started = self.wait_ready(&channel).and_then(|console| {
            run(&channel, &self.filter)?;
            Ok(console)
        });
        match started {
            Ok(console) => Ok(ExecProcess {
                pid: child.pid,
                pidfd: child.pidfd,
                console,
            }),
            Err(error) => {
                end(&child.pidfd);
                Err(error)
            }
        }
    }

    /// Sends a signal to the first process.
    ///
    /// # Errors
    /// `ESRCH` when it has ended, `EINVAL` when there is no such signal.
    pub fn signal(&self, signal: i32) -> std::io::Result<()> {
        tare_sys::signal::send(self.pidfd.as_fd(), signal)
    }

    /// Waits until everything is in place but the program.
    fn wait_ready(&self, channel: &ParentEnd) -> Result<Option<OwnedFd>, Error> {
        match channel.hear().map_err(Error::Handshake)? {
            Heard::Ready(console) => Ok(console),
            Heard::Failed(failure) => Err(Error::Process(failure)),
            Heard::Closed if self.cgroup.oom_kill_count().is_ok_and(|count| count > 0) => {
                Err(Error::OutOfMemory)
            }
            Heard::Closed => Err(Error::Died),
        }
    }

    /// Kills and reaps the first process if it is still there, and removes
    /// what is left of the container.
    pub fn destroy(&self) {
        end(&self.pidfd);
        // Without its first process the PID namespace is dead; a container
        // without one of its own may have further processes.
        let _ = self.cgroup.kill();
        let _ = self.cgroup.remove();
    }
}

/// Makes the process that will be in the container, and runs `inside` in it.
fn spawn(
    proof: SingleThreaded,
    cloned: Kinds,
    pid_namespace: Option<std::os::fd::BorrowedFd<'_>>,
    target: Option<OwnedFd>,
    streams: Streams,
    inside: impl FnOnce(&ChildEnd, Streams) -> Failure,
) -> Result<(Child, ParentEnd), Error> {
    let (parent, child) = handshake::pair().map_err(Error::Handshake)?;
    // Only children are affected by the move into a PID namespace, so the
    // caller itself stays what it is and comes back at once.
    let own = match pid_namespace {
        Some(pid_namespace) => {
            let own = namespace::current(Kinds::PID).map_err(Error::Clone)?;
            namespace::enter(proof, pid_namespace, Kinds::PID).map_err(Error::Clone)?;
            Some(own)
        }
        None => None,
    };
    let cloned = clone_process(proof, cloned, target.as_ref().map(AsFd::as_fd));
    if let Ok(None) = cloned {
        // The copy. It must not hold the parent's end, or it would never
        // learn of the parent's death.
        drop(parent);
        // A panic must not unwind into the caller's code, of which this is a
        // second copy.
        let inside = std::panic::AssertUnwindSafe(|| inside(&child, streams));
        if let Ok(failure) = std::panic::catch_unwind(inside) {
            child.fail(&failure);
        }
        exit_immediately(1);
    }
    if let Some(own) = own {
        namespace::enter(proof, own.as_fd(), Kinds::PID).map_err(Error::Clone)?;
    }
    match cloned {
        Ok(Some(process)) => Ok((process, parent)),
        Ok(None) => exit_immediately(1),
        Err(error) => Err(Error::Clone(error)),
    }
}

fn give_root(channel: &ParentEnd, rootfs: &Rootfs, spec: &Spec) -> Result<(), Error> {
    if !rootfs.is_mounted_by_parent() {
        return Ok(());
    }
    let mount = rootfs.mount(spec).map_err(Error::Process)?;
    match channel.give_root(mount) {
        // A dead child has left its last words.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(Error::Handshake),
    }
}

fn run(channel: &ParentEnd, filter: &[u8]) -> Result<(), Error> {
    match channel.start(filter) {
        // A dead child has left its last words.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
        result => result.map_err(Error::Handshake)?,
    }
    match channel.hear().map_err(Error::Handshake)? {
        Heard::Closed => Ok(()),
        Heard::Failed(failure) => Err(Error::Process(failure)),
        Heard::Ready(_) => Err(Error::Handshake(std::io::ErrorKind::InvalidData.into())),
    }
}

/// Kills and reaps a child; one that is gone already is fine.
fn end(pidfd: &OwnedFd) {
    let _ = tare_sys::signal::send(pidfd.as_fd(), 9);
    while let Err(rustix::io::Errno::INTR) =
        rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED)
    {}
}

/// While a copy of this process is in a container it must be out of reach of
/// the programs there: no tracing, no opening of its descriptors
/// (CVE-2016-9962).
fn make_undumpable() -> Result<(), Error> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|error| Error::Clone(error.into()))
}

fn cgroup_view(cgroup: &Cgroup, own_namespace: bool) -> CgroupView {
    let layout = cgroup.layout();
    CgroupView {
        hierarchies: layout
            .hierarchies
            .iter()
            .map(|hierarchy| CgroupHierarchyView {
                name: hierarchy.name(),
                controllers: hierarchy.controllers.clone(),
                path: cgroup.directory(hierarchy),
            })
            .collect(),
        // With the host's cgroup namespace the whole hierarchy is seen, as
        // with runc.
        unified: match &layout.unified {
            Some(_) if !layout.hierarchies.is_empty() => None,
            Some(mount) if !own_namespace => Some(mount.clone()),
            _ => cgroup.unified_directory(),
        },
    }
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
