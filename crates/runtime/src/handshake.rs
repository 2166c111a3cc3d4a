//! The conversation between the process that creates a container and the
//! container's first process, over a pair of packet sockets.
//!
//! 1. parent → child `Go`, only when the child waits for it: its user namespace
//!    has maps, a service manager has put it into its control group, and network
//!    devices have been moved to it.
//! 2. parent → child `Root`: the root file system, mounted but not attached,
//!    when the parent mounts it (an overlay takes long enough for the child to
//!    enter its groups and namespaces meanwhile).
//! 3. child → parent `Mounted`, only when there are hooks: everything is mounted
//!    and the root not yet changed. parent → child `Hooked`, when the hooks of
//!    the host's side have run.
//! 4. child → parent `Ready`: everything is in place but the program; carries
//!    the terminal's master when there is one.
//! 5. parent → child `Start`, with its system call filter. A child with a gate
//!    then waits there: whoever connects and says `Open` is told `Opened` and is
//!    the parent in what follows, so the creator may end. Of several who come at
//!    once the others hear nothing but the end. (A filter that notifies is
//!    loaded before, so that its listener is handed over by the creator.)
//! 6. child → parent `Listener`, only when the filter notifies: the number of the
//!    listener's descriptor, to be taken out of the child. parent → child
//!    `Taken`. From the filter on the child uses read and write alone, which a
//!    filter that is of any use allows.
//! 7. end of file at the parent: the program has replaced the child (its end of
//!    the socket is close-on-exec).
//!
//! At any point instead: child → parent `Failed` with the step, the thing and
//! the errno, after which the child ends. End of file at the child means that
//! the parent has died, and the child ends.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use tare_sys::socket;

use crate::failure::{Failure, MAXIMUM_DETAIL, Step};
use crate::gate;

/// The longest word to start: the longest filter that the kernel takes, and a
/// little.
const MAXIMUM_START: usize = 4096 * 8 + 16;

const READY: u8 = 1;
const START: u8 = 2;
const FAILED: u8 = 3;
const ROOT: u8 = 4;
const GO: u8 = 5;
const MOUNTED: u8 = 6;
const HOOKED: u8 = 7;
const OPEN: u8 = 8;
const LISTENER: u8 = 9;
const TAKEN: u8 = 10;
const OPENED: u8 = 11;

