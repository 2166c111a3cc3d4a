//! A program to run, prepared in the process that creates it so that its copy
//! has little left to do, and the last steps of that copy, which creating a
//! container and executing in one have in common.

mod host;
mod identity;
mod program;
mod streams;

use std::ffi::CString;

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

pub(crate) use host::write_below;
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
    /// Whether a system call filter comes with the word to start.
    filtered: bool,
}

impl Prepared {
    /// Takes a program that [`config::validate_process`](crate::config) has
    /// found nothing wrong with. Its system call filter comes later: compiling it is
    /// done while the copy is at work.
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
        if process.exec_cpu_affinity.is_some() {
            return Err(Error::configuration(
                "process.execCPUAffinity",
                "is not supported yet",
            ));
        }
        Ok(Prepared {
            arguments: StringArray::new(strings("process.args", &process.args)?),
            environment: strings("process.env", &process.env)?,
            capabilities: Sets::parse(process.capabilities.as_ref()).map_err(Error::Clone)?,
            limits,
            filtered,
            identity: identity.clone(),
            process: process.clone(),
        })
    }

    /// The last steps, in the container's namespaces and root. Returns only
    /// when one of them fails.
    pub(crate) fn become_program(
        &self,
        proof: SingleThreaded,
        channel: &ChildEnd,
        streams: Streams,
        terminal: Option<Terminal>,
    ) -> Failure {
        match self.try_become_program(proof, channel, streams, terminal) {
            Ok(never) => match never {},
            Err(failure) => failure,
        }
    }

    fn try_become_program(
        &self,
        proof: SingleThreaded,
        channel: &ChildEnd,
        streams: Streams,
        terminal: Option<Terminal>,
    ) -> Result<std::convert::Infallible, Failure> {
        let (user, passwd) = self.resolve_user()?;
        let environment = self.environment_with_home(&user, passwd)?;
        let master = self.attach_streams(streams, terminal, user.uid)?;
        self.enter_working_directory(Entering::AsRoot)?;
        // Not before the last descriptor has been opened, which a limit may
        // forbid, nor after the privilege to raise one is gone.
        for limit in &self.limits {
            limit.apply()?;
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

        execute::close_on_exec_from(3)
            .map_err(|error| Failure::new(Step::Execute, "closing descriptors", error))?;
        tare_sys::signal::reset(proof);
        if let Some(filter) = filter {
            sys_seccomp::load(&filter.program, filter.flags)
                .map_err(|error| Failure::new(Step::Seccomp, "loading the filter", error))?;
        }
        let environment = StringArray::new(environment);
        let error = execute::execute(&program, &self.arguments, &environment);
        Err(Failure::new(
            Step::Execute,
            program.to_string_lossy().into_owned(),
            error,
        ))
    }
}
