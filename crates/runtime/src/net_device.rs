//! Interfaces of the host that a container gets (`linux.netDevices`).
//!
//! They are moved into the container's network namespace by the process that
//! makes it, keep their permanent global addresses, and are up there. Nothing
//! touches them afterwards: when the namespace goes, the kernel gives a physical
//! interface back to the host's and ends a virtual one (config-linux.md, "Network
//! devices"). When the container cannot be made after all they are moved back
//! before the namespace goes; a creator that is killed in between loses virtual
//! ones.

mod message;
mod socket;

use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use tare_oci::runtime::NetDevice;
use tare_sys::SingleThreaded;
use tare_sys::namespace::{self, Kinds};

use crate::error::Error;
use message::{Address, Link};
use socket::{Refusal, Socket};

/// Interfaces that have been moved.
#[derive(Debug)]
pub(crate) struct Moved {
    own: Side,
    container: Side,
    interfaces: Vec<Interface>,
}

/// A network namespace.
#[derive(Debug)]
struct Side {
    namespace: OwnedFd,
    socket: Socket,
}

/// An interface and what it was.
#[derive(Debug)]
struct Interface {
    /// Its name on the host.
    name: String,
    link: Link,
    addresses: Vec<Address>,
    /// Its number in the container.
    index: u32,
}

/// Moves interfaces, named as on the host, into a network namespace. On an error
/// all of them are where they were.
pub(crate) fn move_all(
    proof: SingleThreaded,
    devices: &BTreeMap<String, NetDevice>,
    namespace: BorrowedFd<'_>,
) -> Result<Moved, Error> {
    let failed = |error: std::io::Error| {
        Error::configuration(
            "linux.netDevices",
            format!("entering the namespace: {error}"),
        )
    };
    let mut moved = Moved {
        own: Side::current().map_err(failed)?,
        container: Side::of(proof, namespace).map_err(failed)?,
        interfaces: Vec::new(),
    };
    if is_same(&moved.own.namespace, &moved.container.namespace).map_err(failed)? {
        return Err(Error::configuration(
            "linux.netDevices",
            "needs a network namespace of the container's own",
        ));
    }
    // All are looked up first: an interface may have several names.
    let mut found: Vec<(&str, &str, Link)> = Vec::new();
    for (name, device) in devices {
        let link = moved.look_up(name)?;
        if let Some((other, _, _)) = found.iter().find(|(.., known)| known.index == link.index) {
            return Err(refused(name, format!("is the same interface as {other}")));
        }
        let inside = device.name.as_deref().filter(|inside| !inside.is_empty());
        found.push((name, inside.unwrap_or(name), link));
    }
    for (name, inside, link) in found {
        if let Err(error) = moved.take(name, inside, link) {
            // The first error is the one to report.
            let _ = moved.put_back();
            return Err(error);
        }
    }
    Ok(moved)
}

impl Side {
    fn current() -> std::io::Result<Side> {
        Ok(Side {
            namespace: namespace::current(Kinds::NETWORK)?,
            socket: Socket::open()?,
        })
    }

    fn of(proof: SingleThreaded, namespace: BorrowedFd<'_>) -> std::io::Result<Side> {
        let own = namespace::current(Kinds::NETWORK)?;
        namespace::enter(proof, namespace, Kinds::NETWORK)?;
        let socket = Socket::open();
        namespace::enter(proof, own.as_fd(), Kinds::NETWORK)?;
        Ok(Side {
            namespace: namespace.try_clone_to_owned()?,
            socket: socket?,
        })
    }

    fn indexes(&mut self) -> Result<Vec<u32>, Refusal> {
        let links = self.socket.ask(&message::list_links())?;
        let links = links.iter().filter_map(|link| message::parse_link(link));
        Ok(links.map(|link| link.index).collect())
    }

    fn link(&mut self, name: &str) -> Result<Link, Refusal> {
        let answers = self.socket.ask(&message::get_link(name))?;
        let link = answers.iter().find_map(|link| message::parse_link(link));
        link.ok_or_else(|| Errno::NODEV.into())
    }
}

