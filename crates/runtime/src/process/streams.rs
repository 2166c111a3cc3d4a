//! Standard streams.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::fs::{FileType, Mode, OFlags, Uid};
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

impl Streams {
    /// The numbers of the descriptors.
    pub(crate) fn numbers(&self) -> Vec<RawFd> {
        match self {
            Streams::Given(streams) => streams.iter().map(AsRawFd::as_raw_fd).collect(),
            Streams::Terminal => Vec::new(),
        }
    }
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
            (Streams::Given(streams), None) => {
                let [input, output, error] = streams.map(own_null);
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

/// The host's null device as a stream gives way to the container's, as with
/// runc: a file of a mount that the container does not have cannot be named
/// inside, nor taken along by a checkpoint.
fn own_null(stream: OwnedFd) -> OwnedFd {
    let is_null = |fd: BorrowedFd<'_>| {
        rustix::fs::fstat(fd).is_ok_and(|status| {
            FileType::from_raw_mode(status.st_mode) == FileType::CharacterDevice
                && status.st_rdev == rustix::fs::makedev(1, 3)
        })
    };
    if !is_null(stream.as_fd()) {
        return stream;
    }
    // What the image has there may be anything: then the stream stays.
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::open("/dev/null", flags, Mode::empty()) {
        Ok(own) if is_null(own.as_fd()) => own,
        _ => stream,
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
