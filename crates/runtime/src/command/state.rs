//! `state`: what is known of a container, as the specification has it, and a
//! little more, as runc has it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::flags::{Count, Parsed, Verb};
use super::{Error, Globals, print};
use crate::state::{Entry, State, Status};

pub(super) const VERB: Verb = Verb {
    name: "state",
    arguments: "<container-id>",
    about: "print the state of a container",
    flags: &[],
    count: Count::Exactly(1),
    has_command: false,
    run,
};

/// A container as `state` and `list` show it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    oci_version: &'static str,
    pub(super) id: String,
    /// 0 when there is none.
    pub(super) pid: i32,
    pub(super) status: &'static str,
    pub(super) bundle: String,
    rootfs: String,
    pub(super) created: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    pub(super) owner: String,
}

impl Shown {
    pub(super) fn new(entry: &Entry, state: State, owner: String) -> Result<Shown, Error> {
        let status = entry.status(&state)?;
        let text = |path: &Path| path.display().to_string();
        Ok(Shown {
            oci_version: tare_oci::runtime::VERSION,
            pid: match status {
                Status::Stopped => 0,
                _ => state.saved.pid,
            },
            status: status.as_str(),
            bundle: text(&state.saved.bundle),
            rootfs: text(&state.rootfs),
            id: state.saved.id,
            created: state.created,
            annotations: state.saved.annotations,
            owner,
        })
    }
}

fn run(globals: &Globals, parsed: &Parsed) -> Result<ExitCode, Error> {
    let entry = globals.store.entry(parsed.id())?;
    let state = entry.read_state()?;
    let shown = Shown::new(&entry, state, String::new())?;
    print(&serde_json::to_string_pretty(&shown).unwrap_or_default());
    Ok(ExitCode::SUCCESS)
}
