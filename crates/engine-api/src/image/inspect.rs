//! Everything about one image.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::container::HealthConfig;
use crate::image::{ImageManifestSummary, OciDescriptor};
use crate::lenient::{is_default, object_or_default, or_default, string_or_list};
use crate::value::Empty;

/// The answer to `GET /images/{name}/json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageInspect {
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    #[serde(deserialize_with = "or_default")]
    pub repo_tags: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub repo_digests: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub parent: String,
    #[serde(deserialize_with = "or_default")]
    pub comment: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub created: String,
    #[serde(deserialize_with = "or_default")]
    pub docker_version: String,
    #[serde(deserialize_with = "or_default")]
    pub author: String,
    pub config: Option<ImageConfig>,
    #[serde(deserialize_with = "or_default")]
    pub architecture: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub variant: String,
    #[serde(deserialize_with = "or_default")]
    pub os: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub os_version: String,
    #[serde(deserialize_with = "or_default")]
    pub size: i64,
    #[serde(deserialize_with = "object_or_default")]
    pub graph_driver: DriverData,
    #[serde(rename = "RootFS", deserialize_with = "object_or_default")]
    pub root_fs: RootFs,
    #[serde(deserialize_with = "object_or_default")]
    pub metadata: ImageMetadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptor: Option<OciDescriptor>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub manifests: Vec<ImageManifestSummary>,
}

/// How a container of the image is configured unless told otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageConfig {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub user: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub exposed_ports: BTreeMap<String, Empty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<String>>,
    #[serde(
        deserialize_with = "string_or_list",
        skip_serializing_if = "Option::is_none"
    )]
    pub entrypoint: Option<Vec<String>>,
    #[serde(
        deserialize_with = "string_or_list",
        skip_serializing_if = "Option::is_none"
    )]
    pub cmd: Option<Vec<String>>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub volumes: BTreeMap<String, Empty>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub working_dir: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub stop_signal: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub args_escaped: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<HealthConfig>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub on_build: Vec<String>,
    #[serde(
        deserialize_with = "string_or_list",
        skip_serializing_if = "Option::is_none"
    )]
    pub shell: Option<Vec<String>>,
}

/// Where the storage keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DriverData {
    pub data: Option<BTreeMap<String, String>>,
    #[serde(deserialize_with = "or_default")]
    pub name: String,
}

/// The layers, by the digests of their uncompressed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RootFs {
    #[serde(rename = "Type", deserialize_with = "or_default")]
    pub kind: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub layers: Vec<String>,
}

/// What this engine knows about the image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageMetadata {
    #[serde(deserialize_with = "or_default")]
    pub last_tag_time: String,
}
