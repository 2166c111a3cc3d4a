//! Networks.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lenient::{is_default, map_or_default, object_or_default, or_default};

/// A network, in a list or alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Network {
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    #[serde(deserialize_with = "or_default")]
    pub created: String,
    #[serde(deserialize_with = "or_default")]
    pub scope: String,
    #[serde(deserialize_with = "or_default")]
    pub driver: String,
    #[serde(rename = "EnableIPv4", deserialize_with = "or_default")]
    pub enable_ipv4: bool,
    #[serde(rename = "EnableIPv6", deserialize_with = "or_default")]
    pub enable_ipv6: bool,
    #[serde(rename = "IPAM", deserialize_with = "object_or_default")]
    pub ipam: Ipam,
    #[serde(deserialize_with = "or_default")]
    pub internal: bool,
    #[serde(deserialize_with = "or_default")]
    pub attachable: bool,
    #[serde(deserialize_with = "or_default")]
    pub ingress: bool,
    #[serde(deserialize_with = "object_or_default")]
    pub config_from: ConfigReference,
    #[serde(deserialize_with = "or_default")]
    pub config_only: bool,
    #[serde(deserialize_with = "map_or_default")]
    pub containers: BTreeMap<String, EndpointResource>,
    #[serde(deserialize_with = "map_or_default")]
    pub options: BTreeMap<String, String>,
    #[serde(deserialize_with = "map_or_default")]
    pub labels: BTreeMap<String, String>,
}

/// How a network's addresses are managed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Ipam {
    #[serde(deserialize_with = "or_default")]
    pub driver: String,
    pub options: Option<BTreeMap<String, String>>,
    /// `null` for networks without addresses of their own.
    pub config: Option<Vec<IpamConfig>>,
}

/// One range of addresses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct IpamConfig {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub subnet: String,
    #[serde(
        rename = "IPRange",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub ip_range: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub gateway: String,
    #[serde(
        deserialize_with = "map_or_default",
        skip_serializing_if = "is_default"
    )]
    pub auxiliary_addresses: BTreeMap<String, String>,
}

/// The network whose configuration another takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ConfigReference {
    #[serde(deserialize_with = "or_default")]
    pub network: String,
}

/// A container in a network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EndpointResource {
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    #[serde(rename = "EndpointID", deserialize_with = "or_default")]
    pub endpoint_id: String,
    #[serde(deserialize_with = "or_default")]
    pub mac_address: String,
    #[serde(rename = "IPv4Address", deserialize_with = "or_default")]
    pub ipv4_address: String,
    #[serde(rename = "IPv6Address", deserialize_with = "or_default")]
    pub ipv6_address: String,
}
