//! Names that one process of a network namespace can have at a time.
//!
//! Abstract unix sockets: bound in the network namespace, gone with the process.

use std::os::fd::OwnedFd;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, socket_with};

/// How often a lock that somebody has is tried again.
const INTERVAL: Duration = Duration::from_millis(2);

/// A held name.
#[derive(Debug)]
pub(crate) struct Lock {
    #[expect(dead_code, reason = "the name is held as long as the socket is open")]
    socket: OwnedFd,
}

impl Lock {
    /// Takes a name; `None` when another process has it.
    pub(crate) fn take(name: &str) -> Result<Option<Self>, Errno> {
        let socket = socket_with(
            AddressFamily::UNIX,
            SocketType::DGRAM,
            SocketFlags::CLOEXEC,
            None,
        )?;
        match bind(
            &socket,
            &SocketAddrUnix::new_abstract_name(name.as_bytes())?,
        ) {
            Ok(()) => Ok(Some(Self { socket })),
            Err(Errno::ADDRINUSE) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Takes a name, waiting for it for some time; then `TIMEDOUT`.
    pub(crate) fn wait(name: &str, limit: Duration) -> Result<Self, Errno> {
        let deadline = Instant::now() + limit;
        loop {
            match Self::take(name)? {
                Some(lock) => return Ok(lock),
                None if Instant::now() >= deadline => return Err(Errno::TIMEDOUT),
                None => sleep(INTERVAL),
            }
        }
    }
}
