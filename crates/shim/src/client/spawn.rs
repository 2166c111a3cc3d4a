//! Starting a shim with its container.

use std::borrow::Cow;
use std::fs::{DirBuilder, File};
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Attachment, Connection, Error, START, StartRequest};
use crate::packet;
use crate::protocol::{Answer, DIAGNOSTICS, Request, Start, Started};

/// Executes `executable shim <directory>` and has it start the container.
///
/// The directory must not exist; it goes away with the shim, also when the
/// start fails. When this returns, the container's program runs.
///
/// # Errors
/// [`Error::Start`] with Docker's exit code when the container could not be
/// made or its program not executed; else whatever kept the shim from running.
pub fn spawn(
    executable: &Path,
    directory: &Path,
    request: StartRequest,
) -> Result<(Connection, Started), Error> {
    let directory_error = |source| Error::Directory {
        path: directory.to_owned(),
        source,
    };
    DirBuilder::new()
        .mode(0o700)
        .create(directory)
        .map_err(directory_error)?;
    let started = start(executable, directory, request);
    if started.is_err() {
        // The shim has done so if it came that far.
        let _ = std::fs::remove_dir_all(directory);
    }
    started
}

fn start(
    executable: &Path,
    directory: &Path,
    request: StartRequest,
) -> Result<(Connection, Started), Error> {
    let spawn_error = |source| Error::Spawn {
        executable: executable.to_owned(),
        source,
    };
    let (calls, their_calls) = packet::pair().map_err(|error| spawn_error(error.into()))?;
    let (events, their_events) = packet::pair().map_err(|error| spawn_error(error.into()))?;
    let path = directory.join(DIAGNOSTICS);
    let diagnostics =
        File::create_new(&path).map_err(|source| Error::Directory { path, source })?;
    // Nothing is done between fork and exec that would keep the standard
    // library from using posix_spawn: the engine's pages are never copied.
    let child = Command::new(executable)
        .arg0("tare")
        .arg("shim")
        .arg(directory)
        .stdin(Stdio::from(their_calls))
        .stdout(Stdio::null())
        .stderr(Stdio::from(diagnostics))
        .spawn()
        .map_err(spawn_error)?;
    let connection = Connection::new(directory, calls, events, Some(child))
        .map_err(|error| spawn_error(error.into()))?;

    let mut descriptors = vec![their_events.as_fd()];
    descriptors.extend(request.namespaces.iter().map(|(_, fd)| fd.as_fd()));
    descriptors.extend(request.held.iter().map(AsFd::as_fd));
    descriptors.extend(request.attachments.iter().map(|one| one.stream.as_fd()));
    let start = Start {
        id: request.id.as_str().into(),
        spec: Cow::Borrowed(&request.spec),
        rootfs: Cow::Borrowed(&request.rootfs),
        namespaces: request.namespaces.iter().map(|(kind, _)| *kind).collect(),
        held: request.held.len(),
        terminal: request.terminal,
        size: request.size,
        open_stdin: request.open_stdin,
        stdin_once: request.stdin_once,
        log: Cow::Borrowed(&request.log),
        init: request.init.as_deref().map(Cow::Borrowed),
        attachments: request
            .attachments
            .iter()
            .map(Attachment::channels)
            .collect(),
    };
    let answer = connection.call(&Request::Start(Box::new(start)), &descriptors, START);
    match answer {
        Ok(Answer::Started(started)) => Ok((connection, started)),
        Ok(_) => Err(connection.unfitting()),
        Err(error) => {
            if let Error::TimedOut { .. } = error {
                // Nobody would find what it may start later.
                connection.kill();
            }
            connection.reap(std::time::Duration::from_secs(2));
            Err(error)
        }
    }
}
