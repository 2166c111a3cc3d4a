//! `delete`: removes what is left of a container.

use std::process::ExitCode;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::flags::{Count, Flag, Parsed, Verb};
use super::launch::driver;
use super::{Error, Globals};
use crate::cgroup::{Cgroup, Place};
use crate::plan;
use crate::state::{self, Entry, State, Status};

pub(super) const VERB: Verb = Verb {
    name: "delete",
    arguments: "<container-id>",
    about: "remove what is left of a container",
    flags: &[Flag::switch(
        "force",
        "kill a container that runs; one that does not exist is fine",
    )
    .short('f')],
    count: Count::Exactly(1),
    has_command: false,
    run,
};

/// How long a killed process may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

fn run(globals: &Globals, parsed: &Parsed) -> Result<ExitCode, Error> {
    let force = parsed.has("force");
    let entry = match globals.store.entry(parsed.id()) {
        Err(state::Error::Missing) if force => return Ok(ExitCode::SUCCESS),
        result => result?,
    };
    let state = match entry.read_state() {
        Ok(state) => state,
        // Never finished, or being made.
        Err(error @ (state::Error::Missing | state::Error::Damaged { .. })) => {
            if !force {
                return Err(error.into());
            }
            return match entry.lock() {
                Err(state::Error::Missing) => Ok(ExitCode::SUCCESS),
                locked => {
                    locked?;
                    if matches!(error, state::Error::Damaged { .. }) {
                        remove_groups(globals, &entry, parsed.id())?;
                    }
                    entry.remove()?;
                    Ok(ExitCode::SUCCESS)
                }
            };
        }
        Err(error) => return Err(error.into()),
    };
    let status = entry.status(&state)?;
    // Also one that only waits for its start (runtime.md, "Delete"), unlike
    // runc.
    if status != Status::Stopped && !force {
        return Err(Error::State(format!(
            "cannot delete container {} that is not stopped: {}",
            parsed.id(),
            status.as_str()
        )));
    }
    remove(globals, &entry, &state)?;
    Ok(ExitCode::SUCCESS)
}

/// Ends and removes what the configuration alone tells of a container whose
/// state is damaged: its control groups, and what is in them.
fn remove_groups(globals: &Globals, entry: &Entry, id: &str) -> Result<(), Error> {
    let Ok(spec) = entry.read_config() else {
        return Ok(());
    };
    let driver = driver(globals);
    let path = plan::cgroup_path(&spec, id, driver);
    let place = Place::plan(&path, id, driver, globals.rootless)?;
    let cgroup = Cgroup::reopen(&place)?;
    cgroup.kill()?;
    Ok(cgroup.remove()?)
}

/// Ends whatever runs in the container and removes it. Safe to repeat: the
/// directory goes last. What somebody else has removed meanwhile is left alone,
/// for groups of the same name may be those of another container.
pub(super) fn remove(globals: &Globals, entry: &Entry, state: &State) -> Result<(), Error> {
    match entry.lock() {
        Err(state::Error::Missing) => return Ok(()),
        locked => locked?,
    }
    let saved = &state.saved;
    let process = saved.process().map_err(crate::Error::Clone)?;
    if let Some(pidfd) = process {
        let _ = tare_sys::signal::send(std::os::fd::AsFd::as_fd(&pidfd), 9);
        saved.cgroup()?.kill()?;
        let patience = Timespec::try_from(PATIENCE).unwrap_or_default();
        let mut waiting = [PollFd::new(&pidfd, PollFlags::IN)];
        let _ = poll(&mut waiting, Some(&patience));
    }
    for failure in saved.destroy()? {
        globals.log.warning(&failure);
    }
    entry.remove()?;
    Ok(())
}
