//! Requests and answers about networks.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lenient::{is_default, map_or_default, or_default};
use crate::network::{ConfigReference, EndpointSettings, Ipam};

/// The body of `POST /networks/create`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkCreateRequest {
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub check_duplicate: bool,
    #[serde(deserialize_with = "or_default")]
    pub driver: String,
    #[serde(deserialize_with = "or_default")]
    pub scope: String,
    #[serde(rename = "EnableIPv4", skip_serializing_if = "Option::is_none")]
    pub enable_ipv4: Option<bool>,
    #[serde(rename = "EnableIPv6", skip_serializing_if = "Option::is_none")]
    pub enable_ipv6: Option<bool>,
    #[serde(rename = "IPAM")]
    pub ipam: Option<Ipam>,
    #[serde(deserialize_with = "or_default")]
    pub internal: bool,
    #[serde(deserialize_with = "or_default")]
    pub attachable: bool,
    #[serde(deserialize_with = "or_default")]
    pub ingress: bool,
    #[serde(deserialize_with = "or_default")]
    pub config_only: bool,
    pub config_from: Option<ConfigReference>,
    #[serde(deserialize_with = "map_or_default")]
    pub options: BTreeMap<String, String>,
    #[serde(deserialize_with = "map_or_default")]
    pub labels: BTreeMap<String, String>,
}

/// The answer to a create.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkCreateResponse {
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    #[serde(deserialize_with = "or_default")]
    pub warning: String,
}

/// The body of `POST /networks/{id}/connect`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkConnectRequest {
    #[serde(deserialize_with = "or_default")]
    pub container: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_config: Option<EndpointSettings>,
}

/// The body of `POST /networks/{id}/disconnect`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkDisconnectRequest {
    #[serde(deserialize_with = "or_default")]
    pub container: String,
    #[serde(deserialize_with = "or_default")]
    pub force: bool,
}

/// What `POST /networks/prune` removed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworksPruneReport {
    pub networks_deleted: Option<Vec<String>>,
}
