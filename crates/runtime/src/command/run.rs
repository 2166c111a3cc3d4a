//! `run`: create and start in one go and, unless detached, wait for the
//! program's end and remove the container.

use std::process::ExitCode;

use super::delete::remove;
use super::flags::{Count, Flag, Parsed, Verb};
use super::foreground::{self, Foreground};
use super::launch::{
    BUNDLE, CONSOLE_SOCKET, Made, NO_NEW_KEYRING, NO_PIVOT, PID_FILE, PRESERVE_FDS, launch,
};
use super::start::start;
use super::{Error, Globals};
use crate::state;

pub(super) const VERB: Verb = Verb {
    name: "run",
    arguments: "<container-id>",
    about: "make a container from a bundle, run its program and remove it",
    flags: &[
        BUNDLE,
        CONSOLE_SOCKET,
        Flag::switch("detach", "do not wait for the program's end").short('d'),
        Flag::switch("keep", "do not remove the container at the end"),
        PID_FILE,
        Flag::switch("no-subreaper", "leave orphans of the container to others"),
        NO_PIVOT,
        NO_NEW_KEYRING,
        PRESERVE_FDS,
    ],
    count: Count::Exactly(1),
    has_command: false,
    run,
};

fn run(globals: &Globals, parsed: &Parsed) -> Result<ExitCode, Error> {
    if parsed.has("detach") {
        let made = launch(globals, parsed, true, |_| Ok(None))?;
        begin(globals, &made)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut foreground = None;
    let mut ends = None;
    let made = launch(globals, parsed, false, |terminal| {
        // Signals that come from here on are the container's.
        foreground = Some(Foreground::begin(!parsed.has("no-subreaper"))?);
        let (stdio, own) = foreground::streams(terminal, false)?;
        ends = own;
        Ok(Some(stdio))
    })?;
    begin(globals, &made)?;
    let console = made.container.console.as_ref();
    let ended = match &mut foreground {
        Some(foreground) => {
            foreground.attend((made.container.pid, &made.container.pidfd), console, ends)
        }
        None => Ok(ExitCode::SUCCESS),
    };
    if !parsed.has("keep") {
        // The program's end is what the caller wants to know.
        let removed = made.entry.read_state().map_err(Error::from);
        match removed.and_then(|state| remove(globals, &made.entry, &state)) {
            Ok(()) | Err(Error::Store(state::Error::Missing)) => {}
            Err(error) => globals.log.error(&error.to_string()),
        }
    }
    ended
}

/// Starts it; what cannot be started is removed.
fn begin(globals: &Globals, made: &Made) -> Result<(), Error> {
    start(globals, &made.entry).inspect_err(|_| {
        for failure in made.container.destroy() {
            globals.log.warning(&failure);
        }
        let _ = made.entry.remove();
    })
}
