//! `pause` and `resume`: stops every process of a container, and lets them go
//! on.

use std::process::ExitCode;

use super::flags::{Count, Parsed, Verb};
use super::{Error, Globals};
use crate::state::Status;

pub(super) const PAUSE: Verb = Verb {
    name: "pause",
    arguments: "<container-id>",
    about: "stop every process of a container",
    flags: &[],
    count: Count::Exactly(1),
    has_command: false,
    run: pause,
};

pub(super) const RESUME: Verb = Verb {
    name: "resume",
    arguments: "<container-id>",
    about: "let a paused container go on",
    flags: &[],
    count: Count::Exactly(1),
    has_command: false,
    run: resume,
};

fn pause(globals: &Globals, parsed: &Parsed) -> Result<ExitCode, Error> {
    let entry = globals.store.entry(parsed.id())?;
    let state = entry.read_state()?;
    match entry.status(&state)? {
        Status::Created | Status::Running => state.saved.cgroup()?.freeze()?,
        Status::Creating | Status::Paused | Status::Stopped => {
            return Err(Error::State("container not running".to_owned()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn resume(globals: &Globals, parsed: &Parsed) -> Result<ExitCode, Error> {
    let entry = globals.store.entry(parsed.id())?;
    let state = entry.read_state()?;
    if entry.status(&state)? != Status::Paused {
        return Err(Error::State("container not paused".to_owned()));
    }
    state.saved.cgroup()?.thaw()?;
    Ok(ExitCode::SUCCESS)
}
