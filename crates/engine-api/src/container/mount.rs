//! Mounts: as they are asked for and as they stand.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lenient::{is_default, map_or_default, or_default};
use crate::value::Empty;

/// A mount asked for in `HostConfig.Mounts`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Mount {
    #[serde(
        rename = "Type",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub kind: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub source: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub target: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub read_only: bool,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub consistency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind_options: Option<BindOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_options: Option<VolumeOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_options: Option<ImageOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmpfs_options: Option<TmpfsOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_options: Option<Empty>,
}

/// What only a bind mount has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BindOptions {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub propagation: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub non_recursive: bool,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub create_mountpoint: bool,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub read_only_non_recursive: bool,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub read_only_force_recursive: bool,
}

/// What only a volume has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeOptions {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub no_copy: bool,
    #[serde(
        deserialize_with = "map_or_default",
        skip_serializing_if = "is_default"
    )]
    pub labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub subpath: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver_config: Option<VolumeDriverConfig>,
}

/// The driver that makes a volume that does not exist yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeDriverConfig {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub name: String,
    #[serde(
        deserialize_with = "map_or_default",
        skip_serializing_if = "is_default"
    )]
    pub options: BTreeMap<String, String>,
}

/// What only a mount of an image has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageOptions {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub subpath: String,
}

/// What only a tmpfs has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TmpfsOptions {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub size_bytes: i64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub mode: i64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub options: Vec<Vec<String>>,
}

/// A mount as the container has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MountPoint {
    #[serde(
        rename = "Type",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub kind: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub name: String,
    #[serde(deserialize_with = "or_default")]
    pub source: String,
    #[serde(deserialize_with = "or_default")]
    pub destination: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub driver: String,
    #[serde(deserialize_with = "or_default")]
    pub mode: String,
    #[serde(rename = "RW", deserialize_with = "or_default")]
    pub rw: bool,
    #[serde(deserialize_with = "or_default")]
    pub propagation: String,
}