/// What the parent hears.
#[derive(Debug)]
pub(crate) enum Heard {
    /// Everything is mounted: hooks may run.
    Mounted,
    /// All is in place; with the terminal's master.
    Ready(Option<OwnedFd>),
    /// The filter is in force; the number of its listener in the child.
    Listener(i32),
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
pub(crate) struct ChildEnd(RefCell<OwnedFd>);

/// Makes both ends.
pub(crate) fn pair() -> io::Result<(ParentEnd, ChildEnd)> {
    let (parent, child) = socket::packet_pair()?;
    Ok((ParentEnd(parent), ChildEnd(RefCell::new(child))))
}

impl ParentEnd {
    /// Takes over the parent's part at the gate of a waiting container, and
    /// opens it; none when somebody else has.
    pub(crate) fn open(connection: OwnedFd) -> io::Result<Option<ParentEnd>> {
        let parent = ParentEnd(connection);
        parent.say(&[OPEN])?;
        let mut buffer = [0; 8];
        match socket::receive(parent.0.as_fd(), &mut buffer) {
            Ok(received) if buffer[..received.length] == [OPENED] => Ok(Some(parent)),
            Ok(received) if received.length == 0 => Ok(None),
            Ok(_) => Err(io::ErrorKind::InvalidData.into()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits for the child's next message.
    pub(crate) fn hear(&self) -> io::Result<Heard> {
        let mut buffer = [0; MAXIMUM_DETAIL + 8];
        let mut received = match socket::receive(self.0.as_fd(), &mut buffer) {
            // The child's end died with something unread in it. That is told
            // once, and before the child's last words.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                socket::receive(self.0.as_fd(), &mut buffer)?
            }
            result => result?,
        };
        let invalid = || io::Error::from(io::ErrorKind::InvalidData);
        match buffer[..received.length].split_first() {
            None => Ok(Heard::Closed),
            Some((&MOUNTED, _)) => Ok(Heard::Mounted),
            Some((&READY, _)) => Ok(Heard::Ready(received.descriptors.pop())),
            Some((&LISTENER, number)) => {
                let number = number.try_into().map_err(|_| invalid())?;
                Ok(Heard::Listener(i32::from_ne_bytes(number)))
            }
            Some((&FAILED, rest)) => Failure::decode(rest).map(Heard::Failed).ok_or_else(invalid),
            Some(_) => Err(invalid()),
        }
    }

    /// Lets the child go on after its first step.
    pub(crate) fn go(&self) -> io::Result<()> {
        self.say(&[GO])
    }

    /// Hands over the root file system.
    pub(crate) fn give_root(&self, mount: OwnedFd) -> io::Result<()> {
        self.say_with(&[ROOT], &[mount.as_fd()])
    }

    /// Says that the hooks of the host's side have run.
    pub(crate) fn hooked(&self) -> io::Result<()> {
        self.say(&[HOOKED])
    }

    /// Lets the child run the program, or wait at its gate for that, under a
    /// filter, compiled and encoded.
    pub(crate) fn start(&self, filter: &[u8]) -> io::Result<()> {
        self.say(&[&[START], filter].concat())
    }

    /// Says that the listener has been taken.
    pub(crate) fn taken(&self) -> io::Result<()> {
        self.say(&[TAKEN])
    }

    fn say(&self, message: &[u8]) -> io::Result<()> {
        self.say_with(message, &[])
    }

    fn say_with(&self, message: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        match socket::send(self.0.as_fd(), message, descriptors) {
            // A dead child has left its last words, which are heard next.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result.map(drop),
        }
    }
}

impl ChildEnd {
    /// The number of its descriptor.
    pub(crate) fn number(&self) -> RawFd {
        self.0.borrow().as_raw_fd()
    }

    /// Waits to be let go.
    pub(crate) fn wait_go(&self) -> Result<(), Failure> {
        let mut buffer = [0; 8];
        let (length, _) = self.hear("waiting for the maps", &mut buffer)?;
        match &buffer[..length] {
            [GO] => Ok(()),
            _ => Err(parent_ended()),
        }
    }

    /// Waits for the root file system.
    pub(crate) fn root(&self) -> Result<OwnedFd, Failure> {
        let mut buffer = [0; 8];
        let (length, mut descriptors) = self.hear("waiting for the root", &mut buffer)?;
        match (&buffer[..length], descriptors.pop()) {
            ([ROOT], Some(mount)) => Ok(mount),
            _ => Err(parent_ended()),
        }
    }

    /// Tells that everything is mounted, and waits until the hooks of the
    /// host's side have run.
    pub(crate) fn mounted(&self) -> Result<(), Failure> {
        const WAITING: &str = "waiting for the hooks";
        self.say(WAITING, &[MOUNTED], &[])?;
        let mut buffer = [0; 8];
        let (length, _) = self.hear(WAITING, &mut buffer)?;
        match &buffer[..length] {
            [HOOKED] => Ok(()),
            _ => Err(parent_ended()),
        }
    }

    /// Tells that all is in place, and waits for the word to start. Returns the
    /// encoded filter.
    pub(crate) fn ready(&self, terminal: Option<OwnedFd>) -> Result<Vec<u8>, Failure> {
        const WAITING: &str = "waiting for the start";
        let descriptors: Vec<_> = terminal.iter().map(AsFd::as_fd).collect();
        self.say(WAITING, &[READY], &descriptors)?;
        drop(terminal);
        let mut buffer = vec![0; MAXIMUM_START];
        let (length, _) = self.hear(WAITING, &mut buffer)?;
        buffer.truncate(length);
        if buffer.first() == Some(&START) {
            buffer.remove(0);
            Ok(buffer)
        } else {
            Err(parent_ended())
        }
    }

    /// Waits at the gate. Whoever opens it is the parent from then on.
    pub(crate) fn wait_open(&self, gate: BorrowedFd<'_>) -> Result<(), Failure> {
        const WAITING: &str = "waiting at the gate";
        loop {
            let connection = gate::accept(gate)
                .map_err(|error| Failure::new(Step::Handshake, WAITING, error))?;
            let mut buffer = [0; 8];
            // One that says nothing has only asked.
            if let Ok(received) = socket::receive(connection.as_fd(), &mut buffer)
                && buffer[..received.length] == [OPEN]
            {
                self.0.replace(connection);
                return self.say(WAITING, &[OPENED], &[]);
            }
        }
    }

    /// Offers the filter's listener, and waits until it has been taken.
    pub(crate) fn offer(&self, listener: &OwnedFd) -> Result<(), Failure> {
        let failed = |error| Failure::new(Step::Seccomp, "handing over the listener", error);
        let message = [&[LISTENER], listener.as_raw_fd().to_ne_bytes().as_slice()].concat();
        let channel = self.0.borrow();
        rustix::io::write(&*channel, &message).map_err(failed)?;
        let mut answer = [0; 8];
        let length = rustix::io::read(&*channel, &mut answer).map_err(failed)?;
        if answer[..length] == [TAKEN] {
            Ok(())
        } else {
            Err(parent_ended())
        }
    }

    /// Tells why it went wrong. When even that fails nobody is listening.
    pub(crate) fn fail(&self, failure: &Failure) {
        // A plain write: it is the call that every system call filter allows,
        // and a filter may already be in force.
        let message = [&[FAILED], failure.encode().as_slice()].concat();
        let _ = rustix::io::write(&*self.0.borrow(), &message);
    }

    fn say(
        &self,
        what: &str,
        message: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), Failure> {
        socket::send(self.0.borrow().as_fd(), message, descriptors)
            .map(drop)
            .map_err(|error| Failure::new(Step::Handshake, what, error))
    }

    fn hear(&self, what: &str, buffer: &mut [u8]) -> Result<(usize, Vec<OwnedFd>), Failure> {
        let received = socket::receive(self.0.borrow().as_fd(), buffer)
            .map_err(|error| Failure::new(Step::Handshake, what, error))?;
        Ok((received.length, received.descriptors))
    }
}

fn parent_ended() -> Failure {
    Failure::sentence(Step::Handshake, "the creating process has ended")
}
