//! Bridge networks, addresses, published ports and firewall by netlink.
//!
//! The engine opens one [`Bridge`], reconciles it with the records of the
//! containers that live, and then attaches and detaches endpoints. Everything is
//! done by netlink and nftables messages in this process; nothing is executed.
//! All calls are synchronous and short.

mod bridge;
mod conntrack;
mod endpoint;
pub mod files;
pub mod ipam;
mod lock;
mod mac;
pub mod namespace;
mod netlink;
mod nftables;
mod pools;
pub mod ports;
mod reaper;
mod route;
pub mod sysctl;

pub use bridge::{Bridge, Config, Error, Errors, Reconciled};
pub use endpoint::{
    Endpoint, EndpointRecord, EndpointRequest, InvalidProtocol, PortBinding, PortRequest, Protocol,
};
pub use ipnet::Ipv4Net;
pub use mac::{InvalidMacAddress, MacAddress};
pub use namespace::loopback_only as namespace_loopback_only;
