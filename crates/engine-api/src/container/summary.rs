//! Containers in a list.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::container::MountPoint;
use crate::image::OciDescriptor;
use crate::lenient::{is_default, map_or_default, object_or_default, or_default};
use crate::network::EndpointSettings;

/// One container of `GET /containers/json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerSummary {
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    #[serde(deserialize_with = "or_default")]
    pub names: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub image: String,
    #[serde(rename = "ImageID", deserialize_with = "or_default")]
    pub image_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_manifest_descriptor: Option<OciDescriptor>,
    #[serde(deserialize_with = "or_default")]
    pub command: String,
    #[serde(deserialize_with = "or_default")]
    pub created: i64,
    #[serde(deserialize_with = "or_default")]
    pub ports: Vec<Port>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_rw: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_root_fs: Option<i64>,
    #[serde(deserialize_with = "map_or_default")]
    pub labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    pub state: String,
    #[serde(deserialize_with = "or_default")]
    pub status: String,
    #[serde(deserialize_with = "object_or_default")]
    pub host_config: ContainerSummaryHostConfig,
    #[serde(deserialize_with = "object_or_default")]
    pub network_settings: ContainerSummaryNetworkSettings,
    #[serde(deserialize_with = "or_default")]
    pub mounts: Vec<MountPoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<ContainerSummaryHealth>,
}

/// A port of a container in a list; without a public port it is only exposed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Port {
    #[serde(
        rename = "IP",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub ip: String,
    #[serde(deserialize_with = "or_default")]
    pub private_port: i64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub public_port: i64,
    #[serde(rename = "Type", deserialize_with = "or_default")]
    pub kind: String,
}

/// The part of the host configuration a list shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerSummaryHostConfig {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub network_mode: String,
    #[serde(
        deserialize_with = "map_or_default",
        skip_serializing_if = "is_default"
    )]
    pub annotations: BTreeMap<String, String>,
}

/// The networks a list shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerSummaryNetworkSettings {
    #[serde(deserialize_with = "map_or_default")]
    pub networks: BTreeMap<String, EndpointSettings>,
}

/// The health a list shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerSummaryHealth {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub status: String,
    #[serde(deserialize_with = "or_default")]
    pub failing_streak: i64,
}
