//! What the engine and a shim say to each other.
//!
//! A connection has two sockets. On the first the engine asks and the shim
//! answers, each answer carrying its request's number. The second carries
//! [`Event`]s only; its end is handed over with [`Request::Start`] or
//! [`Request::Subscribe`], so that waiting for an exit and asking a question
//! never take packets from each other. Descriptors travel beside the message,
//! in the order that each request documents.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tare_oci::runtime::{NamespaceKind, Process, Spec};

use crate::log::LogConfig;

/// The container's root file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rootfs {
    /// A directory that is the root.
    Path(PathBuf),
    /// An overlay, mounted inside the container's mount namespace only.
    Overlay {
        /// Read-only layers, topmost first.
        lower: Vec<PathBuf>,
        /// Where changes go.
        upper: PathBuf,
        /// The overlay's own directory, on the file system of `upper`.
        work: PathBuf,
        /// Never synced: for containers that are removed at their end.
        volatile: bool,
    },
}

/// A terminal's size in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalSize {
    /// Rows.
    pub height: u16,
    /// Columns.
    pub width: u16,
}

/// One of the shim's processes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Target {
    /// The container's init.
    Init,
    /// The exec with this ID.
    Exec(String),
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Docker's exit code: the process's own, or 128 plus the signal's number.
    pub code: u8,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// When, in nanoseconds since the Unix epoch.
    pub at: i64,
    /// The kernel killed a process of the container for want of memory.
    pub oom_killed: bool,
}

/// What the shim reports without being asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A process has ended. The init's exit is reported when its output is in
    /// the log; a process's attachments are closed only after its exit was
    /// reported.
    Exited {
        /// Which process.
        target: Target,
        /// How.
        exit: Exit,
    },
}

/// What is true of a container now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The container's ID.
    pub id: String,
    /// The init's process ID, while it runs.
    pub pid: Option<u32>,
    /// All processes are frozen.
    pub paused: bool,
    /// How the init ended.
    pub exit: Option<Exit>,
    /// Execs that run, and those whose end nobody has been told yet.
    pub execs: Vec<ExecState>,
}

/// What is true of an exec now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecState {
    /// The exec's ID.
    pub exec_id: String,
    /// Its process ID on the host.
    pub pid: u32,
    /// How it ended.
    pub exit: Option<Exit>,
}

/// The container or the exec runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Process ID on the host.
    pub pid: u32,
}

/// Why a container or an exec could not be started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct StartError {
    /// Docker's exit code: 127 not found, 126 not executable, else 128.
    pub exit_code: u8,
    /// The runtime's words.
    pub message: String,
}

/// A request that the shim could not or would not do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The kind of reason.
    pub reason: Reason,
    /// One line for people.
    pub message: String,
}

/// Kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// No process with this ID.
    NotFound,
    /// The ID is taken.
    Exists,
    /// The process, or the container, has ended.
    NotRunning,
    /// The container runs still.
    Running,
    /// The process has no terminal.
    NoTerminal,
    /// The request is malformed.
    Invalid,
    /// The kernel refused.
    Failed,
}

/// What an attachment takes part in; its stream travels beside the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Channels {
    pub(crate) stdin: bool,
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
}

/// Descriptors: event socket, namespaces, held, attachments' streams.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Start<'a> {
    pub(crate) id: Cow<'a, str>,
    pub(crate) spec: Cow<'a, Spec>,
    pub(crate) rootfs: Cow<'a, Rootfs>,
    pub(crate) namespaces: Vec<NamespaceKind>,
    pub(crate) held: usize,
    pub(crate) terminal: bool,
    pub(crate) size: Option<TerminalSize>,
    pub(crate) open_stdin: bool,
    pub(crate) stdin_once: bool,
    pub(crate) log: Cow<'a, LogConfig>,
    pub(crate) init: Option<Cow<'a, Path>>,
    pub(crate) attachments: Vec<Channels>,
}

/// Descriptors: attachments' streams.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Exec<'a> {
    pub(crate) exec_id: Cow<'a, str>,
    pub(crate) process: Cow<'a, Process>,
    pub(crate) terminal: bool,
    pub(crate) size: Option<TerminalSize>,
    pub(crate) open_stdin: bool,
    pub(crate) attachments: Vec<Channels>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request<'a> {
    /// Makes and starts the container; only the first request may be one.
    Start(Box<Start<'a>>),
    /// Descriptor: the event socket.
    Subscribe,
    /// Descriptor: the stream.
    Attach(Channels),
    Exec(Box<Exec<'a>>),
    Resize {
        target: Target,
        size: TerminalSize,
    },
    Signal {
        target: Target,
        signal: i32,
    },
    /// To every process of the container.
    SignalAll {
        signal: i32,
    },
    Pause,
    Resume,
    State,
    Release,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Started(Started),
    State(State),
    Done,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Failure {
    Start(StartError),
    Refused(Refusal),
}

/// A request or an answer and the number that ties the two together.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Numbered<T> {
    pub(crate) number: u64,
    pub(crate) body: T,
}

/// The name of the control socket in the shim's directory.
pub(crate) const SOCKET: &str = "shim.sock";
/// The name of the file that keeps the init's exit, in the shim's directory.
pub(crate) const EXIT: &str = "exit.json";
/// What the shim writes to its standard error, in its directory.
pub(crate) const DIAGNOSTICS: &str = "shim.log";
