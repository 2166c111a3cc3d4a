//! The state of a container as hooks and listeners are told (runtime.md,
//! "State").

use std::collections::BTreeMap;
use std::path::Path;

use tare_oci::runtime::State;

pub(crate) use tare_oci::runtime::Status;

/// A container's state.
pub(crate) fn document(
    id: &str,
    status: Status,
    pid: i32,
    bundle: &Path,
    annotations: &BTreeMap<String, String>,
) -> State {
    State {
        version: tare_oci::runtime::VERSION.to_owned(),
        id: id.to_owned(),
        status,
        pid,
        bundle: bundle.display().to_string(),
        annotations: annotations.clone(),
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
    serde_json::to_vec(&document(id, status, pid, bundle, annotations)).unwrap_or_default()
}
