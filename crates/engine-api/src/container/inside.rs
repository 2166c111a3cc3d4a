//! What is seen inside a container: its processes and its changed files.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use serde::{Deserialize, Serialize};

use crate::lenient::or_default;

/// The answer to `GET /containers/{id}/top`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerTopResponse {
    #[serde(deserialize_with = "or_default")]
    pub titles: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub processes: Vec<Vec<String>>,
}

/// A path that differs from the image; kind 0 modified, 1 added, 2 deleted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FilesystemChange {
    #[serde(deserialize_with = "or_default")]
    pub path: String,
    #[serde(deserialize_with = "or_default")]
    pub kind: i64,
}
