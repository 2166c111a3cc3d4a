//! What the machine says about itself: a line each, on its second serial line,
//! between whatever else is printed there.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

/// What a line begins with that is a report.
const MARK: &str = "tare-vm: ";

/// One report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Report {
    /// The machine is up.
    Booted,
    /// A check was done.
    Check {
        /// Its name.
        name: String,
        /// How long it took, in seconds.
        seconds: f64,
        /// What was found wrong; absent when it passed.
        failure: Option<String>,
    },
    /// The order is done, with the command's exit code (0 for checks).
    Done {
        /// The exit code.
        code: i32,
    },
}

impl Report {
    /// The line, with its end.
    pub(super) fn line(&self) -> String {
        // None of the variants holds anything that JSON cannot.
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("{MARK}{json}\n")
    }

    /// Takes the report out of a line; text before it belongs to somebody else
    /// who did not end his line.
    pub(super) fn parse(line: &str) -> Option<(&str, Self)> {
        let (before, json) = line.split_once(MARK)?;
        Some((before, serde_json::from_str(json.trim_end()).ok()?))
    }
}
