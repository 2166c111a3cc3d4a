//! What the engine asks of a network and what it gets and keeps.
//!
//! A record is everything that is needed to take an endpoint down or to make
//! its rules again, so that the live kernel state never has to be read for it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::MacAddress;

/// Transport protocol of a published port.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP, the default of `-p`.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// The number in the IP header.
    pub fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        })
    }
}

/// A protocol name that Docker does not know either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid proto: {0}")]
pub struct InvalidProtocol(String);

impl FromStr for Protocol {
    type Err = InvalidProtocol;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            "sctp" => Ok(Self::Sctp),
            _ => Err(InvalidProtocol(text.to_owned())),
        }
    }
}

/// One port to publish.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortRequest {
    /// The host's address to publish on; `None` is the configured default.
    pub host_ip: Option<IpAddr>,
    /// The host's port; 0 lets the network choose one.
    pub host_port: u16,
    /// Last port of a range of which the first free one is taken; 0 when
    /// `host_port` alone will do.
    pub host_port_end: u16,
    /// The container's port.
    pub container_port: u16,
    /// The transport protocol.
    pub protocol: Protocol,
}

/// One port as it is published.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PortBinding {
    /// The host's address; 0.0.0.0 is every address of the host.
    pub host_ip: Ipv4Addr,
    /// The host's port, never 0.
    pub host_port: u16,
    /// The container's port.
    pub container_port: u16,
    /// The transport protocol.
    pub protocol: Protocol,
}

/// What a container wants of the network.
#[derive(Clone, Debug, Default)]
pub struct EndpointRequest {
    /// The container's ID; it owns the address and the ports from now on.
    pub container_id: String,
    /// A fixed address inside the subnet.
    pub address: Option<Ipv4Addr>,
    /// A fixed hardware address.
    pub mac: Option<MacAddress>,
    /// Ports to publish.
    pub ports: Vec<PortRequest>,
}

/// What is kept of an endpoint: enough to remove it or to make its rules again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointRecord {
    /// The container's ID.
    pub container_id: String,
    /// The container's address.
    pub address: Ipv4Addr,
    /// Length of the subnet's prefix.
    pub prefix: u8,
    /// The bridge's address, which is the default route.
    pub gateway: Ipv4Addr,
    /// The container's hardware address.
    pub mac: MacAddress,
    /// The ports as published.
    pub ports: Vec<PortBinding>,
    /// Name of the veth's end on the host.
    pub host_interface: String,
    /// Name of the veth's end in the container.
    pub interface: String,
}

impl EndpointRecord {
    pub(crate) fn owner(&self) -> Owner {
        Owner {
            container_id: self.container_id.clone(),
            endpoint: self.host_interface.clone(),
        }
    }
}

/// Who has an address or a port: a container by one of its endpoints. The name
/// of the host's interface is new for every endpoint, so that taking down an old
/// record once more never hits the same container's next endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) container_id: String,
    pub(crate) endpoint: String,
}

impl Owner {
    /// The container's short ID.
    pub(crate) fn name(&self) -> &str {
        self.container_id.get(..12).unwrap_or(&self.container_id)
    }
}

#[cfg(test)]
impl From<&str> for Owner {
    fn from(name: &str) -> Self {
        Self {
            container_id: name.to_owned(),
            endpoint: format!("tv{name}"),
        }
    }
}

/// A new endpoint, up and reachable.
#[derive(Debug)]
pub struct Endpoint {
    /// What the engine stores.
    pub record: EndpointRecord,
    /// The network namespace, for the container's processes to join. The
    /// endpoint lives as long as this or a process in it does.
    pub namespace: OwnedFd,
    /// A bound socket per published port. While they are open the host's other
    /// programs find the port taken; the shim keeps them for the container's
    /// life. No packet ever reaches them.
    pub port_holders: Vec<OwnedFd>,
}
