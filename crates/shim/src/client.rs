//! The engine's side of a shim: start one, find it again, ask it.
//!
//! All calls block, with a timeout, and may come from several threads. What
//! the shim reports by itself comes on a socket of its own:
//! [`Connection::as_fd`] becomes readable and [`Connection::receive`] takes it
//! without blocking, from whatever event loop the caller has.
//!
//! Dropping a connection leaves the shim and its container alone;
//! [`connect`] finds them again by the directory.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::SendFlags;

use crate::directory;
use crate::packet::{self, PacketError, PacketSocket, Received};
use crate::protocol::{
    Answer, EXIT, Event, Exec, Exit, Failure, Numbered, Request, Started, State, Target,
    TerminalSize,
};
use crate::readiness::readable;

mod error;
mod request;
mod spawn;

pub use error::Error;
pub use request::{Attachment, ExecRequest, StartRequest};
pub use spawn::{Waiting, prepare, spawn};

/// How long a start or an exec may take before the shim is given up.
const START: Duration = Duration::from_secs(60);
/// How long any other request may take.
const REQUEST: Duration = Duration::from_secs(10);

/// What [`Connection::receive`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// Something happened.
    Event(Event),
    /// Nothing yet: wait until [`Connection::as_fd`] is readable.
    Nothing,
    /// The shim is gone. If this was not asked for, [`stored_exit`] tells
    /// whether the container ended before it.
    Closed,
}

/// A shim, reached.
#[derive(Debug)]
pub struct Connection {
    directory: PathBuf,
    calls: Mutex<Calls>,
    events: Mutex<PacketSocket>,
    /// A copy of the event socket that can be borrowed without the lock.
    readiness: OwnedFd,
    child: Mutex<Option<Child>>,
}

#[derive(Debug)]
struct Calls {
    socket: PacketSocket,
    last: u64,
}

/// Connects to a shim that runs already; its [`State`] tells what was missed.
///
/// # Errors
/// [`Error::Connect`] when nothing answers there.
pub fn connect(path: &Path) -> Result<Connection, Error> {
    let connect_error = |source| Error::Connect {
        directory: path.to_owned(),
        source,
    };
    let socket = directory::connect(path).map_err(connect_error)?;
    let (ours, theirs) = packet::pair().map_err(connect_error)?;
    let connection = Connection::new(path, socket, ours, None).map_err(connect_error)?;
    connection.done(&Request::Subscribe, &[theirs.as_fd()])?;
    Ok(connection)
}

/// The exit that a shim wrote into its directory before it went away.
pub fn stored_exit(directory: &Path) -> Option<Exit> {
    let bytes = std::fs::read(directory.join(EXIT)).ok()?;
    serde_json::from_slice(&bytes).ok()
}

impl AsFd for Connection {
    /// Readable when [`Connection::receive`] has something.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.readiness.as_fd()
    }
}

impl Connection {
    fn new(
        directory: &Path,
        calls: OwnedFd,
        events: OwnedFd,
        child: Option<Child>,
    ) -> Result<Connection, Errno> {
        Ok(Connection {
            directory: directory.to_owned(),
            calls: Mutex::new(Calls {
                socket: PacketSocket::new(calls),
                last: 0,
            }),
            readiness: rustix::io::fcntl_dupfd_cloexec(&events, 3)?,
            events: Mutex::new(PacketSocket::new(events)),
            child: Mutex::new(child),
        })
    }

    /// Attaches a stream to the container's standard input and output.
    ///
    /// # Errors
    /// [`Refusal`] when the container has ended.
    pub fn attach(&self, attachment: Attachment) -> Result<(), Error> {
        self.done(
            &Request::Attach(attachment.channels()),
            &[attachment.stream.as_fd()],
        )
    }

    /// Runs a further process in the container.
    ///
    /// # Errors
    /// [`StartError`] with Docker's exit code, or a [`Refusal`].
    pub fn exec(&self, request: ExecRequest) -> Result<Started, Error> {
        let streams: Vec<_> = request
            .attachments
            .iter()
            .map(|attachment| attachment.stream.as_fd())
            .collect();
        let exec = Exec {
            exec_id: request.exec_id.as_str().into(),
            process: std::borrow::Cow::Borrowed(&request.process),
            terminal: request.terminal,
            size: request.size,
            open_stdin: request.open_stdin,
            attachments: request
                .attachments
                .iter()
                .map(Attachment::channels)
                .collect(),
        };
        match self.call(&Request::Exec(Box::new(exec)), &streams, START)? {
            Answer::Started(started) => Ok(started),
            _ => Err(self.unfitting()),
        }
    }

    /// Sets the size of a process's terminal.
    ///
    /// # Errors
    /// [`Refusal`] when it has none or has ended.
    pub fn resize(&self, target: Target, size: TerminalSize) -> Result<(), Error> {
        self.done(&Request::Resize { target, size }, &[])
    }

    /// Sends a signal to one process.
    ///
    /// # Errors
    /// [`Refusal`] when it has ended.
    pub fn signal(&self, target: Target, signal: i32) -> Result<(), Error> {
        self.done(&Request::Signal { target, signal }, &[])
    }

    /// Sends a signal to every process of the container.
    ///
    /// # Errors
    /// [`Refusal`] when it has ended.
    pub fn signal_all(&self, signal: i32) -> Result<(), Error> {
        self.done(&Request::SignalAll { signal }, &[])
    }

