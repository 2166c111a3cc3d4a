//! Published ports: which container has which, and the sockets that reserve them.
//!
//! A port is taken twice: in the book, which is rebuilt from the engine's
//! records at start, and by a bound socket, which makes the port visibly taken
//! for everybody else on the host. So a conflict is found before anything is
//! made. The firewall's rules are not touched here.

mod process;
mod reserve;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;

use rustix::io::Errno;

use crate::endpoint::Owner;
use crate::{PortBinding, PortRequest, Protocol};

/// Where the kernel keeps the range that ports without a number come from.
const LOCAL_PORT_RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";
/// Docker's range when the kernel's cannot be read.
const FALLBACK_RANGE: RangeInclusive<u16> = 49153..=65535;

/// Why a port could not be published; the texts are Docker's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another container of this engine has it.
    #[error("Bind for {host_ip}:{port} failed: port is already allocated (by container {owner})")]
    Allocated {
        /// The address asked for.
        host_ip: Ipv4Addr,
        /// The port asked for.
        port: u16,
        /// The short ID of the container that has it.
        owner: String,
    },
    /// The kernel did not let it be bound.
    #[error(
        "listen {protocol}4 {host_ip}:{port}: bind: {}{}",
        reason(*.errno),
        .process.as_ref().map(|text| format!(" (by {text})")).unwrap_or_default()
    )]
    Bind {
        /// The transport protocol.
        protocol: Protocol,
        /// The address asked for.
        host_ip: Ipv4Addr,
        /// The port asked for.
        port: u16,
        /// The program that has it, where it could be found out.
        process: Option<String>,
        /// The kernel's answer.
        errno: Errno,
    },
    /// No port of the range is free.
    #[error("Bind for {host_ip}:{first}-{last} failed: all ports are allocated")]
    RangeExhausted {
        /// The address asked for.
        host_ip: Ipv4Addr,
        /// First port of the range.
        first: u16,
        /// Last port of the range.
        last: u16,
    },
    /// The container has no IPv6 address that a port of `::` could lead to.
    #[error("cannot publish on [{0}]: the network has no IPv6; use an IPv4 address of the host")]
    Ipv6(std::net::Ipv6Addr),
    /// The container's port is 0, or the range runs backwards.
    #[error("invalid port specification: {first}-{last}:{container_port}")]
    Invalid {
        /// First host port.
        first: u16,
        /// Last host port.
        last: u16,
        /// The container's port.
        container_port: u16,
    },
}

/// Go's words, which Docker's users know.
fn reason(errno: Errno) -> String {
    match errno {
        Errno::ADDRINUSE => "address already in use".to_owned(),
        Errno::ADDRNOTAVAIL => "cannot assign requested address".to_owned(),
        Errno::ACCESS => "permission denied".to_owned(),
        other => other.to_string(),
    }
}

/// The ports that this engine's containers have.
#[derive(Debug)]
pub(crate) struct Book {
    owners: HashMap<(Protocol, u16), Vec<(Ipv4Addr, Owner)>>,
    default_address: Ipv4Addr,
    /// Offset of the last port chosen by ourselves in the kernel's range.
    last_chosen: u16,
}

/// Ports that are entered in the book and bound.
#[derive(Debug, Default)]
pub(crate) struct Reserved {
    pub(crate) bindings: Vec<PortBinding>,
    pub(crate) holders: Vec<OwnedFd>,
}

impl Book {
    pub(crate) fn new(default_address: Ipv4Addr) -> Self {
        Self {
            owners: HashMap::new(),
            default_address,
            last_chosen: u16::MAX,
        }
    }

    /// Reserves all ports of a container, or none.
    ///
    /// # Errors
    /// The first port that cannot be had.
    pub(crate) fn reserve(
        &mut self,
        owner: &Owner,
        requests: &[PortRequest],
    ) -> Result<Reserved, Error> {
        let mut reserved = Reserved::default();
        for request in requests {
            match self.reserve_one(owner, request) {
                Ok((binding, holder)) => {
                    self.enter(owner, &binding);
                    reserved.bindings.push(binding);
                    reserved.holders.extend(holder);
                }
                Err(error) => {
                    self.release(owner, &reserved.bindings);
                    return Err(error);
                }
            }
        }
        Ok(reserved)
    }

    /// Enters a port that is bound already, that of a container that runs; it may
    /// be entered already.
    ///
    /// # Errors
    /// When another container has it.
    pub(crate) fn restore(&mut self, owner: &Owner, binding: &PortBinding) -> Result<(), Error> {
        let key = (binding.protocol, binding.host_port);
        let entries = self.owners.get(&key).map(Vec::as_slice).unwrap_or_default();
        match entries
            .iter()
            .find(|(address, _)| *address == binding.host_ip)
        {
            Some((_, found)) if found == owner => Ok(()),
            Some((_, found)) => Err(Error::Allocated {
                host_ip: binding.host_ip,
                port: binding.host_port,
                owner: found.name().to_owned(),
            }),
            None => {
                self.enter(owner, binding);
                Ok(())
            }
        }
    }

