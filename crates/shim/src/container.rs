//! The container as the shim sees it: the runtime's library, with pipes made
//! for it and errors put as Docker has them.

use std::fs::File;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use tare_oci::runtime::{ConsoleSize, NamespaceKind, Process, Spec};
use tare_runtime::cgroup;
use tare_runtime::{ExecRequest, Identity};

use crate::protocol::{Rootfs, StartError};
use crate::streams::Ends;

mod streams;

pub(crate) use streams::StreamKind;

/// A container whose init exists.
#[derive(Debug)]
pub(crate) struct Container {
    id: String,
    runtime: tare_runtime::Container,
    /// Its processes die with the init.
    own_processes: bool,
    /// The out-of-memory score of an exec that says nothing of it.
    score: Option<i32>,
    /// Keeps the container's mounts until the shim ends. Otherwise the init's
    /// exit would wait for the overlay's unmount, which syncs the whole file
    /// system below it.
    mounts: Option<File>,
}

/// A process that runs, and our ends of its streams.
#[derive(Debug)]
pub(crate) struct Launched {
    pub(crate) pid: u32,
    pub(crate) pidfd: OwnedFd,
    pub(crate) ends: Ends,
    /// Of its system call filter.
    pub(crate) listener: Option<OwnedFd>,
}

/// What [`Container::create`] needs beside the configuration.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) rootfs: Rootfs,
    pub(crate) namespaces: Vec<(NamespaceKind, OwnedFd)>,
    pub(crate) streams: StreamKind,
}

impl Container {
    /// Makes a container up to the point where its program could run.
    pub(crate) fn create(
        id: String,
        mut spec: Spec,
        surroundings: Surroundings,
    ) -> Result<(Container, Ends), StartError> {
        let Surroundings {
            rootfs,
            namespaces,
            streams,
        } = surroundings;
        let mut identity = Identity::Configured;
        let mut score = None;
        if let Some(process) = &mut spec.process {
            set_terminal(process, streams);
            identity = take_identity(process);
            score = process.oom_score_adj;
        }
        let own_processes = spec.linux.as_ref().is_some_and(|linux| {
            linux
                .namespaces
                .iter()
                .any(|namespace| namespace.kind == NamespaceKind::Pid && namespace.path.is_none())
        }) && namespaces
            .iter()
            .all(|(kind, _)| *kind != NamespaceKind::Pid);
        let (stdio, ends) = streams::make(streams)?;
        let mut runtime = tare_runtime::Container::builder(&id, &spec)
            .rootfs(rootfs.into())
            .join(namespaces)
            .stdio(stdio)
            .identity(identity)
            .create()
            .map_err(start_error)?;
        let ends = match runtime.console.take() {
            Some(console) => Ends::Terminal(console),
            None => ends,
        };
        let container = Container {
            id,
            runtime,
            own_processes,
            score,
            mounts: None,
        };
        Ok((container, ends))
    }

    /// Lets the program run; nothing is left of the container if it cannot.
    pub(crate) fn start(&mut self) -> Result<(), StartError> {
        self.runtime.start().map_err(start_error)?;
        // A program that has ended already has no mounts to keep.
        self.mounts = File::open(format!("/proc/{}/ns/mnt", self.runtime.pid)).ok();
        Ok(())
    }

    /// Ends a container that is not wanted after all.
    pub(crate) fn destroy(&self) {
        self.runtime.destroy();
    }

    /// The init's number and a descriptor for it.
    pub(crate) fn init(&self) -> Result<(u32, OwnedFd), Errno> {
        let pidfd = rustix::io::fcntl_dupfd_cloexec(&self.runtime.pidfd, 3)?;
        Ok((number(self.runtime.pid), pidfd))
    }

    /// The listener of the program's system call filter, when it runs and
    /// there is one.
    pub(crate) fn take_listener(&mut self) -> Option<OwnedFd> {
        self.runtime.listener.take()
    }

