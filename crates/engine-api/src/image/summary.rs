//! Images in lists, and what removing and pruning them did.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::image::OciDescriptor;
use crate::lenient::{is_default, object_or_default, or_default};

/// One image of `GET /images/json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageSummary {
    #[serde(deserialize_with = "or_default")]
    pub containers: i64,
    #[serde(deserialize_with = "or_default")]
    pub created: i64,
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    pub labels: Option<BTreeMap<String, String>>,
    #[serde(deserialize_with = "or_default")]
    pub parent_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptor: Option<OciDescriptor>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub manifests: Vec<ImageManifestSummary>,
    #[serde(deserialize_with = "or_default")]
    pub repo_digests: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub repo_tags: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub shared_size: i64,
    #[serde(deserialize_with = "or_default")]
    pub size: i64,
}

/// One step of an image's history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageHistoryResponseItem {
    #[serde(deserialize_with = "or_default")]
    pub comment: String,
    #[serde(deserialize_with = "or_default")]
    pub created: i64,
    #[serde(deserialize_with = "or_default")]
    pub created_by: String,
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    #[serde(deserialize_with = "or_default")]
    pub size: i64,
    pub tags: Option<Vec<String>>,
}

/// One thing a removal did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageDeleteResponseItem {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub deleted: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub untagged: String,
}

/// What `POST /images/prune` removed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImagesPruneReport {
    pub images_deleted: Option<Vec<ImageDeleteResponseItem>>,
    #[serde(deserialize_with = "or_default")]
    pub space_reclaimed: u64,
}

/// One manifest of an image of several platforms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageManifestSummary {
    #[serde(rename = "ID", deserialize_with = "or_default")]
    pub id: String,
    #[serde(deserialize_with = "object_or_default")]
    pub descriptor: OciDescriptor,
    #[serde(deserialize_with = "or_default")]
    pub available: bool,
    #[serde(deserialize_with = "object_or_default")]
    pub size: ManifestSize,
    #[serde(deserialize_with = "or_default")]
    pub kind: String,
}

/// What a manifest takes on disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ManifestSize {
    #[serde(deserialize_with = "or_default")]
    pub content: i64,
    #[serde(deserialize_with = "or_default")]
    pub total: i64,
}

/// One hit of `GET /images/search`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageSearchResult {
    #[serde(deserialize_with = "or_default")]
    pub star_count: i64,
    #[serde(deserialize_with = "or_default")]
    pub is_official: bool,
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    #[serde(deserialize_with = "or_default")]
    pub is_automated: bool,
    #[serde(deserialize_with = "or_default")]
    pub description: String,
}
