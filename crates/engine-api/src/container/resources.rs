//! The small records inside a host configuration: devices, limits, logging, restarts.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lenient::{map_or_default, or_default};

/// The log driver and its options.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LogConfig {
    #[serde(rename = "Type", deserialize_with = "or_default")]
    pub kind: String,
    #[serde(deserialize_with = "map_or_default")]
    pub config: BTreeMap<String, String>,
}

/// When to start a container again that has ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RestartPolicy {
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    #[serde(deserialize_with = "or_default")]
    pub maximum_retry_count: i64,
}

/// A block device's share of input and output.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct WeightDevice {
    #[serde(deserialize_with = "or_default")]
    pub path: String,
    #[serde(deserialize_with = "or_default")]
    pub weight: i64,
}

/// A block device's limit, in bytes or operations a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ThrottleDevice {
    #[serde(deserialize_with = "or_default")]
    pub path: String,
    #[serde(deserialize_with = "or_default")]
    pub rate: i64,
}

/// A device node of the host and where it appears in the container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DeviceMapping {
    #[serde(deserialize_with = "or_default")]
    pub path_on_host: String,
    #[serde(deserialize_with = "or_default")]
    pub path_in_container: String,
    #[serde(deserialize_with = "or_default")]
    pub cgroup_permissions: String,
}

/// Devices asked for by driver or capability (GPUs, CDI).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DeviceRequest {
    #[serde(deserialize_with = "or_default")]
    pub driver: String,
    #[serde(deserialize_with = "or_default")]
    pub count: i64,
    #[serde(rename = "DeviceIDs")]
    pub device_ids: Option<Vec<String>>,
    pub capabilities: Option<Vec<Vec<String>>>,
    #[serde(deserialize_with = "map_or_default")]
    pub options: BTreeMap<String, String>,
}

/// One resource limit of the container's processes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Ulimit {
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    #[serde(deserialize_with = "or_default")]
    pub hard: i64,
    #[serde(deserialize_with = "or_default")]
    pub soft: i64,
}
