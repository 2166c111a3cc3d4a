//! Making the bridge, or finding it again.

use std::sync::Mutex;
use std::time::Duration;

use ipnet::Ipv4Net;

use super::{Bridge, Config, Error, LINK_PREFIX, State};
use crate::ipam::Allocator;
use crate::lock::Lock;
use crate::netlink::{Batch, Socket};
use crate::nftables::{Firewall, Rules};
use crate::ports::Book;
use crate::reaper::Reaper;
use crate::route::{self, Link};
use crate::{MacAddress, pools, sysctl};

/// The bridge's alias is this and the owner's name.
const ALIAS: &str = "tare:";
/// The kernel's limit for aliases is 255 bytes.
const ALIAS_LIMIT: usize = 255;
/// Only one engine of a host chooses a subnet at a time.
const CHOICE: &str = "tare-network-choice";
const CHOICE_LIMIT: Duration = Duration::from_secs(10);
const DEFAULT_MTU: u32 = 1500;

impl Bridge {
    /// Makes the bridge and its firewall table in the calling thread's network
    /// namespace, or takes them over from an earlier run. What published ports
    /// an earlier run left stays as it is until [`Bridge::reconcile`].
    ///
    /// # Errors
    /// When the name or the subnet is taken, or the kernel refuses something.
    pub fn open(config: Config) -> Result<Self, Error> {
        let name = config.bridge;
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if name.is_empty() || name.len() > 15 || !name.bytes().all(valid) || name.starts_with('.') {
            return Err(Error::BridgeName(name));
        }
        let lock_name = format!("tare-network-{name}");
        let lock = Lock::take(&lock_name)
            .map_err(|source| Error::Lock {
                name: lock_name,
                source,
            })?
            .ok_or_else(|| Error::BridgeLocked {
                bridge: name.clone(),
            })?;
        let mut socket = Socket::route().map_err(Error::Socket)?;
        let mtu = config.mtu.unwrap_or(DEFAULT_MTU);
        let mut alias = format!("{ALIAS}{}", config.owner);
        while alias.len() > ALIAS_LIMIT {
            alias.pop();
        }
        let made = make_bridge(&mut socket, &name, &alias, config.subnet, mtu)?;

        let table = config.table.unwrap_or_else(|| format!("tare-{name}"));
        let rules = Rules {
            table: table.clone(),
            bridge: name.clone(),
            subnet: made.address.trunc(),
        };
        let mut firewall = Firewall::open(rules).map_err(Error::Socket)?;
        firewall.ensure()?;
        if sysctl::enable_forwarding()? {
            tracing::info!(
                "enabled net.ipv4.ip_forward, which containers need to reach other hosts"
            );
        }
        sysctl::enable_loopback_routes(&name)?;
        let reaper = Reaper::start(
            made.index,
            Socket::route().map_err(Error::Socket)?,
            Socket::netfilter().map_err(Error::Socket)?,
        )
        .map_err(Error::Thread)?;
        let (subnet, gateway) = (made.address.trunc(), made.address.addr());
        Ok(Self {
            index: made.index,
            subnet,
            gateway,
            mtu,
            ipv6: route::has_ipv6(mtu),
            state: Mutex::new(State {
                addresses: Allocator::new(&config.network, subnet, gateway),
                ports: Book::new(config.publish_address),
            }),
            firewall: Mutex::new(firewall),
            route: Mutex::new(socket),
            reaper,
            _lock: lock,
            name,
            table,
        })
    }
}

/// The bridge's interface and its address.
struct Made {
    index: u32,
    address: Ipv4Net,
}

