//! A program to run, prepared in the process that creates it so that its copy
//! has little left to do, and the last steps of that copy, which creating a
//! container and executing in one have in common.

mod affinity;
mod host;
mod identity;
mod outside;
mod program;
mod scheduling;
mod streams;

use std::ffi::CString;
use std::os::fd::{BorrowedFd, RawFd};

use tare_oci::runtime::Process;
use tare_sys::execute::{self, StringArray};
use tare_sys::{SingleThreaded, seccomp as sys_seccomp};

use crate::capability::Sets;
use crate::container::Identity;
use crate::error::Error;
use crate::failure::{Failure, Step};
use crate::handshake::ChildEnd;
use crate::resource_limit::Limit;
use crate::seccomp::Filter;
use crate::terminal::Terminal;

use affinity::Affinity;
pub(crate) use host::{has_selinux, write_below};
use program::{Entering, find_program};
pub(crate) use streams::Streams;

/// A program and everything that is to hold for it.
#[derive(Debug)]
pub(crate) struct Prepared {
    process: Process,
    identity: Identity,
    arguments: StringArray,
    environment: Vec<CString>,
    capabilities: Sets,
    limits: Vec<Limit>,
    affinity: Affinity,
    /// Whether a system call filter comes with the word to start.
    filtered: bool,
    /// How many descriptors from 3 on the program gets.
    preserved: u32,
    /// Whether the parent sets the resource limits.
    limited_by_parent: bool,
    /// Whether what needs privilege on the host is left out.
    rootless: bool,
}

/// What the last steps need beside the program.
pub(crate) struct Ending<'a> {
    pub(crate) streams: Streams,
    pub(crate) terminal: Option<Terminal>,
    /// Where to wait for the start, when the creator does not.
    pub(crate) gate: Option<BorrowedFd<'a>>,
    /// Run between the start and the program.
    pub(crate) hooks: &'a dyn Fn() -> Result<(), Failure>,
}

impl Prepared {
    /// Takes a program that [`config::validate_process`](crate::config) has
    /// found nothing wrong with. Its system call filter comes later: compiling
    /// it is done while the copy is at work.
    pub(crate) fn new(
        process: &Process,
        identity: &Identity,
        filtered: bool,
    ) -> Result<Prepared, Error> {
        let strings = |field: &str, list: &[String]| {
            list.iter()
                .map(|string| {
                    CString::new(string.as_str())
                        .map_err(|_| Error::configuration(field, "holds a NUL byte"))
                })
                .collect::<Result<Vec<_>, _>>()
        };
        let limits = process
            .rlimits
            .iter()
            .map(Limit::check)
            .collect::<Result<Vec<_>, _>>()?;
        host::check(process)?;
        Ok(Prepared {
            arguments: StringArray::new(strings("process.args", &process.args)?),
            environment: strings("process.env", &process.env)?,
            capabilities: Sets::parse(process.capabilities.as_ref()).map_err(Error::Clone)?,
            limits,
            affinity: Affinity::of(process.exec_cpu_affinity.as_ref())?,
            filtered,
            preserved: 0,
            limited_by_parent: false,
            rootless: false,
            identity: identity.clone(),
            process: process.clone(),
        })
    }

    pub(crate) fn preserve(mut self, descriptors: u32) -> Self {
        self.preserved = descriptors;
        self
    }

    pub(crate) fn limits_by_parent(mut self, by_parent: bool) -> Self {
        self.limited_by_parent = by_parent;
        self
    }

    pub(crate) fn rootless(mut self, rootless: bool) -> Self {
        self.rootless = rootless;
        self
    }

    /// The numbers of the descriptors that the program gets beside its streams.
    pub(crate) fn preserved(&self) -> impl Iterator<Item = RawFd> + use<> {
        (3..3 + self.preserved).filter_map(|number| RawFd::try_from(number).ok())
    }

    /// Whether the program, or one that it executes, can have CAP_SYS_PTRACE.
    pub(crate) fn may_trace(&self) -> bool {
        const SYS_PTRACE: u64 = 1 << 19;
        self.capabilities.bounding & SYS_PTRACE != 0
    }

    /// On which CPUs it is made and run, if it is not a container's first.
    pub(crate) fn affinity(&self) -> &Affinity {
        &self.affinity
    }

    /// The last steps, in the container's namespaces and root. Returns only
    /// when one of them fails.
    pub(crate) fn become_program(
        &self,
        proof: SingleThreaded,
        channel: &ChildEnd,
        ending: Ending<'_>,
    ) -> Failure {
        match self.try_become_program(proof, channel, ending) {
            Ok(never) => match never {},
            Err(failure) => failure,
        }
    }

    fn try_become_program(
        &self,
        proof: SingleThreaded,
        channel: &ChildEnd,
        ending: Ending<'_>,
    ) -> Result<std::convert::Infallible, Failure> {
        let Ending {
            streams,
            terminal,
            gate,
            hooks,
        } = ending;
        let (user, passwd) = self.resolve_user()?;
        let environment = self.environment_with_home(&user, passwd)?;
        let master = self.attach_streams(streams, terminal, user.uid)?;
        self.enter_working_directory(Entering::AsRoot)?;
        // Not before the last descriptor has been opened, which a limit may
        // forbid, nor after the privilege to raise one is gone.
        if !self.limited_by_parent {
            for limit in &self.limits {
                limit.apply()?;
            }
        }
        self.take_on(&user)?;
        self.enter_working_directory(Entering::AsUser)?;
        let program = find_program(&self.process.args[0], &self.process.env)?;

        let filter = channel.ready(master)?;
        let filter = match (self.filtered, Filter::decode(&filter)) {
            (false, _) => None,
            (true, Some(filter)) => Some(filter),
            (true, None) => {
                return Err(Failure::sentence(Step::Seccomp, "the filter is missing"));
            }
        };

        if let Some(gate) = gate {
            channel.wait_open(gate)?;
        }
        execute::close_on_exec_from(3 + self.preserved)
            .map_err(|error| Failure::new(Step::Execute, "closing descriptors", error))?;
        tare_sys::signal::reset(proof);
        if let Some(filter) = filter {
            let listener = sys_seccomp::load(&filter.program, filter.flags)
                .map_err(|error| Failure::new(Step::Seccomp, "loading the filter", error))?;
            if let Some(listener) = listener {
                channel.offer(&listener)?;
            }
        }
        hooks()?;
        let environment = StringArray::new(environment);
        let error = execute::execute(&program, &self.arguments, &environment);
        Err(Failure::new(
            Step::Execute,
            program.to_string_lossy().into_owned(),
            error,
        ))
    }
}
