//! What the engine asks a shim to run, and what it attaches.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use tare_oci::runtime::{NamespaceKind, Process, Spec};

use crate::log::LogConfig;
use crate::protocol::{Channels, Rootfs, TerminalSize};

/// A container to be started.
#[derive(Debug)]
pub struct StartRequest {
    /// The container's ID.
    pub id: String,
    /// The OCI configuration.
    pub spec: Spec,
    /// The root file system.
    pub rootfs: Rootfs,
    /// Namespaces to join instead of making them.
    pub namespaces: Vec<(NamespaceKind, OwnedFd)>,
    /// Kept open until the container has ended: sockets that hold its
    /// published ports.
    pub held: Vec<OwnedFd>,
    /// Give the container a terminal.
    pub terminal: bool,
    /// The terminal's first size.
    pub size: Option<TerminalSize>,
    /// Keep standard input open.
    pub open_stdin: bool,
    /// Close standard input when the first attachment's input ends.
    pub stdin_once: bool,
    /// Where the output is logged.
    pub log: LogConfig,
    /// Put a small init in front of the program: our executable's path on the host.
    pub init: Option<PathBuf>,
    /// Attached before the start: these see everything.
    pub attachments: Vec<Attachment>,
}

/// A further process in the container.
#[derive(Debug)]
pub struct ExecRequest {
    /// The exec's ID.
    pub exec_id: String,
    /// What to run.
    pub process: Process,
    /// Give the process a terminal.
    pub terminal: bool,
    /// The terminal's first size.
    pub size: Option<TerminalSize>,
    /// Keep standard input open until its attachment's input ends.
    pub open_stdin: bool,
    /// Attached before the start. Without any, the output is discarded.
    pub attachments: Vec<Attachment>,
}

/// A stream that takes part in a process's standard input and output.
///
/// `stream` is one end of a connected unix stream socket. The shim writes the
/// output into it: raw when the process has a terminal, else in Docker's
/// frames. What it reads from it is standard input. Shutting down the other
/// end's writing side ends standard input; closing it detaches. The shim
/// closes the stream when the output has ended.
#[derive(Debug)]
pub struct Attachment {
    /// The shim's end.
    pub stream: OwnedFd,
    /// What is read from the stream goes to standard input.
    pub stdin: bool,
    /// Standard output, or the terminal's output, goes to the stream.
    pub stdout: bool,
    /// Standard error goes to the stream.
    pub stderr: bool,
}

impl Attachment {
    pub(super) fn channels(&self) -> Channels {
        Channels {
            stdin: self.stdin,
            stdout: self.stdout,
            stderr: self.stderr,
        }
    }
}
