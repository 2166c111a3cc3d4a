//! A new endpoint: address, ports, namespace, veth pair, rules; in that order,
//! and all of it undone when a step fails.

use std::os::fd::{AsFd, OwnedFd};

use super::{Bridge, CONTAINER_INTERFACE, Error, LINK_PREFIX, locked};
use crate::endpoint::Owner;
use crate::namespace::{self, Namespace};
use crate::netlink::Batch;
use crate::route::{self, Veth};
use crate::{Endpoint, EndpointRecord, EndpointRequest, MacAddress};

impl Bridge {
    /// Makes an endpoint for a container: reachable from the other containers,
    /// the host, and by its published ports when this returns.
    ///
    /// # Errors
    /// No address, a port that is taken, or the kernel's refusal; then nothing
    /// of it is left.
    pub fn attach(&self, request: &EndpointRequest) -> Result<Endpoint, Error> {
        let owner = Owner {
            container_id: request.container_id.clone(),
            endpoint: interface_name(&request.container_id),
        };
        let (record, port_holders) = self.reserve(request, &owner)?;
        match self.connect(&record) {
            Ok(namespace) => Ok(Endpoint {
                record,
                namespace,
                port_holders,
            }),
            Err(error) => {
                if let Err(errors) = self.detach(&record) {
                    tracing::warn!(%errors, "undo a failed endpoint");
                }
                Err(error)
            }
        }
    }

    /// Enters address and ports in the books and binds the ports.
    fn reserve(
        &self,
        request: &EndpointRequest,
        owner: &Owner,
    ) -> Result<(EndpointRecord, Vec<OwnedFd>), Error> {
        let mut state = locked(&self.state);
        let address = state.addresses.allocate(owner, request.address)?;
        let reserved = match state.ports.reserve(owner, &request.ports) {
            Ok(reserved) => reserved,
            Err(error) => {
                state.addresses.release(owner, address);
                drop(state);
                return Err(error.with_process().into());
            }
        };
        let record = EndpointRecord {
            container_id: request.container_id.clone(),
            address,
            prefix: self.subnet.prefix_len(),
            gateway: self.gateway,
            mac: request
                .mac
                .unwrap_or_else(|| MacAddress::from_ipv4(address)),
            ports: reserved.bindings,
            host_interface: owner.endpoint.clone(),
            interface: CONTAINER_INTERFACE.to_owned(),
        };
        Ok((record, reserved.holders))
    }

    /// Makes the namespace, the veth pair and the rules.
    fn connect(&self, record: &EndpointRecord) -> Result<OwnedFd, Error> {
        let Namespace {
            fd: namespace,
            mut route,
        } = namespace::create()?;
        let mut batch = Batch::default();
        route::add_veth(
            &mut batch,
            &Veth {
                host: &record.host_interface,
                bridge: self.index,
                namespace: namespace.as_fd(),
                container: &record.interface,
                mac: record.mac,
                mtu: self.mtu,
            },
        );
        if !record.ports.is_empty() {
            route::reflect_at_port(&mut batch, &record.host_interface);
        }
        locked(&self.route).execute(&mut batch)?;

        let link = route::find_link(&mut route, &record.interface)?
            .ok_or_else(|| Error::InterfaceVanished(record.interface.clone()))?;
        let mut batch = Batch::default();
        route::add_loopback_up(&mut batch);
        route::set_container_link_up(&mut batch, link.index, self.ipv6);
        let address = ipnet::Ipv4Net::new_assert(record.address, record.prefix);
        route::add_address(&mut batch, link.index, address);
        route::add_default_route(&mut batch, link.index, record.gateway);
        route.execute(&mut batch)?;
        self.settle(&record.host_interface)?;

        if !record.ports.is_empty() {
            let ports: Vec<_> = record
                .ports
                .iter()
                .map(|port| (record.address, port))
                .collect();
            locked(&self.firewall).publish(&ports)?;
            self.reaper.published(record.address, &record.ports);
        }
        Ok(namespace)
    }
}

impl Bridge {
    /// Waits until the new port and the bridge itself forward packets.
    fn settle(&self, port: &str) -> Result<(), Error> {
        let mut route = locked(&self.route);
        for name in [port, &self.name] {
            if !route::settle(&mut route, name)? {
                return Err(Error::NotOperational(name.to_owned()));
            }
        }
        Ok(())
    }
}

/// A name for the host's end of the veth pair: the container's ID as far as it
/// goes, to be recognised by, and six random digits, because the pair of the
/// container's last run may not be gone yet.
fn interface_name(container_id: &str) -> String {
    let mut random = [0; 4];
    // A repeated name is refused by the kernel, so a failure here is no harm.
    let _ = rustix::rand::getrandom(&mut random[..3], rustix::rand::GetRandomFlags::empty());
    let readable: String = container_id
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(7)
        .collect();
    format!("{LINK_PREFIX}{readable}{:06x}", u32::from_le_bytes(random))
}
