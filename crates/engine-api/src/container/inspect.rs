//! Everything about one container.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use serde::{Deserialize, Serialize};

use crate::container::{ContainerConfig, Health, HostConfig, MountPoint};
use crate::image::{DriverData, OciDescriptor};
use crate::lenient::{object_or_default, or_default};
use crate::network::NetworkSettings;

/// The answer to `GET /containers/{id}/json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerInspectResponse {
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    #[serde(deserialize_with = "or_default")]
    pub created: String,
    #[serde(deserialize_with = "or_default")]
    pub path: String,
    #[serde(deserialize_with = "or_default")]
    pub args: Vec<String>,
    #[serde(deserialize_with = "object_or_default")]
    pub state: ContainerState,
    #[serde(deserialize_with = "or_default")]
    pub image: String,
    #[serde(deserialize_with = "or_default")]
    pub resolv_conf_path: String,
    #[serde(deserialize_with = "or_default")]
    pub hostname_path: String,
    #[serde(deserialize_with = "or_default")]
    pub hosts_path: String,
    #[serde(deserialize_with = "or_default")]
    pub log_path: String,
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    #[serde(deserialize_with = "or_default")]
    pub restart_count: i64,
    #[serde(deserialize_with = "or_default")]
    pub driver: String,
    #[serde(deserialize_with = "or_default")]
    pub platform: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_manifest_descriptor: Option<OciDescriptor>,
    #[serde(deserialize_with = "or_default")]
    pub mount_label: String,
    #[serde(deserialize_with = "or_default")]
    pub process_label: String,
    #[serde(deserialize_with = "or_default")]
    pub app_armor_profile: String,
    #[serde(rename = "ExecIDs")]
    pub exec_ids: Option<Vec<String>>,
    #[serde(deserialize_with = "object_or_default")]
    pub host_config: HostConfig,
    #[serde(deserialize_with = "object_or_default")]
    pub graph_driver: DriverData,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_rw: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_root_fs: Option<i64>,
    #[serde(deserialize_with = "or_default")]
    pub mounts: Vec<MountPoint>,
    #[serde(deserialize_with = "object_or_default")]
    pub config: ContainerConfig,
    #[serde(deserialize_with = "object_or_default")]
    pub network_settings: NetworkSettings,
}

/// What the container does now and how it ended; times in RFC 3339, [`crate::time::ZERO`] for never.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerState {
    #[serde(deserialize_with = "or_default")]
    pub status: String,
    #[serde(deserialize_with = "or_default")]
    pub running: bool,
    #[serde(deserialize_with = "or_default")]
    pub paused: bool,
    #[serde(deserialize_with = "or_default")]
    pub restarting: bool,
    #[serde(rename = "OOMKilled", deserialize_with = "or_default")]
    pub oom_killed: bool,
    #[serde(deserialize_with = "or_default")]
    pub dead: bool,
    #[serde(deserialize_with = "or_default")]
    pub pid: i64,
    #[serde(deserialize_with = "or_default")]
    pub exit_code: i64,
    #[serde(deserialize_with = "or_default")]
    pub error: String,
    #[serde(deserialize_with = "or_default")]
    pub started_at: String,
    #[serde(deserialize_with = "or_default")]
    pub finished_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
}
