//! Standard output and error, written without ever blocking the session
//! where the kernel lets us.
//!
//! The descriptors are shared with other processes, so their flags must stay
//! as they are: instead of O_NONBLOCK each write asks not to wait.

use std::io::{self, IoSlice, Stderr, Stdout};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{FileType, fstat};
use rustix::io::{Errno, ReadWriteFlags, pwritev2};
use rustix::net::SendFlags;

enum Target {
    Stdout(Stdout),
    Stderr(Stderr),
    #[cfg(test)]
    Other(std::os::fd::OwnedFd),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// A pipe: `RWF_NOWAIT` (kernel 6.5 and newer; refused before).
    Pipe,
    /// A socket: `MSG_DONTWAIT`.
    Socket,
    /// A file or terminal, or a pipe on an old kernel: waits.
    Plain,
}

/// One of the two outputs.
pub(crate) struct Output {
    target: Target,
    way: Way,
}

impl Output {
    /// Standard output.
    pub(crate) fn stdout() -> Self {
        Self::new(Target::Stdout(io::stdout()))
    }

    /// Standard error.
    pub(crate) fn stderr() -> Self {
        Self::new(Target::Stderr(io::stderr()))
    }

    /// Any descriptor.
    #[cfg(test)]
    pub(crate) fn to(descriptor: std::os::fd::OwnedFd) -> Self {
        Self::new(Target::Other(descriptor))
    }

    fn new(target: Target) -> Self {
        let mut output = Self {
            target,
            way: Way::Plain,
        };
        if let Ok(status) = fstat(output.as_fd()) {
            output.way = match FileType::from_raw_mode(status.st_mode) {
                FileType::Fifo => Way::Pipe,
                FileType::Socket => Way::Socket,
                _ => Way::Plain,
            };
        }
        output
    }

    /// Writes as much as goes without waiting.
    ///
    /// # Errors
    /// `WouldBlock` when nothing goes, and the errno of write.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let result = match self.way {
                Way::Pipe => pwritev2(
                    self.as_fd(),
                    &[IoSlice::new(bytes)],
                    u64::MAX,
                    ReadWriteFlags::NOWAIT,
                ),
                Way::Socket => rustix::net::send(
                    self.as_fd(),
                    bytes,
                    SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
                ),
                Way::Plain => rustix::io::write(self.as_fd(), bytes),
            };
            match result {
                Err(Errno::INTR) => {}
                Err(Errno::OPNOTSUPP | Errno::NOSYS) if self.way == Way::Pipe => {
                    self.way = Way::Plain
                }
                other => return other.map_err(Into::into),
            }
        }
    }
}

impl AsFd for Output {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.target {
            Target::Stdout(stdout) => stdout.as_fd(),
            Target::Stderr(stderr) => stderr.as_fd(),
            #[cfg(test)]
            Target::Other(descriptor) => descriptor.as_fd(),
        }
    }
}

/// Writes everything, waiting for the reader.
pub(crate) fn write_all(output: impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(&output, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
