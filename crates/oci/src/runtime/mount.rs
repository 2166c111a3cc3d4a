//! `mounts`: one file system or directory made visible in the container.

use serde::{Deserialize, Serialize};

use super::IdMapping;

/// A mount.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mount {
    /// Path in the container, absolute.
    pub destination: String,
    /// File system type; `bind` or absent for a bind mount.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Path on the host for a bind mount, else a device or a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Options as of mount(8) and the file system's own.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub options: Vec<String>,
    /// User ID mappings of this mount alone.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub uid_mappings: Vec<IdMapping>,
    /// Group ID mappings of this mount alone.
    #[serde(
        default,
        deserialize_with = "super::null::is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub gid_mappings: Vec<IdMapping>,
}
