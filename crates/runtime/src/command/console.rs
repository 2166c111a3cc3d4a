//! The terminal's master, sent to who asked for it.

use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use super::Error;

/// A connection to the socket of who wants the master; made before anything
/// else, so that a mistaken path leaves nothing behind.
pub(super) struct Receiver {
    socket: OwnedFd,
    path: String,
}

impl Receiver {
    pub(super) fn connect(path: &str) -> Result<Receiver, Error> {
        let connect = || -> std::io::Result<OwnedFd> {
            let flags = SocketFlags::CLOEXEC;
            let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
            connect(&socket, &SocketAddrUnix::new(path)?)?;
            Ok(socket)
        };
        Ok(Receiver {
            socket: connect()
                .map_err(|source| Error::io("connecting to the console socket", path, source))?,
            path: path.to_owned(),
        })
    }

    pub(super) fn send(&self, master: &OwnedFd) -> Result<(), Error> {
        // The words are for people: the receiver wants the descriptor.
        tare_sys::socket::send(self.socket.as_fd(), b"/dev/ptmx", &[master.as_fd()])
            .map(drop)
            .map_err(|source| Error::io("sending the terminal to", &self.path, source))
    }
}
