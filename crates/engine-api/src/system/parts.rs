//! The records inside the answer to `GET /info`.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lenient::{is_default, map_or_default, object_or_default, or_default};

/// The drivers there are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PluginsInfo {
    #[serde(deserialize_with = "or_default")]
    pub volume: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub network: Vec<String>,
    pub authorization: Option<Vec<String>>,
    #[serde(deserialize_with = "or_default")]
    pub log: Vec<String>,
}

/// How registries are reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RegistryServiceConfig {
    #[serde(rename = "InsecureRegistryCIDRs", deserialize_with = "or_default")]
    pub insecure_registry_cidrs: Vec<String>,
    #[serde(deserialize_with = "map_or_default")]
    pub index_configs: BTreeMap<String, IndexInfo>,
    pub mirrors: Option<Vec<String>>,
}

/// One registry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct IndexInfo {
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    #[serde(deserialize_with = "or_default")]
    pub mirrors: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub secure: bool,
    #[serde(deserialize_with = "or_default")]
    pub official: bool,
}

/// An OCI runtime.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Runtime {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub path: String,
    #[serde(
        rename = "runtimeArgs",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub runtime_args: Vec<String>,
    #[serde(
        deserialize_with = "map_or_default",
        skip_serializing_if = "is_default"
    )]
    pub status: BTreeMap<String, String>,
}

/// The commit a part was built from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Commit {
    #[serde(rename = "ID", deserialize_with = "or_default")]
    pub id: String,
}

/// This engine's part in a swarm: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SwarmInfo {
    #[serde(rename = "NodeID", deserialize_with = "or_default")]
    pub node_id: String,
    #[serde(deserialize_with = "or_default")]
    pub node_addr: String,
    #[serde(deserialize_with = "or_default")]
    pub local_node_state: String,
    #[serde(deserialize_with = "or_default")]
    pub control_available: bool,
    #[serde(deserialize_with = "or_default")]
    pub error: String,
    pub remote_managers: Option<Vec<PeerNode>>,
}

/// A manager of a swarm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PeerNode {
    #[serde(rename = "NodeID", deserialize_with = "or_default")]
    pub node_id: String,
    #[serde(deserialize_with = "or_default")]
    pub addr: String,
}

/// Where new networks take their ranges from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkAddressPool {
    #[serde(deserialize_with = "or_default")]
    pub base: String,
    #[serde(deserialize_with = "or_default")]
    pub size: i64,
}

/// What makes the packet filter's rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FirewallInfo {
    #[serde(deserialize_with = "or_default")]
    pub driver: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub info: Vec<[String; 2]>,
}

/// The containerd behind an engine that has one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerdInfo {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub address: String,
    #[serde(deserialize_with = "object_or_default")]
    pub namespaces: ContainerdNamespaces,
}

/// Its namespaces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerdNamespaces {
    #[serde(deserialize_with = "or_default")]
    pub containers: String,
    #[serde(deserialize_with = "or_default")]
    pub plugins: String,
}

/// A resource an operator has named.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GenericResource {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub named_resource_spec: Option<NamedGenericResource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discrete_resource_spec: Option<DiscreteGenericResource>,
}

/// A resource known by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NamedGenericResource {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub kind: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub value: String,
}

/// A resource known by number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DiscreteGenericResource {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub kind: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub value: i64,
}
