//! `kill`: sends a signal to a container.

use std::os::fd::AsFd;
use std::process::ExitCode;

use super::flags::{Count, Flag, Parsed, Verb};
use super::{Error, Globals};
use crate::signal;

pub(super) const VERB: Verb = Verb {
    name: "kill",
    arguments: "<container-id> [signal]",
    about: "send a signal to a container, TERM by default",
    flags: &[Flag::switch("all", "send it to every process of the container").short('a')],
    count: Count::Between(1, 2),
    has_command: false,
    run,
};

fn run(globals: &Globals, parsed: &Parsed) -> Result<ExitCode, Error> {
    let entry = globals.store.entry(parsed.id())?;
    let state = entry.read_state()?;
    let name = parsed.arguments.get(1).map_or("TERM", String::as_str);
    let number =
        signal::number(name).ok_or_else(|| Error::Usage(format!("unknown signal {name:?}")))?;
    let not_running = || Error::State("container not running".to_owned());
    let process = state.saved.process().map_err(crate::Error::Clone)?;
    if parsed.has("all") {
        // Also when the first process has ended: others may be left where they
        // share a PID namespace.
        let cgroup = state.saved.cgroup()?;
        if number == 9 {
            cgroup.kill()?;
            return Ok(ExitCode::SUCCESS);
        }
        let pids = cgroup.pids()?;
        if pids.is_empty() && process.is_none() {
            return Err(not_running());
        }
        for pid in pids {
            signal::send_to(pid, number)
                .map_err(|source| Error::io("signalling process", pid.to_string(), source))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let pidfd = process.ok_or_else(not_running)?;
    match tare_sys::signal::send(pidfd.as_fd(), number) {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => {
            Err(not_running())
        }
        result => {
            result.map_err(|source| {
                Error::io("signalling process", state.saved.pid.to_string(), source)
            })?;
            if number == 9 {
                // A frozen process dies when it is thawed.
                let cgroup = state.saved.cgroup()?;
                if cgroup.is_frozen()? {
                    cgroup.thaw()?;
                }
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