fn make_bridge(
    socket: &mut Socket,
    name: &str,
    alias: &str,
    wanted: Option<Ipv4Net>,
    mtu: u32,
) -> Result<Made, Error> {
    let _choice = Lock::wait(CHOICE, CHOICE_LIMIT).map_err(|source| Error::Lock {
        name: CHOICE.to_owned(),
        source,
    })?;
    let existing = route::find_link(socket, name)?;
    if let Some(link) = &existing {
        check_owner(socket, link, alias)?;
    }
    let index = existing.as_ref().map(|link| link.index);
    let present: Vec<_> = route::list_addresses(socket)?
        .into_iter()
        .filter(|found| Some(found.index) == index)
        .map(|found| found.address)
        .collect();
    let address = match (wanted, present.first()) {
        (Some(wanted), _) => with_gateway(wanted)?,
        (None, Some(kept)) => *kept,
        (None, None) => {
            let in_use = route::subnets_in_use(socket, index)?;
            with_gateway(pools::choose(&in_use).ok_or(Error::NoSubnet)?)?
        }
    };
    if !present.contains(&address) {
        let in_use = route::subnets_in_use(socket, index)?;
        if let Some(other) = in_use
            .into_iter()
            .find(|other| pools::overlap(&address, other))
        {
            return Err(Error::SubnetInUse {
                subnet: address.trunc(),
                other,
            });
        }
    }
    let mut batch = Batch::default();
    if existing.is_none() {
        route::add_bridge(&mut batch, name, MacAddress::from_ipv4(address.addr()));
    }
    route::set_bridge_up(&mut batch, name, alias, mtu);
    let index = match socket.execute(&mut batch) {
        Ok(()) => route::find_link(socket, name)?.map(|link| link.index),
        Err(failure) => {
            if existing.is_none() {
                remove(socket, name);
            }
            return Err(failure.into());
        }
    }
    .ok_or_else(|| Error::InterfaceVanished(name.to_owned()))?;
    let mut batch = Batch::default();
    if !present.contains(&address) {
        route::add_address(&mut batch, index, address);
    }
    for old in present.iter().filter(|old| **old != address) {
        route::delete_address(&mut batch, index, *old);
    }
    if let Err(failure) = socket.execute(&mut batch) {
        if existing.is_none() {
            remove(socket, name);
        }
        return Err(failure.into());
    }
    Ok(Made { index, address })
}

/// Removes a bridge that could not be set up; the first error is the one to tell.
fn remove(socket: &mut Socket, name: &str) {
    let mut batch = Batch::default();
    route::delete_link(&mut batch, name);
    if let Err(failure) = socket.execute(&mut batch) {
        tracing::warn!(error = %failure, errno = %failure.errno, "a half made bridge stays behind");
    }
}

/// Accepts a bridge that we made, or one of another engine that has no container
/// left on it.
fn check_owner(socket: &mut Socket, link: &Link, alias: &str) -> Result<(), Error> {
    let taken = |found: String| Error::BridgeTaken {
        bridge: link.name.clone(),
        found,
    };
    if link.kind != "bridge" {
        let kind = if link.kind.is_empty() {
            "hardware"
        } else {
            &link.kind
        };
        return Err(taken(format!("its type is {kind}")));
    }
    let Some(owner) = link.alias.strip_prefix(ALIAS) else {
        return Err(taken("a bridge of somebody else".to_owned()));
    };
    if link.alias != alias {
        let links = route::list_links(socket)?;
        let is_port =
            |other: &&Link| other.master == Some(link.index) && other.name.starts_with(LINK_PREFIX);
        if links.iter().any(|other| is_port(&other)) {
            return Err(taken(format!("containers of the engine {owner} are on it")));
        }
    }
    Ok(())
}

/// The bridge's address: the given one, or the subnet's first.
fn with_gateway(subnet: Ipv4Net) -> Result<Ipv4Net, Error> {
    if subnet.prefix_len() > 30 || subnet.addr() == subnet.broadcast() {
        return Err(Error::SubnetTooSmall(subnet));
    }
    if subnet.addr() != subnet.network() {
        return Ok(subnet);
    }
    let first = subnet.hosts().next().ok_or(Error::SubnetTooSmall(subnet))?;
    Ok(Ipv4Net::new_assert(first, subnet.prefix_len()))
}