    fn enter(&mut self, owner: &Owner, binding: &PortBinding) {
        self.owners
            .entry((binding.protocol, binding.host_port))
            .or_default()
            .push((binding.host_ip, owner.clone()));
    }

    /// Those of the ports that the container still has.
    pub(crate) fn owned<'a>(
        &self,
        owner: &Owner,
        bindings: &'a [PortBinding],
    ) -> Vec<&'a PortBinding> {
        let has = |binding: &&PortBinding| {
            let entries = self.owners.get(&(binding.protocol, binding.host_port));
            entries.is_some_and(|entries| {
                entries
                    .iter()
                    .any(|(ip, found)| *ip == binding.host_ip && found == owner)
            })
        };
        bindings.iter().filter(has).collect()
    }

    /// Strikes out a container's ports; those that it does not have are skipped.
    pub(crate) fn release(&mut self, owner: &Owner, bindings: &[PortBinding]) {
        for binding in bindings {
            let key = (binding.protocol, binding.host_port);
            let Some(entries) = self.owners.get_mut(&key) else {
                continue;
            };
            entries.retain(|(address, found)| *address != binding.host_ip || found != owner);
            if entries.is_empty() {
                self.owners.remove(&key);
            }
        }
    }

    fn reserve_one(
        &mut self,
        owner: &Owner,
        request: &PortRequest,
    ) -> Result<(PortBinding, Option<OwnedFd>), Error> {
        let host_ip = match request.host_ip {
            None => self.default_address,
            Some(IpAddr::V4(address)) => address,
            Some(IpAddr::V6(address)) => return Err(Error::Ipv6(address)),
        };
        let (first, last) = (
            request.host_port,
            request.host_port_end.max(request.host_port),
        );
        let backwards = request.host_port_end != 0 && request.host_port_end < first;
        if request.container_port == 0 || backwards || (first == 0 && last != 0) {
            return Err(Error::Invalid {
                first,
                last: request.host_port_end,
                container_port: request.container_port,
            });
        }
        let binding = |host_port| PortBinding {
            host_ip,
            host_port,
            container_port: request.container_port,
            protocol: request.protocol,
        };
        if first != 0 && first == last {
            let holder = self.take(owner, &binding(first))?;
            return Ok((binding(first), holder));
        }
        let (range, chosen) = if first == 0 {
            (local_port_range(), true)
        } else {
            (first..=last, false)
        };
        let (first, last) = (*range.start(), *range.end());
        let length = u32::from(last - first) + 1;
        let start = if chosen {
            u32::from(self.last_chosen.wrapping_add(1)) % length
        } else {
            0
        };
        for step in 0..length {
            let offset = u16::try_from((start + step) % length).unwrap_or(0);
            match self.take(owner, &binding(first + offset)) {
                Ok(holder) => {
                    if chosen {
                        self.last_chosen = offset;
                    }
                    return Ok((binding(first + offset), holder));
                }
                Err(
                    Error::Allocated { .. }
                    | Error::Bind {
                        errno: Errno::ADDRINUSE,
                        ..
                    },
                ) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::RangeExhausted {
            host_ip,
            first,
            last,
        })
    }

    /// Looks the port up in the book and binds it.
    fn take(&self, owner: &Owner, binding: &PortBinding) -> Result<Option<OwnedFd>, Error> {
        let PortBinding {
            host_ip,
            host_port: port,
            protocol,
            ..
        } = *binding;
        let entries = self
            .owners
            .get(&(protocol, port))
            .map(Vec::as_slice)
            .unwrap_or_default();
        let conflict = entries.iter().find(|(address, _)| {
            *address == host_ip || address.is_unspecified() || host_ip.is_unspecified()
        });
        if let Some((_, found)) = conflict {
            let name = if found == owner {
                "itself"
            } else {
                found.name()
            };
            return Err(Error::Allocated {
                host_ip,
                port,
                owner: name.to_owned(),
            });
        }
        reserve::reserve(protocol, host_ip, port).map_err(|errno| Error::Bind {
            protocol,
            host_ip,
            port,
            process: None,
            errno,
        })
    }
}

impl Error {
    /// Adds the name of the program that has the port. Slow (it reads every
    /// process's descriptors), so only for errors that somebody will read.
    pub(crate) fn with_process(self) -> Self {
        match self {
            Self::Bind {
                protocol,
                host_ip,
                port,
                process: None,
                errno: Errno::ADDRINUSE,
            } => {
                let process = process::holding(protocol, port);
                Self::Bind {
                    protocol,
                    host_ip,
                    port,
                    process,
                    errno: Errno::ADDRINUSE,
                }
            }
            other => other,
        }
    }
}

/// The kernel's range for ports that nobody named.
fn local_port_range() -> RangeInclusive<u16> {
    let text = std::fs::read_to_string(LOCAL_PORT_RANGE).unwrap_or_default();
    parse_range(&text).unwrap_or(FALLBACK_RANGE)
}

fn parse_range(text: &str) -> Option<RangeInclusive<u16>> {
    let mut numbers = text.split_whitespace().map(str::parse::<u16>);
    let (first, last) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    (first > 0 && first <= last).then_some(first..=last)
}

#[cfg(test)]
mod tests;
