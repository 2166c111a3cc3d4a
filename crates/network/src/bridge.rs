//! One bridge network: its interface, its firewall table, its addresses and ports.
//!
//! In the kernel it owns the bridge (known by the alias `tare:<owner>`), the veth
//! ends named `tv…` that are the bridge's ports, and one nftables table. Nothing
//! is on disk: the engine keeps the endpoints' records and gives them to
//! [`Bridge::reconcile`] after a start. When the engine is killed everything in
//! the kernel stays, for the containers that live on; an endpoint that was half
//! made is found and removed by the next reconciliation.

mod attach;
mod detach;
mod error;
mod open;
mod reconcile;

use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ipnet::Ipv4Net;

pub use error::{Error, Errors};
pub use reconcile::Reconciled;

use crate::ipam::Allocator;
use crate::lock::Lock;
use crate::netlink::Socket;
use crate::nftables::Firewall;
use crate::ports::Book;
use crate::reaper::Reaper;

/// Names of our ends of veth pairs begin with this.
const LINK_PREFIX: &str = "tv";
/// The interface's name in a container.
const CONTAINER_INTERFACE: &str = "eth0";

/// What is configurable.
#[derive(Debug, Clone)]
pub struct Config {
    /// The network's name in messages.
    pub network: String,
    /// Name of the bridge's interface.
    pub bridge: String,
    /// Name of the nftables table; `None` is `tare-<bridge>`.
    pub table: Option<String>,
    /// Who makes the bridge: something that stays the same for one engine and
    /// differs between engines, as its data root. A bridge with containers of
    /// another owner is left alone.
    pub owner: String,
    /// The subnet, or the bridge's own address in it (Docker's `bip`); `None`
    /// keeps the bridge's when it exists, or else chooses.
    pub subnet: Option<Ipv4Net>,
    /// Largest packet; `None` is 1500.
    pub mtu: Option<u32>,
    /// Where ports without an address are published.
    pub publish_address: Ipv4Addr,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            network: "bridge".to_owned(),
            bridge: "tare0".to_owned(),
            table: None,
            owner: String::new(),
            subnet: None,
            mtu: None,
            publish_address: Ipv4Addr::UNSPECIFIED,
        }
    }
}

/// An open bridge network. All methods may be called from several threads at
/// once; they block for less than a millisecond or two, so an async caller uses
/// a blocking thread.
#[derive(Debug)]
pub struct Bridge {
    name: String,
    table: String,
    index: u32,
    subnet: Ipv4Net,
    gateway: Ipv4Addr,
    mtu: u32,
    /// Whether interfaces would get IPv6 addresses if they were not told not to.
    ipv6: bool,
    /// Locked before `firewall` and `route`, never after them.
    state: Mutex<State>,
    firewall: Mutex<Firewall>,
    route: Mutex<Socket>,
    reaper: Reaper,
    _lock: Lock,
}

/// Who has what. Rebuilt by reconciliation.
#[derive(Debug)]
struct State {
    addresses: Allocator,
    ports: Book,
}

impl Bridge {
    /// Name of the bridge's interface.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Name of the nftables table.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The containers' subnet.
    pub fn subnet(&self) -> Ipv4Net {
        self.subnet
    }

    /// The bridge's own address.
    pub fn gateway(&self) -> Ipv4Addr {
        self.gateway
    }

    /// Largest packet.
    pub fn mtu(&self) -> u32 {
        self.mtu
    }

    /// How many addresses containers have.
    pub fn endpoints(&self) -> usize {
        locked(&self.state).addresses.taken()
    }
}

/// Locks, and goes on after a panic elsewhere: nothing here is left half changed
/// that a later request would not find out.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
