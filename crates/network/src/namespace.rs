//! Network namespaces for containers.
//!
//! A namespace is nothing but its descriptor: no file is bound to it, so it ends
//! with the container's last process and the last descriptor, whatever dies.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use tare_sys::namespace::{Kinds, current, run_in_new};

use crate::netlink::{Failure, Socket};
use crate::route;

/// Why a namespace could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel refused the namespace itself.
    #[error("make a network namespace")]
    Create(#[source] io::Error),
    /// No netlink socket could be opened in it.
    #[error("open a netlink socket in the new network namespace")]
    Socket(#[source] Errno),
    /// The loopback interface did not come up.
    #[error("bring up the loopback interface: {operation}")]
    Loopback {
        /// The request that failed.
        operation: String,
        /// The kernel's answer.
        #[source]
        source: Errno,
    },
}

/// A new namespace and a route socket that stays inside it.
pub(crate) struct Namespace {
    pub(crate) fd: OwnedFd,
    pub(crate) route: Socket,
}

/// Makes an empty namespace; its loopback interface is down.
pub(crate) fn create() -> Result<Namespace, Error> {
    run_in_new(Kinds::NETWORK, || {
        let fd = current(Kinds::NETWORK).map_err(Error::Create)?;
        let route = Socket::route().map_err(Error::Socket)?;
        Ok(Namespace { fd, route })
    })
    .map_err(Error::Create)?
}

/// The namespace of a container with `--network none`: loopback and nothing else.
///
/// # Errors
/// When the kernel refuses the namespace or its loopback interface.
pub fn loopback_only() -> Result<OwnedFd, Error> {
    let mut namespace = create()?;
    route::loopback_up(&mut namespace.route).map_err(refused)?;
    Ok(namespace.fd)
}

fn refused(failure: Failure) -> Error {
    Error::Loopback {
        operation: failure.to_string(),
        source: failure.errno,
    }
}

/// Brings up loopback in the calling thread's namespace.
#[cfg(test)]
pub(crate) fn loopback_up() -> Result<(), Error> {
    route::loopback_up(&mut Socket::route().map_err(Error::Socket)?).map_err(refused)
}
