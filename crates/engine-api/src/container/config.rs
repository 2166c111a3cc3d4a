//! What a container is to run: the part of its configuration that does not depend on the host.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::container::HealthConfig;
use crate::lenient::{is_default, map_or_default, or_default, string_or_list};
use crate::value::Empty;

/// The portable half of a container's configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerConfig {
    #[serde(deserialize_with = "or_default")]
    pub hostname: String,
    #[serde(deserialize_with = "or_default")]
    pub domainname: String,
    #[serde(deserialize_with = "or_default")]
    pub user: String,
    #[serde(deserialize_with = "or_default")]
    pub attach_stdin: bool,
    #[serde(deserialize_with = "or_default")]
    pub attach_stdout: bool,
    #[serde(deserialize_with = "or_default")]
    pub attach_stderr: bool,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub exposed_ports: BTreeMap<String, Empty>,
    #[serde(deserialize_with = "or_default")]
    pub tty: bool,
    #[serde(deserialize_with = "or_default")]
    pub open_stdin: bool,
    #[serde(deserialize_with = "or_default")]
    pub stdin_once: bool,
    pub env: Option<Vec<String>>,
    #[serde(deserialize_with = "string_or_list")]
    pub cmd: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<HealthConfig>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub args_escaped: bool,
    #[serde(deserialize_with = "or_default")]
    pub image: String,
    pub volumes: Option<BTreeMap<String, Empty>>,
    #[serde(deserialize_with = "or_default")]
    pub working_dir: String,
    #[serde(deserialize_with = "string_or_list")]
    pub entrypoint: Option<Vec<String>>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub network_disabled: bool,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub mac_address: String,
    pub on_build: Option<Vec<String>>,
    #[serde(deserialize_with = "map_or_default")]
    pub labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<i64>,
    #[serde(
        deserialize_with = "string_or_list",
        skip_serializing_if = "Option::is_none"
    )]
    pub shell: Option<Vec<String>>,
}
