//! Health checks: how one is configured and what it found.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use serde::{Deserialize, Serialize};

use crate::lenient::{is_default, or_default};

/// How to find out whether a container works; durations in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthConfig {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub test: Vec<String>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub interval: i64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub timeout: i64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub start_period: i64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub start_interval: i64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub retries: i64,
}

/// What the health checks have found so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Health {
    #[serde(deserialize_with = "or_default")]
    pub status: String,
    #[serde(deserialize_with = "or_default")]
    pub failing_streak: i64,
    pub log: Option<Vec<HealthcheckResult>>,
}

/// One run of a health check.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthcheckResult {
    #[serde(deserialize_with = "or_default")]
    pub start: String,
    #[serde(deserialize_with = "or_default")]
    pub end: String,
    #[serde(deserialize_with = "or_default")]
    pub exit_code: i64,
    #[serde(deserialize_with = "or_default")]
    pub output: String,
}