    /// Runs a further program.
    pub(crate) fn exec(
        &self,
        mut process: Process,
        streams: StreamKind,
    ) -> Result<Launched, StartError> {
        set_terminal(&mut process, streams);
        process.oom_score_adj = process.oom_score_adj.or(self.score);
        let identity = take_identity(&mut process);
        let (stdio, ends) = streams::make(streams)?;
        let started = self
            .runtime
            .exec(ExecRequest {
                process: &process,
                stdio,
                identity,
                preserve: 0,
                ignore_paused: false,
                cgroups: Vec::new(),
            })
            .map_err(start_error)?;
        Ok(Launched {
            pid: number(started.pid),
            pidfd: started.pidfd,
            ends: started.console.map_or(ends, Ends::Terminal),
            listener: started.listener,
        })
    }

    /// Asks the kernel to spare the shim when memory runs out; without the
    /// privilege it decides as for any other process. Execs, which would
    /// inherit this, are given what the shim had.
    pub(crate) fn spare_shim(&mut self) {
        const SCORE: &str = "/proc/self/oom_score_adj";
        let before = std::fs::read_to_string(SCORE).ok();
        let before = before.and_then(|text| text.trim().parse().ok());
        if let (Some(before), Ok(())) = (before, std::fs::write(SCORE, "-999")) {
            self.score.get_or_insert(before);
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Whether the kernel has killed a process for want of memory.
    pub(crate) fn oom_killed(&self) -> bool {
        match self.runtime.cgroup.oom_kill_count() {
            Ok(count) => count > 0,
            Err(error) => {
                eprintln!("{error}");
                false
            }
        }
    }

    /// Sends a signal to every process.
    pub(crate) fn signal_all(&self, signal: i32) -> Result<(), String> {
        for pid in self
            .runtime
            .cgroup
            .pids()
            .map_err(|error| error.to_string())?
        {
            // One that has ended in between is fine; its number cannot belong
            // to another yet, for a control group lists zombies as well.
            if let Some(pid) = rustix::process::Pid::from_raw(pid)
                && let Ok(pidfd) =
                    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())
            {
                match tare_sys::signal::send(std::os::fd::AsFd::as_fd(&pidfd), signal) {
                    Err(error) if error.raw_os_error() != Some(Errno::SRCH.raw_os_error()) => {
                        return Err(format!("cannot signal process {pid:?}: {error}"));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    pub(crate) fn freeze(&self) -> Result<(), cgroup::Error> {
        self.runtime.cgroup.freeze()
    }

    pub(crate) fn thaw(&self) -> Result<(), cgroup::Error> {
        self.runtime.cgroup.thaw()
    }

    /// The init has ended: ends what the kernel has not ended with it.
    pub(crate) fn kill_rest(&self) {
        if !self.own_processes
            && let Err(error) = self.runtime.cgroup.kill()
        {
            eprintln!("{error}");
        }
    }

    pub(crate) fn remove_cgroup(&self) -> Result<(), cgroup::Error> {
        self.runtime.cgroup.remove()
    }
}

impl From<Rootfs> for tare_runtime::Rootfs {
    fn from(rootfs: Rootfs) -> tare_runtime::Rootfs {
        match rootfs {
            Rootfs::Path(path) => tare_runtime::Rootfs::Path(path),
            Rootfs::Overlay {
                lower,
                upper,
                work,
                volatile,
            } => tare_runtime::Rootfs::Overlay {
                lower,
                upper,
                work,
                volatile,
            },
        }
    }
}

/// A user given by name is looked up inside the container: `username` is then
/// `user[:group]`, and supplementary groups follow after commas.
fn take_identity(process: &mut Process) -> Identity {
    let Some(name) = process.user.username.take() else {
        return Identity::Configured;
    };
    let mut words = name.split(',').map(str::to_owned);
    Identity::Named {
        user: words.next().unwrap_or_default(),
        groups: words.collect(),
    }
}

fn set_terminal(process: &mut Process, streams: StreamKind) {
    process.terminal = matches!(streams, StreamKind::Terminal(_));
    if let StreamKind::Terminal(Some(size)) = streams {
        process.console_size = Some(ConsoleSize {
            height: size.height.into(),
            width: size.width.into(),
        });
    }
}

fn start_error(error: tare_runtime::Error) -> StartError {
    StartError {
        exit_code: u8::try_from(error.exit_code()).unwrap_or(128),
        message: error.to_string(),
    }
}

fn number(pid: i32) -> u32 {
    pid.unsigned_abs()
}
