//! The networks there are: `bridge`, `host` and `none`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use tare_engine_api::{
    EndpointIpamConfig, EndpointResource, EndpointSettings, Filters, Ipam, IpamConfig, Network,
};
use tare_network::{Bridge, EndpointRecord};

use crate::containers::{Record, Status};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Names of the networks, which are also the modes of a container.
pub(crate) const NAMES: &[&str] = &["bridge", "host", "none"];

/// The networks of an engine and their IDs, which stay the same.
pub(crate) struct Networks {
    bridge: Option<Arc<Bridge>>,
    ids: BTreeMap<&'static str, String>,
    created: String,
}

impl Networks {
    /// The networks; without a bridge when the daemon was told to have none.
    pub(crate) fn new(
        bridge: Option<Bridge>,
        ids: BTreeMap<&'static str, String>,
        created: String,
    ) -> Self {
        Self {
            bridge: bridge.map(Arc::new),
            ids,
            created,
        }
    }

    /// The default bridge.
    pub(crate) fn bridge(&self) -> Result<&Arc<Bridge>> {
        self.bridge.as_ref().ok_or_else(|| {
            Error::invalid("this engine runs without a bridge: use --network none or host")
        })
    }

    /// The bridge's own address.
    pub(crate) fn gateway(&self) -> Option<IpAddr> {
        self.bridge
            .as_ref()
            .map(|bridge| IpAddr::from(bridge.gateway()))
    }

    /// Releases an endpoint; what cannot be undone now is undone by the next
    /// reconciliation.
    pub(crate) fn detach(&self, endpoint: &EndpointRecord) {
        let Some(bridge) = &self.bridge else { return };
        if let Err(error) = bridge.detach(endpoint) {
            tracing::warn!(container = endpoint.container_id, %error, "network endpoint");
        }
    }
}

impl Engine {
    /// The networks that `filters` ask for.
    pub fn network_list(&self, filters: &Filters) -> Result<Vec<Network>> {
        filters
            .accept(&["dangling", "driver", "id", "label", "name", "scope", "type"])
            .map_err(|error| Error::invalid(error.to_string()))?;
        let any = |name: &str, test: &dyn Fn(&str) -> bool| {
            let mut values = filters.values(name).peekable();
            values.peek().is_none() || values.any(test)
        };
        // All of these are predefined, so none dangles and none is custom.
        let dangling = filters
            .boolean("dangling")
            .map_err(|error| Error::invalid(error.to_string()))?;
        Ok(NAMES
            .iter()
            .filter(|_| dangling != Some(true))
            .map(|name| self.describe(name, false))
            .filter(|network| {
                any("driver", &|value| value == network.driver)
                    && any("id", &|value| network.id.starts_with(value))
                    && any("name", &|value| network.name.contains(value))
                    && any("scope", &|value| value == network.scope)
                    && any("type", &|value| value == "builtin")
                    && !filters.contains("label")
            })
            .collect())
    }

    /// One network, by name, ID or the beginning of its ID.
    pub fn network_inspect(&self, reference: &str) -> Result<Network> {
        let ids = &self.inner.networks.ids;
        let by_name = NAMES.iter().find(|name| **name == reference);
        let found = by_name.or_else(|| {
            let mut matches = NAMES
                .iter()
                .filter(|name| !reference.is_empty() && ids[**name].starts_with(reference));
            matches.next().filter(|_| matches.next().is_none())
        });
        let name =
            found.ok_or_else(|| Error::not_found(format!("network {reference} not found")))?;
        Ok(self.describe(name, true))
    }

    fn describe(&self, name: &str, with_containers: bool) -> Network {
        let networks = &self.inner.networks;
        let bridge = networks.bridge.as_ref().filter(|_| name == "bridge");
        let config = bridge.map(|bridge| IpamConfig {
            subnet: bridge.subnet().to_string(),
            gateway: bridge.gateway().to_string(),
            ..IpamConfig::default()
        });
        let options = match bridge {
            Some(bridge) => BTreeMap::from([
                (
                    "com.docker.network.bridge.default_bridge".to_owned(),
                    "true".to_owned(),
                ),
                (
                    "com.docker.network.bridge.enable_icc".to_owned(),
                    "true".to_owned(),
                ),
                (
                    "com.docker.network.bridge.enable_ip_masquerade".to_owned(),
                    "true".to_owned(),
                ),
                (
                    "com.docker.network.bridge.host_binding_ipv4".to_owned(),
                    "0.0.0.0".to_owned(),
                ),
                (
                    "com.docker.network.bridge.name".to_owned(),
                    bridge.name().to_owned(),
                ),
                (
                    "com.docker.network.driver.mtu".to_owned(),
                    bridge.mtu().to_string(),
                ),
            ]),
            None => BTreeMap::new(),
        };
        let containers = if with_containers {
            self.members(name)
        } else {
            BTreeMap::new()
        };
        Network {
            name: name.to_owned(),
            id: networks.ids[name].clone(),
            created: networks.created.clone(),
            scope: "local".to_owned(),
            driver: if name == "none" { "null" } else { name }.to_owned(),
            enable_ipv4: true,
            ipam: Ipam {
                driver: "default".to_owned(),
                options: None,
                config: config.map(|config| vec![config]),
            },
            containers,
            options,
            ..Network::default()
        }
    }

    /// The running containers of a network.
    fn members(&self, network: &str) -> BTreeMap<String, EndpointResource> {
        self.inner
            .containers
            .all()
            .iter()
            .map(|container| container.record())
            .filter(|record| {
                record.state.status == Status::Running && record.host_config.network_mode == network
            })
            .map(|record| {
                let endpoint = record.endpoint.as_ref();
                let resource = EndpointResource {
                    name: record.name.clone(),
                    endpoint_id: endpoint_id(&record),
                    mac_address: endpoint
                        .map(|endpoint| endpoint.mac.to_string())
                        .unwrap_or_default(),
                    ipv4_address: endpoint
                        .map(|endpoint| format!("{}/{}", endpoint.address, endpoint.prefix))
                        .unwrap_or_default(),
                    ipv6_address: String::new(),
                };
                (record.id.clone(), resource)
            })
            .collect()
    }

    /// A container's place in its network, as inspect and lists show it: the
    /// addresses are there while it runs.
    pub(crate) fn endpoint_settings(&self, record: &Record) -> BTreeMap<String, EndpointSettings> {
        let mode = record.host_config.network_mode.as_str();
        let asked = record.endpoints.get(mode).cloned().unwrap_or_default();
        let mut settings = EndpointSettings {
            network_id: self
                .inner
                .networks
                .ids
                .get(mode)
                .cloned()
                .unwrap_or_default(),
            ipam_config: asked
                .ipam_config
                .filter(|ipam| *ipam != EndpointIpamConfig::default()),
            ..EndpointSettings::default()
        };
        if record.state.status == Status::Running {
            settings.endpoint_id = endpoint_id(record);
            if let Some(endpoint) = &record.endpoint {
                settings.gateway = endpoint.gateway.to_string();
                settings.ip_address = endpoint.address.to_string();
                settings.ip_prefix_len = i64::from(endpoint.prefix);
                settings.mac_address = endpoint.mac.to_string();
            }
        }
        BTreeMap::from([(mode.to_owned(), settings)])
    }
}

/// An ID for a container's endpoint: derived, as there is one for each run.
fn endpoint_id(record: &Record) -> String {
    let digest = tare_oci::Digest::sha256_of(format!("{}/{}", record.id, record.starts).as_bytes());
    digest.hex().to_owned()
}
