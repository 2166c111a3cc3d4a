//! `list`: all containers.

use std::fmt::Write;
use std::process::ExitCode;

use super::flags::{Count, Flag, Parsed, Verb};
use super::state::Shown;
use super::{Error, Globals, print};
use crate::{state, user};

pub(super) const VERB: Verb = Verb {
    name: "list",
    arguments: "",
    about: "list the containers",
    flags: &[
        Flag::value("format", "table|json", "how they are listed").short('f'),
        Flag::switch("quiet", "only their IDs").short('q'),
    ],
    count: Count::Exactly(0),
    has_command: false,
    run,
};

fn run(globals: &Globals, parsed: &Parsed) -> Result<ExitCode, Error> {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut containers = Vec::new();
    for (id, owner) in globals.store.ids()? {
        // One that is being made, or was never finished, is none yet; one that
        // is deleted meanwhile is none any more.
        let found = globals
            .store
            .entry(&id)
            .and_then(|entry| entry.read_state().map(|state| (entry, state)));
        let (entry, state) = match found {
            Err(state::Error::Missing) => continue,
            Ok((_, state)) if state.saved.pid == 0 => continue,
            Err(error) => {
                globals.log.warning(&format!("container {id}: {error}"));
                continue;
            }
            Ok(found) => found,
        };
        let owner = user::name(&passwd, owner).unwrap_or_else(|| format!("#{owner}"));
        match Shown::new(&entry, state, owner) {
            Ok(shown) => containers.push(shown),
            Err(error) => globals.log.warning(&format!("container {id}: {error}")),
        }
    }
    if parsed.has("quiet") {
        let ids: String = containers
            .iter()
            .map(|container| format!("{}\n", container.id))
            .collect();
        print(&ids);
        return Ok(ExitCode::SUCCESS);
    }
    match parsed.value("format") {
        None | Some("table") => print(&table(&containers)),
        Some("json") => print(&serde_json::to_string(&containers).unwrap_or_default()),
        Some(_) => return Err(Error::Usage("invalid format option".to_owned())),
    }
    Ok(ExitCode::SUCCESS)
}

/// Columns at least twelve wide, three apart, the last as it is.
fn table(containers: &[Shown]) -> String {
    let mut rows = vec![["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"].map(str::to_owned)];
    rows.extend(containers.iter().map(|container| {
        [
            container.id.clone(),
            container.pid.to_string(),
            container.status.to_owned(),
            container.bundle.clone(),
            container.created.clone(),
            container.owner.clone(),
        ]
    }));
    let width = |column: usize| {
        let longest = rows.iter().map(|row| row[column].chars().count()).max();
        (longest.unwrap_or(0) + 3).max(12)
    };
    let widths: Vec<usize> = (0..5).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "{cell:<width$}");
        }
        let _ = writeln!(text, "{}", row[5]);
    }
    text
}
