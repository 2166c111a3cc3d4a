//! A container's place in its network: a namespace to join, an address, ports.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;

use tare_engine_api::{EndpointSettings, HostConfig};
use tare_network::{Endpoint, EndpointRecord, EndpointRequest, MacAddress};
use tare_oci::runtime::NamespaceKind;

use super::{Record, bindings};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// What a container joins and holds; nothing of it on the host's own network.
#[derive(Default)]
pub(crate) struct Joined {
    pub(crate) namespaces: Vec<(NamespaceKind, OwnedFd)>,
    /// Sockets that hold the published ports.
    pub(crate) held: Vec<OwnedFd>,
    pub(crate) endpoint: Option<EndpointRecord>,
}

impl Engine {
    /// Makes a place for a container in the network that its mode names.
    pub(crate) fn join_network(&self, record: &Record) -> Result<Joined> {
        if record.host_config.network_mode == "host" {
            return Ok(Joined::default());
        }
        if !needs_bridge(record) {
            let namespace = tare_network::namespace_loopback_only().map_err(Error::internal)?;
            return Ok(Joined {
                namespaces: vec![(NamespaceKind::Network, namespace)],
                ..Joined::default()
            });
        }
        let (address, mac) = addresses(record)?;
        let request = EndpointRequest {
            container_id: record.id.clone(),
            address,
            mac,
            ports: bindings::requests(&record.config, &record.host_config)?,
        };
        let Endpoint {
            record: endpoint,
            namespace,
            port_holders,
        } = self
            .inner
            .networks
            .bridge()?
            .attach(&request)
            .map_err(|error| {
                let context = format!(
                    "failed to set up container networking: endpoint {} on network bridge",
                    record.name
                );
                Error::internal(error).context(context)
            })?;
        Ok(Joined {
            namespaces: vec![(NamespaceKind::Network, namespace)],
            held: port_holders,
            endpoint: Some(endpoint),
        })
    }
}

/// The addresses that the client chose, if any.
pub(crate) fn addresses(record: &Record) -> Result<(Option<Ipv4Addr>, Option<MacAddress>)> {
    let asked = record.endpoints.get("bridge").cloned().unwrap_or_default();
    let address = asked
        .ipam_config
        .map(|ipam| ipam.ipv4_address)
        .filter(|text| !text.is_empty())
        .map(|text| {
            text.parse()
                .map_err(|_| Error::invalid(format!("invalid IPv4 address: {text}")))
        })
        .transpose()?;
    let mac = [&asked.mac_address, &record.config.mac_address]
        .into_iter()
        .find(|text| !text.is_empty())
        .map(|text| {
            text.parse()
                .map_err(|_| Error::invalid(format!("invalid MAC address: {text}")))
        })
        .transpose()?;
    Ok((address, mac))
}

/// The endpoint settings by network; only the network of the mode may be named.
pub(crate) fn endpoints(
    host_config: &HostConfig,
    given: BTreeMap<String, EndpointSettings>,
) -> Result<BTreeMap<String, EndpointSettings>> {
    let mode = host_config.network_mode.as_str();
    if !crate::networks::NAMES.contains(&mode) {
        if mode.starts_with("container:") {
            return Err(Error::unsupported(format!(
                "NetworkMode \"{mode}\" is not supported by this engine yet"
            )));
        }
        // Docker's client takes "not found" for a missing image, and pulls.
        return Err(Error::invalid(format!("network {mode} not found")));
    }
    if mode == "none" && publishes(host_config) {
        return Err(Error::invalid(
            "conflicting options: port publishing and the container type network mode",
        ));
    }
    let mut endpoints = BTreeMap::new();
    for (name, settings) in given {
        let name = if name == "default" {
            "bridge".to_owned()
        } else {
            name
        };
        if name != mode {
            return Err(if crate::networks::NAMES.contains(&name.as_str()) {
                Error::invalid(format!(
                    "conflicting options: the container is on network {mode}, not on {name}"
                ))
            } else {
                Error::invalid(format!("network {name} not found"))
            });
        }
        if settings
            .aliases
            .as_ref()
            .is_some_and(|aliases| !aliases.is_empty())
        {
            return Err(Error::invalid(
                "network-scoped aliases are only supported for user-defined networks",
            ));
        }
        check_settings(&name, &settings)?;
        endpoints.insert(name, settings);
    }
    Ok(endpoints)
}

/// Refuses what a client asks of its endpoint and would not get. The addresses
/// of an endpoint that there was are no request: clients send them back.
fn check_settings(network: &str, settings: &EndpointSettings) -> Result<()> {
    let ipam = settings.ipam_config.clone().unwrap_or_default();
    let asks = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
    let options = settings.driver_opts.as_ref();
    let field = if asks(&settings.links) {
        "Links"
    } else if options.is_some_and(|options| !options.is_empty()) {
        "DriverOpts"
    } else if !ipam.ipv6_address.is_empty() {
        "IPAMConfig.IPv6Address"
    } else if !ipam.link_local_ips.is_empty() {
        "IPAMConfig.LinkLocalIPs"
    } else if network != "bridge" && !ipam.ipv4_address.is_empty() {
        return Err(Error::invalid(format!(
            "conflicting options: an IP address and the network mode {network}"
        )));
    } else {
        return Ok(());
    };
    Err(Error::unsupported(format!(
        "EndpointSettings.{field} is not supported by this engine yet: leave it out"
    )))
}

/// What the client should know of a container that it may have.
pub(crate) fn warnings(record: &Record) -> Vec<String> {
    let discarded = record.host_config.network_mode == "host" && publishes(&record.host_config);
    discarded
        .then(|| "Published ports are discarded when using host network mode".to_owned())
        .into_iter()
        .collect()
}

fn publishes(host_config: &HostConfig) -> bool {
    let mut bindings = host_config.port_bindings.values().flatten();
    bindings.any(|bindings| !bindings.is_empty())
}

/// Whether a start needs the engine's bridge.
pub(crate) fn needs_bridge(record: &Record) -> bool {
    record.host_config.network_mode == "bridge" && !record.config.network_disabled
}
