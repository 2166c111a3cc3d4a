//! `events`: a container's usage from time to time, and each time that it is
//! out of memory, one JSON document a line in runc's shape.

mod duration;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::cgroup::usage::Usage;
use crate::cgroup::{self, Cgroup, OutOfMemory};

pub use duration::parse as interval;

/// The default for the time between two reports.
pub const INTERVAL: Duration = Duration::from_secs(5);

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event<'a> {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The container.
    pub id: &'a str,
    /// Its usage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Usage>,
}

/// What an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Usage.
    Stats,
    /// Out of memory.
    Oom,
}

/// Events could not be told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// They could not be had.
    #[error(transparent)]
    Cgroup(#[from] cgroup::Error),
    /// They could not be written.
    #[error("writing the events: {0}")]
    Write(#[source] io::Error),
}

/// Writes the container's usage once.
///
/// # Errors
/// When it cannot be read or written.
pub fn once(id: &str, cgroup: &Cgroup, output: &mut impl Write) -> Result<(), Error> {
    let event = Event {
        kind: Kind::Stats,
        id,
        data: Some(cgroup.usage()?),
    };
    write(&event, output)
}

/// Writes the container's usage from time to time, and each want of memory,
/// until the container has ended or nobody reads any more.
///
/// # Errors
/// When events cannot be had or written.
pub fn follow(
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
            Err(Error::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            result => result?,
        }
    }
}

fn write(event: &Event<'_>, output: &mut impl Write) -> Result<(), Error> {
    let mut line = serde_json::to_vec(event).map_err(|error| Error::Write(error.into()))?;
    line.push(b'\n');
    output
        .write_all(&line)
        .and_then(|()| output.flush())
        .map_err(Error::Write)
}
