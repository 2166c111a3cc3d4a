//! The place where a container waits to be started by a process other than the
//! one that created it: a listening packet socket in the container's directory.
//!
//! The waiting process alone holds the listening end, so what the socket's path
//! says is true whoever was killed: a connection is accepted as long as the
//! program has not been started, and refused afterwards. Who connects, sends
//! the word to start and keeps reading sees the end of the stream when the
//! program runs, or the reason why it does not. A connection that is closed
//! without a word (somebody only asked) changes nothing.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::Mode;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};

/// A container that waits has room for this many who ask at once.
const BACKLOG: i32 = 16;

/// Makes the socket, which the container inherits. The directory's name may be
/// longer than an address can be.
///
/// # Errors
/// The errno of what failed; `EADDRINUSE` when it exists.
pub fn make(directory: BorrowedFd<'_>, name: &str) -> io::Result<OwnedFd> {
    let socket = new_socket(SocketFlags::empty())?;
    // What is bound has the socket's mode, as far as the caller's mask allows;
    // with an empty one anybody on the host could open the gate.
    rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    bind(&socket, &address(directory, name)?)?;
    listen(&socket, BACKLOG)?;
    Ok(socket)
}

/// Connects to a waiting container.
///
/// # Errors
/// `ENOENT` or `ECONNREFUSED` when none waits there.
pub fn reach(directory: BorrowedFd<'_>, name: &str) -> io::Result<OwnedFd> {
    reach_with(directory, name, SocketFlags::empty())
}

/// Whether a container waits there, even one that is stopped and therefore
/// does not take those who have asked before.
pub fn is_open(directory: BorrowedFd<'_>, name: &str) -> bool {
    match reach_with(directory, name, SocketFlags::NONBLOCK) {
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        Ok(_) => true,
    }
}

fn reach_with(directory: BorrowedFd<'_>, name: &str, flags: SocketFlags) -> io::Result<OwnedFd> {
    let socket = new_socket(flags)?;
    connect(&socket, &address(directory, name)?)?;
    Ok(socket)
}

fn new_socket(flags: SocketFlags) -> io::Result<OwnedFd> {
    Ok(socket_with(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        flags | SocketFlags::CLOEXEC,
        None,
    )?)
}

fn address(directory: BorrowedFd<'_>, name: &str) -> io::Result<SocketAddrUnix> {
    use std::os::fd::AsRawFd;
    let path = format!("/proc/self/fd/{}/{name}", directory.as_raw_fd());
    Ok(SocketAddrUnix::new(Path::new(&path))?)
}

/// Waits for somebody to connect.
pub(crate) fn accept(gate: BorrowedFd<'_>) -> rustix::io::Result<OwnedFd> {
    loop {
        match rustix::net::accept_with(gate.as_fd(), SocketFlags::CLOEXEC) {
            Err(rustix::io::Errno::INTR | rustix::io::Errno::CONNABORTED) => {}
            result => return result,
        }
    }
}
