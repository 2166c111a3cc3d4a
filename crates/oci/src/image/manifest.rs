//! Manifests and indexes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Descriptor, Error};
use crate::media_type;

/// One image: a configuration and layers, the lowest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: i64,
    /// Which family the document is of; the OCI's may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What the artifact is, when it is no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The image configuration.
    pub config: Descriptor,
    /// The layers, the lowest first.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    /// The manifest this one says something about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Free-form notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
}

impl Manifest {
    /// Reads a manifest that was served as `media_type`.
    pub fn parse(bytes: &[u8], media_type: &str) -> Result<Self, Error> {
        const DOCUMENT: &str = "manifest";
        let value = check(bytes, media_type, DOCUMENT, &["manifests", "fsLayers"])?;
        serde_json::from_value(value).map_err(|source| Error::Json {
            document: DOCUMENT,
            source,
        })
    }
}

/// Several manifests under one name, one for each platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: i64,
    /// Which family the document is of; the OCI's may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What the artifact is, when it is no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The manifests.
    #[serde(default)]
    pub manifests: Vec<Descriptor>,
    /// The manifest this one says something about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Free-form notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
}

impl Index {
    /// Reads an index that was served as `media_type`.
    pub fn parse(bytes: &[u8], media_type: &str) -> Result<Self, Error> {
        const DOCUMENT: &str = "index";
        let value = check(
            bytes,
            media_type,
            DOCUMENT,
            &["config", "layers", "fsLayers"],
        )?;
        serde_json::from_value(value).map_err(|source| Error::Json {
            document: DOCUMENT,
            source,
        })
    }
}

/// Parses the JSON and refuses fields that belong to the other kind of
/// document, and a media type inside that is not the one outside.
fn check(
    bytes: &[u8],
    served_as: &str,
    document: &'static str,
    foreign: &[&str],
) -> Result<Value, Error> {
    let value: Value =
        serde_json::from_slice(bytes).map_err(|source| Error::Json { document, source })?;
    if let Some(field) = foreign
        .iter()
        .find(|field| value.get(**field).is_some_and(|value| !value.is_null()))
    {
        return Err(Error::Ambiguous {
            document,
            detail: format!("it has the field {field:?}"),
        });
    }
    if let Some(claimed) = value.get("mediaType").and_then(Value::as_str)
        && !claimed.is_empty()
        && claimed != media_type::essence(served_as)
    {
        return Err(Error::Ambiguous {
            document,
            detail: format!("served as {served_as:?}, but says {claimed:?}"),
        });
    }
    match value.get("schemaVersion").and_then(Value::as_i64) {
        Some(2) => Ok(value),
        version => Err(Error::SchemaVersion {
            document,
            version: version.unwrap_or_default(),
        }),
    }
}
