//! Addresses of one subnet: who has which, and which comes next.
//!
//! Pure and in memory; the engine's records are the truth and rebuild it at
//! start. Addresses are given round robin, as Docker does: one that was released
//! is not given again until the rest of the subnet has been, so that a late
//! packet or a stale ARP entry does not meet the wrong container.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::endpoint::Owner;

/// Why an address could not be given; the texts are Docker's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Every address of the subnet has an owner.
    #[error("no available IPv4 addresses on this network's address pools: {network} ({subnet})")]
    Exhausted {
        /// The network's name.
        network: String,
        /// Its subnet.
        subnet: Ipv4Net,
    },
    /// The asked-for address has an owner.
    #[error("Address already in use: {address} belongs to {owner}")]
    InUse {
        /// The asked-for address.
        address: Ipv4Addr,
        /// The container (or "the gateway") that has it.
        owner: String,
    },
    /// The asked-for address lies outside the subnet, or is its network or
    /// broadcast address.
    #[error(
        "invalid address {address}: It does not belong to any of this network's subnets ({subnet})"
    )]
    Outside {
        /// The asked-for address.
        address: Ipv4Addr,
        /// The network's subnet.
        subnet: Ipv4Net,
    },
}

/// The addresses of one subnet.
#[derive(Debug)]
pub(crate) struct Allocator {
    network: String,
    subnet: Ipv4Net,
    gateway: Ipv4Addr,
    owners: BTreeMap<u32, Owner>,
    /// The address given last.
    last: u32,
}

impl Allocator {
    /// A subnet of which only the gateway is taken.
    pub(crate) fn new(network: &str, subnet: Ipv4Net, gateway: Ipv4Addr) -> Self {
        Self {
            network: network.to_owned(),
            subnet: subnet.trunc(),
            gateway,
            owners: BTreeMap::new(),
            last: u32::from(subnet.network()),
        }
    }

    /// The lowest and the highest address that a container may have.
    fn bounds(&self) -> (u32, u32) {
        let (low, high) = (
            u32::from(self.subnet.network()),
            u32::from(self.subnet.broadcast()),
        );
        // /31 and /32 have neither a network nor a broadcast address (RFC 3021).
        if self.subnet.prefix_len() >= 31 {
            (low, high)
        } else {
            (low + 1, high - 1)
        }
    }

    /// Gives the next free address, or `wanted`.
    ///
    /// # Errors
    /// See [`Error`].
    pub(crate) fn allocate(
        &mut self,
        owner: &Owner,
        wanted: Option<Ipv4Addr>,
    ) -> Result<Ipv4Addr, Error> {
        if let Some(address) = wanted {
            self.check(address)?;
            self.owners.insert(u32::from(address), owner.clone());
            return Ok(address);
        }
        let (low, high) = self.bounds();
        let after = self.first_free(self.last.saturating_add(1).max(low), high);
        let found = after.or_else(|| self.first_free(low, self.last.min(high)));
        let Some(found) = found else {
            return Err(Error::Exhausted {
                network: self.network.clone(),
                subnet: self.subnet,
            });
        };
        self.last = found;
        self.owners.insert(found, owner.clone());
        Ok(Ipv4Addr::from(found))
    }

    /// Enters an address that a running container has; it may be entered already.
    ///
    /// # Errors
    /// When it lies outside the subnet or another has it.
    pub(crate) fn restore(&mut self, owner: &Owner, address: Ipv4Addr) -> Result<(), Error> {
        if self.owners.get(&u32::from(address)) == Some(owner) {
            return Ok(());
        }
        self.allocate(owner, Some(address)).map(drop)
    }

    /// The first address in `low..=high` without an owner.
    fn first_free(&self, low: u32, high: u32) -> Option<u32> {
        if low > high {
            return None;
        }
        let mut candidate = low;
        for taken in self.owners.range(low..=high).map(|(address, _)| *address) {
            if candidate == u32::from(self.gateway) {
                candidate += 1;
            }
            if taken != candidate {
                break;
            }
            candidate = candidate.checked_add(1)?;
        }
        if candidate == u32::from(self.gateway) {
            candidate += 1;
            // The run behind the gateway may be taken as well.
            while self.owners.contains_key(&candidate) {
                candidate += 1;
            }
        }
        (candidate <= high).then_some(candidate)
    }

    fn check(&self, address: Ipv4Addr) -> Result<(), Error> {
        let number = u32::from(address);
        let (low, high) = self.bounds();
        if number < low || number > high {
            return Err(Error::Outside {
                address,
                subnet: self.subnet,
            });
        }
        let owner = if address == self.gateway {
            Some("the gateway")
        } else {
            self.owners.get(&number).map(Owner::name)
        };
        match owner {
            Some(owner) => Err(Error::InUse {
                address,
                owner: owner.to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// Takes an address back; nothing happens when somebody else has it by now.
    pub(crate) fn release(&mut self, owner: &Owner, address: Ipv4Addr) {
        let number = u32::from(address);
        if self.owners.get(&number).is_some_and(|found| found == owner) {
            self.owners.remove(&number);
        }
    }

    /// How many addresses have an owner.
    pub(crate) fn taken(&self) -> usize {
        self.owners.len()
    }
}

#[cfg(test)]
mod tests;
