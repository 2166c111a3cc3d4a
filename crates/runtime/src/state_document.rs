//! The state of a container as hooks and listeners are told (runtime.md,
//! "State").

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

/// Where a container is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// Being made.
    Creating,
    /// Waiting for its start.
    Created,
    /// The program runs.
    Running,
    /// It has ended.
    Stopped,
}

/// A container's state.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StateDocument<'a> {
    oci_version: &'static str,
    id: &'a str,
    status: Status,
    #[serde(skip_serializing_if = "is_zero")]
    pid: i32,
    bundle: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}

impl<'a> StateDocument<'a> {
    pub(crate) fn new(
        id: &'a str,
        status: Status,
        pid: i32,
        bundle: &Path,
        annotations: &'a BTreeMap<String, String>,
    ) -> StateDocument<'a> {
        StateDocument {
            oci_version: tare_oci::runtime::VERSION,
            id,
            status,
            pid,
            bundle: bundle.display().to_string(),
            annotations,
        }
    }
}

/// The state as JSON.
pub(crate) fn encode(
    id: &str,
    status: Status,
    pid: i32,
    bundle: &Path,
    annotations: &BTreeMap<String, String>,
) -> Vec<u8> {
    let document = StateDocument::new(id, status, pid, bundle, annotations);
    serde_json::to_vec(&document).unwrap_or_default()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn is_zero(pid: &i32) -> bool {
    *pid == 0
}
