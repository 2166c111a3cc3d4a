//! The answer to `GET /system/df`.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use serde::{Deserialize, Serialize};

use crate::container::ContainerSummary;
use crate::image::ImageSummary;
use crate::lenient::{is_default, or_default};
use crate::volume::Volume;

/// What everything takes on disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SystemDataUsage {
    #[serde(deserialize_with = "or_default")]
    pub layers_size: i64,
    pub images: Option<Vec<ImageSummary>>,
    pub containers: Option<Vec<ContainerSummary>>,
    pub volumes: Option<Vec<Volume>>,
    pub build_cache: Option<Vec<BuildCache>>,
}

/// One record of the build cache.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BuildCache {
    #[serde(rename = "ID", deserialize_with = "or_default")]
    pub id: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub parents: Vec<String>,
    #[serde(rename = "Type", deserialize_with = "or_default")]
    pub kind: String,
    #[serde(deserialize_with = "or_default")]
    pub description: String,
    #[serde(deserialize_with = "or_default")]
    pub in_use: bool,
    #[serde(deserialize_with = "or_default")]
    pub shared: bool,
    #[serde(deserialize_with = "or_default")]
    pub size: i64,
    #[serde(deserialize_with = "or_default")]
    pub created_at: String,
    pub last_used_at: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub usage_count: i64,
}

/// What `POST /build/prune` removed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BuildPruneReport {
    pub caches_deleted: Option<Vec<String>>,
    #[serde(deserialize_with = "or_default")]
    pub space_reclaimed: u64,
}
