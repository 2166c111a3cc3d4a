//! `events`: a container's usage from time to time, and each time that it is
//! out of memory, one JSON document a line in runc's shape.

mod duration;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::flags::{Count, Flag, Parsed, Verb};
use super::{Error, Globals};
use crate::cgroup::usage::Usage;
use crate::cgroup::{Cgroup, OutOfMemory};
use crate::state::Status;

use duration::parse as interval;

pub(super) const VERB: Verb = Verb {
    name: "events",
    arguments: "<container-id>",
    about: "print a container's usage from time to time, and each want of memory",
    flags: &[
        Flag::value("interval", "TIME", "the time between two reports (5s)"),
        Flag::switch("stats", "print the usage once"),
    ],
    count: Count::Exactly(1),
    has_command: false,
    run,
};

/// The default for the time between two reports.
const INTERVAL: Duration = Duration::from_secs(5);

fn run(globals: &Globals, parsed: &Parsed) -> Result<ExitCode, Error> {
    let entry = globals.store.entry(parsed.id())?;
    let state = entry.read_state()?;
    let between = match parsed.value("interval") {
        Some(text) => interval(text).map_err(Error::Usage)?,
        None => INTERVAL,
    };
    if matches!(entry.status(&state)?, Status::Creating | Status::Stopped) {
        return Err(Error::State(format!(
            "container with id {} is not running",
            parsed.id()
        )));
    }
    let cgroup = state.saved.cgroup()?;
    let mut output = io::stdout().lock();
    if parsed.has("stats") {
        once(parsed.id(), &cgroup, &mut output)?;
    } else {
        follow(parsed.id(), &cgroup, between, &mut output)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Event<'a> {
    /// What it is.
    #[serde(rename = "type")]
    kind: Kind,
    /// The container.
    id: &'a str,
    /// Its usage.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Usage>,
}

/// What an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// Usage.
    Stats,
    /// Out of memory.
    Oom,
}

/// Writes the container's usage once.
fn once(id: &str, cgroup: &Cgroup, output: &mut impl Write) -> Result<(), Error> {
    let event = Event {
        kind: Kind::Stats,
        id,
        data: Some(cgroup.usage()?),
    };
    write(&event, output)
}

/// Writes the container's usage from time to time, and each want of memory,
/// until the container has ended or nobody reads any more.
fn follow(
    id: &str,
    cgroup: &Cgroup,
    interval: Duration,
    output: &mut impl Write,
) -> Result<(), Error> {
    let mut events = cgroup.out_of_memory_events()?;
    let mut next = Instant::now() + interval;
    loop {
        let left = next.saturating_duration_since(Instant::now());
        let written = match events.wait(left)? {
            OutOfMemory::Ended => return Ok(()),
            OutOfMemory::Happened => {
                let event = Event {
                    kind: Kind::Oom,
                    id,
                    data: None,
                };
                write(&event, output)
            }
            OutOfMemory::Nothing => {
                next += interval;
                once(id, cgroup, output)
            }
        };
        match written {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => {
                return Ok(());
            }
            result => result?,
        }
    }
}

fn write(event: &Event<'_>, output: &mut impl Write) -> Result<(), Error> {
    fn failed(error: impl Into<io::Error>) -> Error {
        Error::io("writing", "standard output", error)
    }
    let mut line = serde_json::to_vec(event).map_err(failed)?;
    line.push(b'\n');
    output
        .write_all(&line)
        .and_then(|()| output.flush())
        .map_err(failed)
}
