//! Requests and answers of create, update, wait, commit and prune.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use serde::{Deserialize, Serialize};

use crate::container::{ContainerConfig, HostConfig};
use crate::lenient::{is_default, object_or_default, or_default};
use crate::network::NetworkingConfig;

/// The body of `POST /containers/create`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerCreateRequest {
    #[serde(flatten)]
    pub config: ContainerConfig,
    #[serde(deserialize_with = "object_or_default")]
    pub host_config: HostConfig,
    #[serde(deserialize_with = "object_or_default")]
    pub networking_config: NetworkingConfig,
}

/// The answer to a create.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerCreateResponse {
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    #[serde(deserialize_with = "or_default")]
    pub warnings: Vec<String>,
}

/// The body of `POST /containers/{id}/update`: what can change while it runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerUpdateRequest {
    #[serde(flatten)]
    pub resources: HostConfig,
}

/// The answer to an update.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerUpdateResponse {
    pub warnings: Option<Vec<String>>,
}

/// How a container ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerWaitResponse {
    #[serde(deserialize_with = "or_default")]
    pub status_code: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ContainerWaitExitError>,
}

/// Why waiting failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerWaitExitError {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub message: String,
}

/// What `POST /containers/prune` removed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainersPruneReport {
    pub containers_deleted: Option<Vec<String>>,
    #[serde(deserialize_with = "or_default")]
    pub space_reclaimed: u64,
}

/// The answer to what makes something with an ID: an exec, a commit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct IdResponse {
    #[serde(deserialize_with = "or_default")]
    pub id: String,
}
