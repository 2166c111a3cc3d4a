//! `create`: a container up to the point where its program could run.

use std::process::ExitCode;

use super::flags::{Count, Parsed, Verb};
use super::launch::{
    BUNDLE, CONSOLE_SOCKET, NO_NEW_KEYRING, NO_PIVOT, PID_FILE, PRESERVE_FDS, launch,
};
use super::{Error, Globals};

pub(super) const VERB: Verb = Verb {
    name: "create",
    arguments: "<container-id>",
    about: "make a container from a bundle, up to the start of its program",
    flags: &[
        BUNDLE,
        CONSOLE_SOCKET,
        PID_FILE,
        NO_PIVOT,
        NO_NEW_KEYRING,
        PRESERVE_FDS,
    ],
    count: Count::Exactly(1),
    has_command: false,
    run,
};

fn run(globals: &Globals, parsed: &Parsed) -> Result<ExitCode, Error> {
    launch(globals, parsed, true, |_| Ok(None))?;
    Ok(ExitCode::SUCCESS)
}
