//! The standard streams that a process is given, and our ends of them.

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use tare_runtime::Stdio;

use crate::protocol::{StartError, TerminalSize};
use crate::streams::Ends;

/// What a process has for standard streams.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StreamKind {
    /// A terminal, of a first size.
    Terminal(Option<TerminalSize>),
    /// Pipes, and one for input if that is open.
    Pipes { open_stdin: bool },
    /// /dev/null: nobody gives input or sees output.
    Nothing,
}

/// The streams of a process and our ends of them; those of a terminal come
/// from the runtime.
pub(super) fn make(streams: StreamKind) -> Result<(Stdio, Ends), StartError> {
    match streams {
        StreamKind::Terminal(_) => Ok((Stdio::Terminal, Ends::Null)),
        StreamKind::Pipes { open_stdin } => pipes(open_stdin),
        StreamKind::Nothing => nothing(),
    }
    .map_err(|error| StartError {
        exit_code: 128,
        message: format!("cannot make pipes for standard input and output: {error}"),
    })
}

fn pipes(open_stdin: bool) -> Result<(Stdio, Ends), Errno> {
    let (theirs_in, ours_in) = if open_stdin {
        let (theirs, ours) = pipe_with(PipeFlags::CLOEXEC)?;
        (theirs, Some(ours))
    } else {
        (null()?, None)
    };
    let (ours_out, theirs_out) = pipe_with(PipeFlags::CLOEXEC)?;
    let (ours_err, theirs_err) = pipe_with(PipeFlags::CLOEXEC)?;
    let stdio = Stdio::Pipes {
        stdin: theirs_in,
        stdout: theirs_out,
        stderr: theirs_err,
    };
    let ends = Ends::Pipes {
        stdin: ours_in,
        stdout: ours_out,
        stderr: ours_err,
    };
    Ok((stdio, ends))
}

fn nothing() -> Result<(Stdio, Ends), Errno> {
    let stdio = Stdio::Pipes {
        stdin: null()?,
        stdout: null()?,
        stderr: null()?,
    };
    Ok((stdio, Ends::Null))
}

fn null() -> Result<OwnedFd, Errno> {
    rustix::fs::open(
        "/dev/null",
        rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )
}
