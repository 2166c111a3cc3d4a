//! The listener of a system call filter that notifies: taken out of the
//! container's process, and sent to whom the configuration names
//! (config-linux.md, `listenerPath`).

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use rustix::process::PidfdGetfdFlags;
use serde::{Deserialize, Serialize};
use tare_oci::runtime::{ContainerProcessState, SECCOMP_FD_NAME, Seccomp, State};

/// Why nobody listens to a filter.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The descriptor could not be taken.
    #[error("taking the seccomp listener out of the container's process: {0}")]
    Take(#[source] io::Error),
    /// Nobody takes it.
    #[error("linux.seccomp.listenerPath: sending the listener to {path}: {source}")]
    Send {
        /// The agent's socket.
        path: String,
        /// What went wrong.
        source: io::Error,
    },
}

/// Who gets the listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    path: String,
    metadata: String,
}

impl Agent {
    /// The agent of a configuration.
    pub(crate) fn of(seccomp: &Seccomp) -> Option<Agent> {
        let path = seccomp.listener_path.as_deref()?;
        (!path.is_empty()).then(|| Agent {
            path: path.to_owned(),
            metadata: seccomp.listener_metadata.clone().unwrap_or_default(),
        })
    }

    /// Sends the listener of the process `pid`.
    pub(crate) fn send(&self, listener: &OwnedFd, pid: i32, state: State) -> Result<(), Error> {
        let document = ContainerProcessState {
            version: tare_oci::runtime::VERSION.to_owned(),
            fds: vec![SECCOMP_FD_NAME.to_owned()],
            pid,
            metadata: self.metadata.clone(),
            state,
        };
        let send = || -> io::Result<()> {
            let message = serde_json::to_vec(&document)?;
            let socket = socket_with(
                AddressFamily::UNIX,
                SocketType::STREAM,
                SocketFlags::CLOEXEC,
                None,
            )?;
            connect(&socket, &SocketAddrUnix::new(self.path.as_str())?)?;
            let sent = tare_sys::socket::send(socket.as_fd(), &message, &[listener.as_fd()])?;
            // The descriptor went with the first byte; a long state may need
            // more than one message.
            let mut rest = &message[sent..];
            while !rest.is_empty() {
                rest = &rest[rustix::io::write(&socket, rest)?..];
            }
            Ok(())
        };
        send().map_err(|source| Error::Send {
            path: self.path.clone(),
            source,
        })
    }
}

/// Takes the descriptor `number` of a process.
pub(crate) fn take(pidfd: &OwnedFd, number: i32) -> Result<OwnedFd, Error> {
    rustix::process::pidfd_getfd(pidfd, number, PidfdGetfdFlags::empty())
        .map_err(|error| Error::Take(error.into()))
}
