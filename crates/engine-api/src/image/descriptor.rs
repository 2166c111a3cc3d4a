//! Content descriptors and platforms, spelled as the OCI does.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lenient::{is_default, map_or_default, object_or_default, or_default};

/// A piece of content: its type, digest and size.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OciDescriptor {
    #[serde(
        rename = "mediaType",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub media_type: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub digest: String,
    #[serde(deserialize_with = "or_default")]
    pub size: i64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub urls: Vec<String>,
    #[serde(
        deserialize_with = "map_or_default",
        skip_serializing_if = "is_default"
    )]
    pub annotations: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<OciPlatform>,
    #[serde(
        rename = "artifactType",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub artifact_type: String,
}

/// What an image runs on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OciPlatform {
    #[serde(deserialize_with = "or_default")]
    pub architecture: String,
    #[serde(deserialize_with = "or_default")]
    pub os: String,
    #[serde(
        rename = "os.version",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub os_version: String,
    #[serde(
        rename = "os.features",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub os_features: Vec<String>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub variant: String,
}

/// The answer to `GET /distribution/{name}/json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DistributionInspect {
    #[serde(deserialize_with = "object_or_default")]
    pub descriptor: OciDescriptor,
    pub platforms: Option<Vec<OciPlatform>>,
}
