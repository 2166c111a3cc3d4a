//! One socket that keeps one port of the host.
//!
//! The socket is bound and never listens: published traffic is redirected
//! before it would be delivered here, and should the firewall's rules vanish, a
//! client is refused rather than left hanging.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, Shutdown, SocketFlags, SocketType, bind, ipproto, listen, shutdown, socket_with,
    sockopt,
};

use crate::Protocol;

/// Binds the port. `None` when the kernel does not know the protocol (SCTP):
/// then nobody else can have the port either.
pub(super) fn reserve(
    protocol: Protocol,
    address: Ipv4Addr,
    port: u16,
) -> Result<Option<OwnedFd>, Errno> {
    let (kind, number) = match protocol {
        Protocol::Tcp => (SocketType::STREAM, ipproto::TCP),
        Protocol::Udp => (SocketType::DGRAM, ipproto::UDP),
        Protocol::Sctp => (SocketType::STREAM, ipproto::SCTP),
    };
    let open = || {
        socket_with(
            AddressFamily::INET,
            kind,
            SocketFlags::CLOEXEC,
            Some(number),
        )
    };
    let address = SocketAddrV4::new(address, port);
    let socket = match open() {
        Err(Errno::PROTONOSUPPORT | Errno::SOCKTNOSUPPORT) if protocol == Protocol::Sctp => {
            return Ok(None);
        }
        other => other?,
    };
    match bind(&socket, &address) {
        Ok(()) => Ok(Some(socket)),
        Err(Errno::ADDRINUSE) if protocol == Protocol::Tcp => {
            let socket = open()?;
            bind_over_closed_connections(&socket, &address)?;
            Ok(Some(socket))
        }
        Err(errno) => Err(errno),
    }
}

/// Binds although connections of an earlier server are in TIME_WAIT, which last
/// a minute and would refuse a plain bind.
///
/// SO_REUSEADDR passes over them, but over other bound sockets as well; `listen`
/// does not, so it decides. Afterwards the socket stops listening and gives up
/// its tolerance, and keeps the port as a plain one does.
fn bind_over_closed_connections(socket: &OwnedFd, address: &SocketAddrV4) -> Result<(), Errno> {
    sockopt::set_socket_reuseaddr(socket, true)?;
    bind(socket, address)?;
    listen(socket, 0)?;
    sockopt::set_socket_reuseaddr(socket, false)?;
    shutdown(socket, Shutdown::Both)
}