impl Moved {
    fn look_up(&mut self, name: &str) -> Result<Link, Error> {
        self.own.link(name).map_err(|refusal| match refusal.errno {
            Errno::NODEV => refused(name, "there is no such interface".to_owned()),
            _ => refused(name, refusal.to_string()),
        })
    }

    /// Moves one interface, and gives it there what it had.
    fn take(&mut self, name: &str, inside: &str, link: Link) -> Result<(), Error> {
        let failed = |refusal: Refusal| refused(name, refusal.to_string());
        let listed = self
            .own
            .socket
            .ask(&message::list_addresses())
            .map_err(failed)?;
        let addresses: Vec<Address> = listed
            .iter()
            .filter_map(|one| message::parse_address(one, link.index))
            .collect();
        let before = self.container.indexes().map_err(failed)?;
        if self.container.link(inside).is_ok() {
            let reason = format!("the container has an interface {inside} already");
            return Err(refused(name, reason));
        }
        let order = message::move_link(link.index, inside, self.container.namespace.as_raw_fd());
        let result = self.own.socket.ask(&order);
        // The kernel moves first and renames then: what it refuses may have
        // been moved, under the name that it had.
        let index = match &result {
            Ok(_) => Some(self.arrived(inside, &before).map_err(failed)?),
            Err(_) => self.arrived(name, &before).ok(),
        };
        if let Some(index) = index {
            self.interfaces.push(Interface {
                name: name.to_owned(),
                link,
                addresses,
                index,
            });
        }
        result.map_err(failed)?;
        let Some(interface) = self.interfaces.last() else {
            return Ok(());
        };
        for address in &interface.addresses {
            self.container
                .socket
                .ask(&message::add_address(interface.index, address))
                .map_err(|refusal| refused(name, format!("keeping an address: {refusal}")))?;
        }
        self.container
            .socket
            .ask(&message::set_up(interface.index))
            .map_err(|refusal| refused(name, format!("taking it up: {refusal}")))?;
        Ok(())
    }

    /// The number of the interface that has arrived under a name, or under one
    /// that the kernel has chosen.
    fn arrived(&mut self, name: &str, before: &[u32]) -> Result<u32, Refusal> {
        let arrived = if name.contains('%') {
            let now = self.container.indexes()?;
            now.into_iter().find(|index| !before.contains(index))
        } else {
            let index = self.container.link(name)?.index;
            Some(index).filter(|index| !before.contains(index))
        };
        arrived.ok_or_else(|| Errno::NODEV.into())
    }

    /// Moves all of them back, and makes them what they were. All of it is
    /// tried; what went wrong is returned.
    pub(crate) fn put_back(&mut self) -> Vec<String> {
        let mut failures = Vec::new();
        for interface in std::mem::take(&mut self.interfaces).iter().rev() {
            if let Err(refusal) = self.put_one_back(interface) {
                failures.push(refused(&interface.name, refusal.to_string()).to_string());
            }
        }
        failures
    }

    fn put_one_back(&mut self, interface: &Interface) -> Result<(), Refusal> {
        let namespace = self.own.namespace.as_raw_fd();
        self.container.socket.ask(&message::move_link(
            interface.index,
            &interface.name,
            namespace,
        ))?;
        let own = &mut self.own;
        let index = own.link(&interface.name)?.index;
        if let Some(master) = interface.link.master {
            own.socket.ask(&message::set_master(index, master))?;
        }
        for address in &interface.addresses {
            own.socket.ask(&message::add_address(index, address))?;
        }
        if interface.link.is_up {
            own.socket.ask(&message::set_up(index))?;
        }
        Ok(())
    }
}

fn is_same(one: &OwnedFd, other: &OwnedFd) -> std::io::Result<bool> {
    let (one, other) = (rustix::fs::fstat(one)?, rustix::fs::fstat(other)?);
    Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

fn refused(name: &str, reason: String) -> Error {
    Error::configuration(format!("linux.netDevices.{name}"), reason)
}
