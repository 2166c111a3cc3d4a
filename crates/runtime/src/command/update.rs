//! `update`: new limits for a running container, from flags or from a file.
//!
//! What is asked for is merged with what is in force; the result is checked
//! and applied as a whole, because limits depend on one another (memory and
//! swap, quota and period), and is what the state keeps. Where the kernel
//! refuses a part of it the old limits are set again.

mod change;
mod size;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

pub(super) use change::Error;
use change::Flags;

use super::flags::{Count, Flag, Parsed, Verb};
use super::{Error as CommandError, Globals};
use crate::state::Status;

pub(super) const VERB: Verb = Verb {
    name: "update",
    arguments: "<container-id>",
    about: "change the limits of a running container",
    flags: &[
        Flag::value(
            "resources",
            "FILE|-",
            "a description of resources (linux.resources); other flags have no effect with it",
        )
        .short('r'),
        Flag::value("blkio-weight", "WEIGHT", "block devices, 10 to 1000"),
        Flag::value("cpu-period", "MICROSECONDS", "length of a period"),
        Flag::value("cpu-quota", "MICROSECONDS", "CPU time in a period"),
        Flag::value(
            "cpu-burst",
            "MICROSECONDS",
            "CPU time that may be saved up over periods",
        ),
        Flag::value("cpu-share", "SHARES", "relative weight of CPU time"),
        Flag::value(
            "cpu-rt-period",
            "MICROSECONDS",
            "length of a period of real-time scheduling",
        ),
        Flag::value(
            "cpu-rt-runtime",
            "MICROSECONDS",
            "real-time scheduling in a period",
        ),
        Flag::value("cpu-idle", "0|1", "run only when a CPU is idle"),
        Flag::value("cpuset-cpus", "LIST", "CPUs, as 0-3,7"),
        Flag::value("cpuset-mems", "LIST", "memory nodes"),
        Flag::value("kernel-memory", "BYTES", "obsolete, without effect"),
        Flag::value("kernel-memory-tcp", "BYTES", "obsolete, without effect"),
        Flag::value("memory", "BYTES", "memory, -1 for no limit"),
        Flag::value("memory-reservation", "BYTES", "memory to be left with"),
        Flag::value(
            "memory-swap",
            "BYTES",
            "memory and swap together, -1 for no limit",
        ),
        Flag::value("pids-limit", "NUMBER", "processes, -1 for no limit"),
        Flag::value("l3-cache-schema", "SCHEMA", "not supported"),
        Flag::value("mem-bw-schema", "SCHEMA", "not supported"),
    ],
    count: Count::Exactly(1),
    has_command: false,
    run,
};

fn run(globals: &Globals, parsed: &Parsed) -> Result<ExitCode, CommandError> {
    let entry = globals.store.entry(parsed.id())?;
    let flags = flags(parsed);
    let change = match parsed.value("resources").filter(|path| !path.is_empty()) {
        None => flags.resources()?,
        Some("-") => change::read(std::io::stdin().lock())?,
        Some(path) => {
            let file = std::fs::File::open(path)
                .map_err(|source| CommandError::io("opening", path, source))?;
            change::read(file)?
        }
    };
    for flag in flags.ignored() {
        globals
            .log
            .warning(&format!("Setting --{flag} is ignored and will be removed"));
    }
    entry.lock()?;
    let mut state = entry.read_state()?;
    if matches!(entry.status(&state)?, Status::Creating | Status::Stopped) {
        return Err(CommandError::State("container not running".to_owned()));
    }
    let merged = change::merge(&state.resources, &change);
    let mut applied = merged.clone();
    // Rules that are in force need not be put in force again.
    applied.devices.clone_from(&change.devices);
    let cgroup = state.saved.cgroup()?;
    cgroup.check(&applied)?;
    if let Err(error) = cgroup.apply(&applied) {
        // The first error is the one to report.
        let _ = cgroup.apply(&state.resources);
        return Err(error.into());
    }
    state.resources = merged;
    entry.write_state(&state)?;
    Ok(ExitCode::SUCCESS)
}

fn flags(parsed: &Parsed) -> Flags {
    let value = |name| parsed.value(name).map(str::to_owned);
    Flags {
        blkio_weight: value("blkio-weight"),
        cpu_period: value("cpu-period"),
        cpu_quota: value("cpu-quota"),
        cpu_burst: value("cpu-burst"),
        cpu_rt_period: value("cpu-rt-period"),
        cpu_rt_runtime: value("cpu-rt-runtime"),
        cpu_share: value("cpu-share"),
        cpu_idle: value("cpu-idle"),
        cpuset_cpus: value("cpuset-cpus"),
        cpuset_mems: value("cpuset-mems"),
        kernel_memory: value("kernel-memory"),
        kernel_memory_tcp: value("kernel-memory-tcp"),
        memory: value("memory"),
        memory_reservation: value("memory-reservation"),
        memory_swap: value("memory-swap"),
        pids_limit: value("pids-limit"),
        l3_cache_schema: value("l3-cache-schema"),
        mem_bw_schema: value("mem-bw-schema"),
    }
}
