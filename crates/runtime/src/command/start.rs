//! `start`: lets the program of a created container run.

use std::process::ExitCode;

use super::flags::{Count, Parsed, Verb};
use super::{Error, Globals};
use crate::state::{Entry, Status};

pub(super) const VERB: Verb = Verb {
    name: "start",
    arguments: "<container-id>",
    about: "run the program of a created container",
    flags: &[],
    count: Count::Exactly(1),
    has_command: false,
    run,
};

fn run(globals: &Globals, parsed: &Parsed) -> Result<ExitCode, Error> {
    let entry = globals.store.entry(parsed.id())?;
    start(globals, &entry)?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the container's gate, and returns when its program runs.
pub(super) fn start(globals: &Globals, entry: &Entry) -> Result<(), Error> {
    let state = entry.read_state()?;
    // Not the status first and then the gate: of two who start it at once one
    // gets through, and the other hears that it runs.
    let connection = match entry.status(&state)? {
        Status::Created => entry.reach_gate(),
        Status::Paused => {
            return Err(Error::State(
                "cannot start a container in the paused state".to_owned(),
            ));
        }
        Status::Creating => {
            return Err(Error::State(
                "cannot start a container that is being created".to_owned(),
            ));
        }
        Status::Stopped => {
            return Err(Error::State(
                "cannot start a container that has stopped".to_owned(),
            ));
        }
        Status::Running => None,
    };
    let connection = connection.ok_or(crate::Error::Started)?;
    let mut container = state.saved.open(None, None)?;
    container
        .start_at_gate(connection)
        .map_err(|error| match error {
            crate::Error::Started => Error::Runtime(error),
            error => Error::Start(error),
        })?;
    globals
        .log
        .debug(&format!("the program of process {} runs", container.pid));
    Ok(())
}
