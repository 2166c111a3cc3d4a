//! Events.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lenient::{is_default, map_or_default, object_or_default, or_default};

/// One event of `GET /events`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EventMessage {
    #[serde(
        rename = "status",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub status: String,
    #[serde(
        rename = "id",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub id: String,
    #[serde(
        rename = "from",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub from: String,
    #[serde(rename = "Type", deserialize_with = "or_default")]
    pub kind: String,
    #[serde(deserialize_with = "or_default")]
    pub action: String,
    #[serde(deserialize_with = "object_or_default")]
    pub actor: EventActor,
    #[serde(
        rename = "scope",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub scope: String,
    #[serde(
        rename = "time",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub time: i64,
    #[serde(
        rename = "timeNano",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub time_nano: i64,
}

/// What it happened to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EventActor {
    #[serde(rename = "ID", deserialize_with = "or_default")]
    pub id: String,
    #[serde(deserialize_with = "map_or_default")]
    pub attributes: BTreeMap<String, String>,
}
