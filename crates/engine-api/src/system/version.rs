//! The answer to `GET /version`.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lenient::{is_default, map_or_default, object_or_default, or_default};

/// The engine's version and its parts'.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SystemVersion {
    #[serde(deserialize_with = "object_or_default")]
    pub platform: VersionPlatform,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub components: Vec<ComponentVersion>,
    #[serde(deserialize_with = "or_default")]
    pub version: String,
    #[serde(deserialize_with = "or_default")]
    pub api_version: String,
    #[serde(
        rename = "MinAPIVersion",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub min_api_version: String,
    #[serde(deserialize_with = "or_default")]
    pub git_commit: String,
    #[serde(deserialize_with = "or_default")]
    pub go_version: String,
    #[serde(deserialize_with = "or_default")]
    pub os: String,
    #[serde(deserialize_with = "or_default")]
    pub arch: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub kernel_version: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub experimental: bool,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub build_time: String,
}

/// The name of the product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VersionPlatform {
    #[serde(deserialize_with = "or_default")]
    pub name: String,
}

/// One part and its version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ComponentVersion {
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    #[serde(deserialize_with = "or_default")]
    pub version: String,
    #[serde(
        deserialize_with = "map_or_default",
        skip_serializing_if = "is_default"
    )]
    pub details: BTreeMap<String, String>,
}
