//! Published ports.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lenient::or_default;

/// Container ports such as `80/tcp`, each with the host addresses it is bound
/// to; `None` (JSON `null`) for a port that is exposed but not published.
pub type PortMap = BTreeMap<String, Option<Vec<PortBinding>>>;

/// A host address and port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PortBinding {
    /// The address to listen at; empty for every one.
    #[serde(deserialize_with = "or_default")]
    pub host_ip: String,
    /// The port, or a range `8000-8010`; empty to have one chosen.
    #[serde(deserialize_with = "or_default")]
    pub host_port: String,
}
