//! Starting an engine when none answers on the default socket.
//!
//! Owned under the run directory: `client.lock`, held (flock) by the one
//! client that starts the engine, and `engine.log`, the engine's standard
//! output and error. A client that is killed half way leaves the engine
//! starting; the next client finds its socket, or starts another, which the
//! engine's own lock on its data root makes harmless.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use crate::client::{Address, Client, Connection, Request};
use crate::failure::Failure;

/// The first argument with which the client executes itself to become the
/// engine; it exists so that the engine starts in a session of its own.
pub(crate) const TRAMPOLINE: &str = "start-engine";

/// An engine that nobody asked for ends after this many idle seconds.
const IDLE_SECONDS: &str = "300";

/// How long the engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("cannot create {}: {source}", path.display())]
    Directory {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot lock {}: {source}", path.display())]
    Lock {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot write the engine's log {}: {source}", path.display())]
    Log {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot execute the engine: {source}")]
    Execute { source: std::io::Error },
    #[error("the engine ended at once ({status}): {reason}\nSee {} or start it by hand: tare daemon", log.display())]
    Ended {
        status: std::process::ExitStatus,
        reason: String,
        log: PathBuf,
    },
    #[error("the engine did not answer within 10 seconds: {reason}\nSee {} or start it by hand: tare daemon", log.display())]
    Silent { reason: String, log: PathBuf },
}

/// Starts an engine and waits until it answers at `address`.
///
/// # Errors
/// When this user may not start one, or it does not come up; with the last
/// line of its log.
pub(crate) fn start(address: &Address, run_directory: &Path) -> Result<Connection, Failure> {
    if !rustix::process::geteuid().is_root() {
        let message =
            format!("tare: no engine answers on {address}; start one with \"sudo tare daemon\"");
        return Err(Failure::new(message));
    }
    start_as_root(address, run_directory).map_err(|error| Failure::new(format!("tare: {error}")))
}

fn start_as_root(address: &Address, run_directory: &Path) -> Result<Connection, StartError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(run_directory)
        .map_err(|source| StartError::Directory {
            path: run_directory.to_owned(),
            source,
        })?;
    let lock_path = run_directory.join("client.lock");
    let lock_failed = |source| StartError::Lock {
        path: lock_path.clone(),
        source,
    };
    let lock = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&lock_path)
        .map_err(lock_failed)?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|error| lock_failed(error.into()))?;
    // Another client may have started it while this one waited for the lock.
    if let Ok(connection) = Connection::open(address) {
        return Ok(connection);
    }
    let log_path = run_directory.join("engine.log");
    let log_failed = |source| StartError::Log {
        path: log_path.clone(),
        source,
    };
    let mut log = OpenOptions::new()
        .create(true)
        .append(true)
        .read(true)
        .open(&log_path)
        .map_err(log_failed)?;
    let written = log.seek(SeekFrom::End(0)).map_err(log_failed)?;
    let mut child = execute(&log).map_err(|source| StartError::Execute { source })?;
    wait_for(address, &mut child, &mut log, written, &log_path)
}

fn execute(log: &File) -> std::io::Result<Child> {
    Command::new("/proc/self/exe")
        .arg0("tare")
        .arg(TRAMPOLINE)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log.try_clone()?)
        .spawn()
}

/// The rest of the start, in the new process: a session of its own, then
/// the engine. Returns only when that fails.
pub(crate) fn become_engine() -> Failure {
    if let Err(error) = rustix::process::setsid() {
        return Failure::new(format!("tare: cannot start a session: {error}"));
    }
    let error = Command::new("/proc/self/exe")
        .arg0("tare")
        .args(["daemon", "--idle-timeout", IDLE_SECONDS])
        .exec();
    Failure::new(format!("tare: cannot execute the engine: {error}"))
}

fn wait_for(
    address: &Address,
    child: &mut Child,
    log: &mut File,
    written: u64,
    log_path: &Path,
) -> Result<Connection, StartError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        // The socket is there before the engine is ready, and for a moment also
        // when it cannot become so: only an answer counts.
        let left = deadline.saturating_duration_since(Instant::now());
        if let Some(connection) = answering(address, left) {
            return Ok(connection);
        }
        if let Ok(Some(status)) = child.try_wait() {
            let reason = last_line(log, written);
            return Err(StartError::Ended {
                status,
                reason,
                log: log_path.to_owned(),
            });
        }
        if Instant::now() > deadline {
            let reason = last_line(log, written);
            return Err(StartError::Silent {
                reason,
                log: log_path.to_owned(),
            });
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A connection on which an engine has answered within `patience`.
fn answering(address: &Address, patience: Duration) -> Option<Connection> {
    let connection = Connection::open(address).ok()?;
    connection
        .set_patience(Some(patience.max(Duration::from_millis(1))))
        .ok()?;
    let client = Client::new(address.clone(), None);
    client.adopt(connection);
    let ping = Request::get("/_ping");
    let begun = client.begin(&ping).ok()?;
    client.finish(begun, &ping).ok()?.bytes().ok()?;
    let connection = client.release()?;
    connection.set_patience(None).ok()?;
    Some(connection)
}

/// The last line that this start has added to the log.
fn last_line(log: &mut File, written: u64) -> String {
    let mut bytes = Vec::new();
    let read = log
        .seek(SeekFrom::Start(written))
        .and_then(|_| log.take(1 << 20).read_to_end(&mut bytes));
    match read {
        Err(error) => format!("its log cannot be read: {error}"),
        Ok(_) => {
            let text = String::from_utf8_lossy(&bytes);
            text.lines()
                .rfind(|line| !line.trim().is_empty())
                .unwrap_or("it said nothing")
                .to_owned()
        }
    }
}
