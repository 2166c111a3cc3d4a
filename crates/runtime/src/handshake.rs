//! The conversation between the process that creates a container and the
//! container's first process, over a pair of packet sockets.
//!
//! 1. parent → child `Root`: the root file system, mounted but not attached,
//!    when the parent mounts it (an overlay takes long enough for the child to
//!    enter its groups and namespaces meanwhile).
//! 2. child → parent `Ready`: everything is in place but the program; carries
//!    the terminal's master when there is one.
//! 3. parent → child `Start`: run the program; carries its system call filter.
//! 4. end of file at the parent: the program has replaced the child (its end of
//!    the socket is close-on-exec).
//!
//! At any point instead: child → parent `Failed` with the step, the thing and
//! the errno, after which the child ends. End of file at the child means that
//! the parent has died, and the child ends.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use tare_sys::socket;

use crate::failure::{Failure, MAXIMUM_DETAIL, Step};

/// The longest word to start: the longest filter that the kernel takes, and a
/// little.
const MAXIMUM_START: usize = 4096 * 8 + 16;

const READY: u8 = 1;
const START: u8 = 2;
const FAILED: u8 = 3;
const ROOT: u8 = 4;

/// What the parent hears.
#[derive(Debug)]
pub(crate) enum Heard {
    /// All is in place; with the terminal's master.
    Ready(Option<OwnedFd>),
    /// The child has failed.
    Failed(Failure),
    /// The child's end is closed: the program runs, or the child is dead.
    Closed,
}

/// The parent's end.
#[derive(Debug)]
pub(crate) struct ParentEnd(OwnedFd);

/// The child's end.
#[derive(Debug)]
pub(crate) struct ChildEnd(OwnedFd);

/// Makes both ends.
pub(crate) fn pair() -> io::Result<(ParentEnd, ChildEnd)> {
    let (parent, child) = socket::packet_pair()?;
    Ok((ParentEnd(parent), ChildEnd(child)))
}

impl ParentEnd {
    /// Waits for the child's next message.
    pub(crate) fn hear(&self) -> io::Result<Heard> {
        let mut buffer = [0; MAXIMUM_DETAIL + 8];
        let mut received = match socket::receive(self.0.as_fd(), &mut buffer) {
            // The child's end died with something unread in it.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                return Ok(Heard::Closed);
            }
            result => result?,
        };
        match buffer[..received.length].split_first() {
            None => Ok(Heard::Closed),
            Some((&READY, _)) => Ok(Heard::Ready(received.descriptors.pop())),
            Some((&FAILED, rest)) => Failure::decode(rest)
                .map(Heard::Failed)
                .ok_or_else(|| io::ErrorKind::InvalidData.into()),
            Some(_) => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Hands over the root file system.
    pub(crate) fn give_root(&self, mount: OwnedFd) -> io::Result<()> {
        socket::send(self.0.as_fd(), &[ROOT], &[mount.as_fd()]).map(drop)
    }

    /// Lets the child run the program under a filter, compiled and encoded.
    pub(crate) fn start(&self, filter: &[u8]) -> io::Result<()> {
        let message = [&[START], filter].concat();
        socket::send(self.0.as_fd(), &message, &[]).map(drop)
    }
}

impl ChildEnd {
    /// Waits for the root file system.
    pub(crate) fn root(&self) -> Result<OwnedFd, Failure> {
        let mut buffer = [0; 8];
        let mut received = socket::receive(self.0.as_fd(), &mut buffer)
            .map_err(|error| Failure::new(Step::Handshake, "waiting for the root", error))?;
        match (&buffer[..received.length], received.descriptors.pop()) {
            ([ROOT], Some(mount)) => Ok(mount),
            _ => Err(parent_ended()),
        }
    }

    /// Tells that all is in place, and waits to be told to go on. Returns the
    /// encoded filter.
    pub(crate) fn ready(&self, terminal: Option<OwnedFd>) -> Result<Vec<u8>, Failure> {
        let failed = |error| Failure::new(Step::Handshake, "waiting for the start", error);
        let descriptors: Vec<_> = terminal.iter().map(AsFd::as_fd).collect();
        socket::send(self.0.as_fd(), &[READY], &descriptors).map_err(failed)?;
        drop(terminal);
        let mut buffer = vec![0; MAXIMUM_START];
        let received = socket::receive(self.0.as_fd(), &mut buffer).map_err(failed)?;
        buffer.truncate(received.length);
        if buffer.first() == Some(&START) {
            buffer.remove(0);
            Ok(buffer)
        } else {
            Err(parent_ended())
        }
    }

    /// Tells why it went wrong. When even that fails nobody is listening.
    pub(crate) fn fail(&self, failure: &Failure) {
        // A plain write: it is the call that every system call filter allows,
        // and a filter may already be in force.
        let message = [&[FAILED], failure.encode().as_slice()].concat();
        let _ = rustix::io::write(&self.0, &message);
    }
}

fn parent_ended() -> Failure {
    Failure::sentence(Step::Handshake, "the creating process has ended")
}