    /// Freezes the container.
    ///
    /// # Errors
    /// [`Refusal`] when it has ended or the kernel refused.
    pub fn pause(&self) -> Result<(), Error> {
        self.done(&Request::Pause, &[])
    }

    /// Thaws the container.
    ///
    /// # Errors
    /// [`Refusal`] when it has ended or the kernel refused.
    pub fn resume(&self) -> Result<(), Error> {
        self.done(&Request::Resume, &[])
    }

    /// What is true now.
    ///
    /// # Errors
    /// When the shim does not answer.
    pub fn state(&self) -> Result<State, Error> {
        match self.call(&Request::State, &[], REQUEST)? {
            Answer::State(state) => Ok(state),
            _ => Err(self.unfitting()),
        }
    }

    /// Tells the shim that the container's exit has been stored: it removes
    /// its directory and ends.
    ///
    /// # Errors
    /// [`Refusal`] while the container runs.
    pub fn release(&self) -> Result<(), Error> {
        self.done(&Request::Release, &[])?;
        self.reap(Duration::from_millis(100));
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut process) = child.take() {
            // It stays for a reader of the last output that is slow. A thread
            // that only waits keeps it from becoming a zombie afterwards.
            std::thread::spawn(move || process.wait());
        }
        Ok(())
    }

    /// Takes what the shim has reported, without blocking.
    ///
    /// # Errors
    /// [`Error::Packet`] when the socket fails.
    pub fn receive(&self) -> Result<Incoming, Error> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        match events
            .receive()
            .map_err(|source| self.packet_error(source))?
        {
            Received::Message(event, _) => Ok(Incoming::Event(event)),
            Received::Nothing => Ok(Incoming::Nothing),
            Received::Closed => {
                self.reap(Duration::ZERO);
                Ok(Incoming::Closed)
            }
        }
    }

    /// Blocks until [`Connection::receive`] has something or the time is over.
    ///
    /// # Errors
    /// [`Error::Packet`] when the socket fails.
    pub fn wait(&self, timeout: Duration) -> Result<Incoming, Error> {
        readable(self.readiness.as_fd(), Instant::now() + timeout)
            .map_err(|source| self.packet_error(PacketError::Receive(source)))?;
        self.receive()
    }

    fn done(&self, request: &Request<'_>, descriptors: &[BorrowedFd<'_>]) -> Result<(), Error> {
        match self.call(request, descriptors, REQUEST)? {
            Answer::Done => Ok(()),
            _ => Err(self.unfitting()),
        }
    }

    fn call(
        &self,
        request: &Request<'_>,
        descriptors: &[BorrowedFd<'_>],
        timeout: Duration,
    ) -> Result<Answer, Error> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.last += 1;
        let number = calls.last;
        let deadline = Instant::now() + timeout;
        match calls.socket.send(
            &Numbered {
                number,
                body: request,
            },
            descriptors,
            SendFlags::empty(),
        ) {
            Ok(()) => {}
            Err(PacketError::Send(Errno::PIPE | Errno::CONNRESET)) => return Err(self.ended()),
            Err(source) => return Err(self.packet_error(source)),
        }
        loop {
            match calls
                .socket
                .receive::<Numbered<Result<Answer, Failure>>>()
                .map_err(|source| self.packet_error(source))?
            {
                Received::Message(answer, _) if answer.number == number => {
                    return answer.body.map_err(|failure| match failure {
                        Failure::Start(error) => Error::Start(error),
                        Failure::Refused(refusal) => Error::Refused(refusal),
                    });
                }
                // The answer to a request that was given up.
                Received::Message(_, _) => {}
                Received::Closed => return Err(self.ended()),
                Received::Nothing => {
                    if !readable(calls.socket.as_fd(), deadline)
                        .map_err(|source| self.packet_error(PacketError::Receive(source)))?
                    {
                        return Err(Error::TimedOut {
                            directory: self.directory.clone(),
                            waited: timeout,
                        });
                    }
                }
            }
        }
    }

    fn packet_error(&self, source: PacketError) -> Error {
        Error::Packet {
            directory: self.directory.clone(),
            source,
        }
    }

    fn unfitting(&self) -> Error {
        Error::Answer {
            directory: self.directory.clone(),
        }
    }

    fn ended(&self) -> Error {
        self.reap(Duration::from_secs(2));
        let mut text = String::new();
        let path = self.directory.join(crate::protocol::DIAGNOSTICS);
        if let Ok(file) = File::open(path) {
            // What it wrote is for people; a part of it is better than none.
            let _ = file.take(64 * 1024).read_to_string(&mut text);
        }
        let last = text.lines().rev().find(|line| !line.trim().is_empty());
        Error::Ended {
            directory: self.directory.clone(),
            diagnostics: last.unwrap_or("it said nothing").to_owned(),
        }
    }

    /// Kills the shim if it is our child, and with it a container that it has
    /// not started yet.
    fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(process) = child.as_mut() {
            // It has ended by itself otherwise.
            let _ = process.kill();
        }
    }

    /// Collects the shim's status if it is our child and has ended.
    fn reap(&self, patience: Duration) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(process) = child.as_mut() else {
            return;
        };
        if !patience.is_zero()
            && let Some(pid) = rustix::process::Pid::from_raw(process.id().cast_signed())
            && let Ok(pidfd) =
                rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())
        {
            // Its end is imminent; an error here only leaves the zombie for later.
            let _ = readable(pidfd.as_fd(), Instant::now() + patience);
        }
        if let Ok(Some(_)) = process.try_wait() {
            *child = None;
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reap(Duration::ZERO);
    }
}
