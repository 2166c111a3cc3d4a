//! Volumes.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lenient::{is_default, map_or_default, or_default};
use crate::value::Empty;

/// A volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Volume {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub created_at: String,
    #[serde(deserialize_with = "or_default")]
    pub driver: String,
    pub labels: Option<BTreeMap<String, String>>,
    #[serde(deserialize_with = "or_default")]
    pub mountpoint: String,
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    pub options: Option<BTreeMap<String, String>>,
    #[serde(deserialize_with = "or_default")]
    pub scope: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub status: BTreeMap<String, Empty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_data: Option<VolumeUsageData>,
}

/// What a volume takes and how many containers use it; -1 when not known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeUsageData {
    #[serde(deserialize_with = "or_default")]
    pub ref_count: i64,
    #[serde(deserialize_with = "or_default")]
    pub size: i64,
}

/// The body of `POST /volumes/create`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeCreateRequest {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub driver: String,
    #[serde(
        deserialize_with = "map_or_default",
        skip_serializing_if = "is_default"
    )]
    pub driver_opts: BTreeMap<String, String>,
    #[serde(
        deserialize_with = "map_or_default",
        skip_serializing_if = "is_default"
    )]
    pub labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub name: String,
}

/// The answer to `GET /volumes`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeListResponse {
    #[serde(deserialize_with = "or_default")]
    pub volumes: Vec<Volume>,
    pub warnings: Option<Vec<String>>,
}

/// What `POST /volumes/prune` removed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumesPruneReport {
    pub volumes_deleted: Option<Vec<String>>,
    #[serde(deserialize_with = "or_default")]
    pub space_reclaimed: u64,
}
