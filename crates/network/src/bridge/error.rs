//! What can go wrong with a bridge network.

use std::fmt;
use std::io;

use ipnet::Ipv4Net;
use rustix::io::Errno;

use crate::netlink::Failure;
use crate::{ipam, namespace, ports, sysctl};

/// An operation on a bridge network that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bridge's name is no name of an interface.
    #[error("invalid bridge name {0:?}: 1 to 15 letters, digits, '.', '-' or '_'")]
    BridgeName(String),
    /// The interface exists and is not ours.
    #[error(
        "interface {bridge} exists and was not made by this engine ({found}); \
         choose another name with --bridge, or remove it with: ip link delete {bridge}"
    )]
    BridgeTaken {
        /// The interface's name.
        bridge: String,
        /// What it is.
        found: String,
    },
    /// Another process manages the bridge at this moment.
    #[error("bridge {bridge} is in use by another engine; choose another name with --bridge")]
    BridgeLocked {
        /// The interface's name.
        bridge: String,
    },
    /// The configured subnet has addresses in common with the host's.
    #[error("subnet {subnet} overlaps {other}, which the host uses")]
    SubnetInUse {
        /// The configured subnet.
        subnet: Ipv4Net,
        /// What the host has.
        other: Ipv4Net,
    },
    /// The configured subnet has no room for the bridge and a container.
    #[error("subnet {0} is too small for a bridge and a container")]
    SubnetTooSmall(Ipv4Net),
    /// All of the default pools are in use on the host.
    #[error(
        "could not find an available, non-overlapping IPv4 address pool among the defaults; \
         choose a subnet with --bip"
    )]
    NoSubnet,
    /// A netlink socket could not be opened.
    #[error("open a netlink socket")]
    Socket(#[source] Errno),
    /// A name could not be locked.
    #[error("lock {name}")]
    Lock {
        /// The name.
        name: String,
        /// The kernel's answer.
        #[source]
        source: Errno,
    },
    /// The background thread could not be started.
    #[error("start the network's background thread")]
    Thread(#[source] io::Error),
    /// The kernel refused a request.
    #[error("{operation}: {source}")]
    Kernel {
        /// The request that failed.
        operation: String,
        /// The kernel's answer.
        #[source]
        source: Errno,
    },
    /// A kernel setting could not be changed.
    #[error(transparent)]
    Setting(#[from] sysctl::Error),
    /// No address could be given.
    #[error(transparent)]
    Address(#[from] ipam::Error),
    /// A port could not be published.
    #[error(transparent)]
    Port(#[from] ports::Error),
    /// No network namespace could be made.
    #[error(transparent)]
    Namespace(#[from] namespace::Error),
    /// An interface is up but lets no packet pass.
    #[error("interface {0} does not become operational")]
    NotOperational(String),
    /// The new interface is not there.
    #[error("the container's interface {0} vanished while it was set up")]
    InterfaceVanished(String),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Kernel {
            operation: failure.to_string(),
            source: failure.errno,
        }
    }
}

/// Everything that went wrong while something was taken down. The rest of the
/// work was done.
#[derive(Debug)]
pub struct Errors(pub Vec<Error>);

impl Errors {
    pub(super) fn check(errors: Vec<Error>) -> Result<(), Self> {
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Self(errors))
        }
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(formatter, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}
