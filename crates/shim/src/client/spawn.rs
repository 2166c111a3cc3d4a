//! Starting a shim with its container.

use std::borrow::Cow;
use std::fs::{DirBuilder, File};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Attachment, Connection, Error, START, StartRequest};
use crate::packet;
use crate::protocol::{Answer, DIAGNOSTICS, Request, Start, Started};

/// How long a shim may take to end that is not wanted.
const END: Duration = Duration::from_secs(2);

/// A shim that has been executed and waits for its container. Dropped without
/// [`Waiting::start`], it ends, and its directory goes.
#[derive(Debug)]
pub struct Waiting {
    /// Taken by the start.
    connection: Option<Connection>,
    their_events: OwnedFd,
    directory: PathBuf,
}

/// Executes `executable shim <directory>`, which must not exist, and does not
/// wait until it runs: what a container needs can be made meanwhile.
///
/// # Errors
/// Whatever kept the shim from being executed.
pub fn prepare(executable: &Path, directory: &Path) -> Result<Waiting, Error> {
    let directory_error = |source| Error::Directory {
        path: directory.to_owned(),
        source,
    };
    DirBuilder::new()
        .mode(0o700)
        .create(directory)
        .map_err(directory_error)?;
    let waiting = execute(executable, directory);
    if waiting.is_err() {
        let _ = std::fs::remove_dir_all(directory);
    }
    waiting
}

/// Prepares a shim and has it start a container.
///
/// # Errors
/// As [`prepare`] and [`Waiting::start`].
pub fn spawn(
    executable: &Path,
    directory: &Path,
    request: StartRequest,
) -> Result<(Connection, Started), Error> {
    prepare(executable, directory)?.start(request)
}

fn execute(executable: &Path, directory: &Path) -> Result<Waiting, Error> {
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
    Ok(Waiting {
        connection: Some(connection),
        their_events,
        directory: directory.to_owned(),
    })
}

impl Waiting {
    /// Has the shim start its container. When this returns, the container's
    /// program runs; when it fails, the shim and its directory are gone.
    ///
    /// # Errors
    /// [`Error::Start`] with Docker's exit code when the container could not be
    /// made or its program not executed; else whatever kept the shim from it.
    pub fn start(mut self, request: StartRequest) -> Result<(Connection, Started), Error> {
        let Some(connection) = self.connection.take() else {
            unreachable!("a shim is started once: this consumes it");
        };
        let started = self.ask(&connection, &request);
        match started {
            Ok(started) => Ok((connection, started)),
            Err(error) => {
                if let Error::TimedOut { .. } = error {
                    // Nobody would find what it may start later.
                    connection.kill();
                }
                connection.reap(END);
                // The shim has done so if it came that far.
                let _ = std::fs::remove_dir_all(&self.directory);
                Err(error)
            }
        }
    }

    fn ask(&self, connection: &Connection, request: &StartRequest) -> Result<Started, Error> {
        let mut descriptors = vec![self.their_events.as_fd()];
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
        match connection.call(&Request::Start(Box::new(start)), &descriptors, START)? {
            Answer::Started(started) => Ok(started),
            _ => Err(connection.unfitting()),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.kill();
            connection.reap(END);
            let _ = std::fs::remove_dir_all(&self.directory);
        }
    }
}
