//! A container's place in its networks.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::container::PortMap;
use crate::lenient::{is_default, map_or_default, or_default};

/// The networks to join at create.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkingConfig {
    #[serde(deserialize_with = "map_or_default")]
    pub endpoints_config: BTreeMap<String, EndpointSettings>,
}

/// The networks a container is in; the flat fields are the default bridge's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkSettings {
    #[serde(deserialize_with = "or_default")]
    pub bridge: String,
    #[serde(rename = "SandboxID", deserialize_with = "or_default")]
    pub sandbox_id: String,
    #[serde(deserialize_with = "or_default")]
    pub sandbox_key: String,
    #[serde(deserialize_with = "or_default")]
    pub ports: PortMap,
    #[serde(deserialize_with = "or_default")]
    pub hairpin_mode: bool,
    #[serde(rename = "LinkLocalIPv6Address", deserialize_with = "or_default")]
    pub link_local_ipv6_address: String,
    #[serde(rename = "LinkLocalIPv6PrefixLen", deserialize_with = "or_default")]
    pub link_local_ipv6_prefix_len: i64,
    #[serde(rename = "SecondaryIPAddresses")]
    pub secondary_ip_addresses: Option<Vec<Address>>,
    #[serde(rename = "SecondaryIPv6Addresses")]
    pub secondary_ipv6_addresses: Option<Vec<Address>>,
    #[serde(rename = "EndpointID", deserialize_with = "or_default")]
    pub endpoint_id: String,
    #[serde(deserialize_with = "or_default")]
    pub gateway: String,
    #[serde(rename = "GlobalIPv6Address", deserialize_with = "or_default")]
    pub global_ipv6_address: String,
    #[serde(rename = "GlobalIPv6PrefixLen", deserialize_with = "or_default")]
    pub global_ipv6_prefix_len: i64,
    #[serde(rename = "IPAddress", deserialize_with = "or_default")]
    pub ip_address: String,
    #[serde(rename = "IPPrefixLen", deserialize_with = "or_default")]
    pub ip_prefix_len: i64,
    #[serde(rename = "IPv6Gateway", deserialize_with = "or_default")]
    pub ipv6_gateway: String,
    #[serde(deserialize_with = "or_default")]
    pub mac_address: String,
    #[serde(deserialize_with = "map_or_default")]
    pub networks: BTreeMap<String, EndpointSettings>,
}

/// An address with its prefix length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Address {
    #[serde(deserialize_with = "or_default")]
    pub addr: String,
    #[serde(deserialize_with = "or_default")]
    pub prefix_len: i64,
}

/// A container's end in one network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EndpointSettings {
    #[serde(rename = "IPAMConfig")]
    pub ipam_config: Option<EndpointIpamConfig>,
    pub links: Option<Vec<String>>,
    pub aliases: Option<Vec<String>>,
    #[serde(deserialize_with = "or_default")]
    pub mac_address: String,
    pub driver_opts: Option<BTreeMap<String, String>>,
    #[serde(deserialize_with = "or_default")]
    pub gw_priority: i64,
    #[serde(rename = "NetworkID", deserialize_with = "or_default")]
    pub network_id: String,
    #[serde(rename = "EndpointID", deserialize_with = "or_default")]
    pub endpoint_id: String,
    #[serde(deserialize_with = "or_default")]
    pub gateway: String,
    #[serde(rename = "IPAddress", deserialize_with = "or_default")]
    pub ip_address: String,
    #[serde(rename = "IPPrefixLen", deserialize_with = "or_default")]
    pub ip_prefix_len: i64,
    #[serde(rename = "IPv6Gateway", deserialize_with = "or_default")]
    pub ipv6_gateway: String,
    #[serde(rename = "GlobalIPv6Address", deserialize_with = "or_default")]
    pub global_ipv6_address: String,
    #[serde(rename = "GlobalIPv6PrefixLen", deserialize_with = "or_default")]
    pub global_ipv6_prefix_len: i64,
    #[serde(rename = "DNSNames")]
    pub dns_names: Option<Vec<String>>,
}

/// The addresses asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EndpointIpamConfig {
    #[serde(
        rename = "IPv4Address",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub ipv4_address: String,
    #[serde(
        rename = "IPv6Address",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub ipv6_address: String,
    #[serde(
        rename = "LinkLocalIPs",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub link_local_ips: Vec<String>,
}
