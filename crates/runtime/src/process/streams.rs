//! Standard streams.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Uid};
use rustix::io::Errno;

use super::Prepared;
use crate::failure::{Failure, Step};
use crate::terminal::Terminal;

/// Where the standard streams of a program come from.
#[derive(Debug)]
pub(crate) enum Streams {
    /// Descriptors of the caller's.
    Given([OwnedFd; 3]),
    /// A new terminal.
    Terminal,
}

impl Prepared {
    /// Puts the standard streams in place, and returns the terminal's master.
    pub(super) fn attach_streams(
        &self,
        streams: Streams,
        terminal: Option<Terminal>,
        owner: u32,
    ) -> Result<Option<OwnedFd>, Failure> {
        let failed = |error: Errno| Failure::new(Step::Console, "attaching it", error);
        match (streams, terminal) {
            (Streams::Terminal, Some(terminal)) => {
                terminal
                    .attach(self.process.console_size, owner)
                    .map_err(failed)?;
                Ok(Some(terminal.master))
            }
            (Streams::Given([input, output, error]), None) => {
                for stream in [&input, &output, &error] {
                    give_to(stream.as_fd(), owner).map_err(failed)?;
                }
                rustix::stdio::dup2_stdin(&input).map_err(failed)?;
                rustix::stdio::dup2_stdout(&output).map_err(failed)?;
                rustix::stdio::dup2_stderr(&error).map_err(failed)?;
                Ok(None)
            }
            _ => Err(Failure::sentence(
                Step::Console,
                "process.terminal and the given streams contradict each other",
            )),
        }
    }
}

/// Lets the program open its own streams anew through /proc/self/fd. Not
/// every stream has an owner to change, and the host's devices keep theirs.
fn give_to(stream: BorrowedFd<'_>, owner: u32) -> Result<(), Errno> {
    if owner == 0 {
        return Ok(());
    }
    let status = rustix::fs::fstat(stream)?;
    let kind = FileType::from_raw_mode(status.st_mode);
    if status.st_uid == owner || matches!(kind, FileType::CharacterDevice | FileType::BlockDevice) {
        return Ok(());
    }
    match rustix::fs::fchown(stream, Some(Uid::from_raw(owner)), None) {
        Err(Errno::INVAL | Errno::PERM | Errno::ROFS) => Ok(()),
        result => result,
    }
}
