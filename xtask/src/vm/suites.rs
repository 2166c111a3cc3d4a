//! Test programs that need little but a kernel: they run in the machine as they
//! run here.

#[cfg(test)]
mod tests;

use crate::workspace::cargo;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::path::PathBuf;
use std::process::Stdio;

/// Package and name of the integration tests, what they are called inside, and
/// whether they are left out when time counts: they take longer than everything
/// else.
const SUITES: &[(&str, &str, &str, bool)] = &[
    ("tare-runtime", "containers", "runtime", false),
    ("tare-runtime", "conformance", "conformance", true),
    ("tare-shim", "shim", "shim", false),
    ("tare-network", "bridge", "network", true),
];

/// A test program.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) name: &'static str,
    pub(super) executable: PathBuf,
    /// The programs of its package, which it may execute.
    pub(super) programs: Vec<PathBuf>,
}

/// What cargo says about one artifact; its other messages are skipped.
#[derive(Deserialize)]
struct Artifact {
    package_id: String,
    target: Target,
    profile: Profile,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// Builds the workspace as `cargo xtask test` does, so that nothing is built
/// twice, and returns the test programs: all, or those that are quick.
pub(super) fn build(all: bool) -> Result<Vec<Suite>> {
    let mut command = cargo();
    command.args(["build", "--workspace", "--all-targets", "--locked"]);
    let output = command
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .context("cannot execute cargo")?;
    ensure!(output.status.success(), "cargo build: {}", output.status);
    let messages = String::from_utf8_lossy(&output.stdout);
    SUITES
        .iter()
        .filter(|(.., slow)| all || !slow)
        .map(|(package, target, name, _)| {
            let mut found = find(&messages, package, |artifact| {
                artifact.kind == ["test"] && artifact.name == *target
            });
            let executable = found
                .pop()
                .with_context(|| format!("{package} has no tests called {target}"))?;
            let programs = find(&messages, package, |artifact| artifact.kind == ["bin"]);
            Ok(Suite {
                name,
                executable,
                programs,
            })
        })
        .collect()
}

/// The executables of a package whose target is wanted.
fn find(messages: &str, package: &str, wanted: impl Fn(&Target) -> bool) -> Vec<PathBuf> {
    let directory = format!("/crates/{}#", package.trim_start_matches("tare-"));
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok())
        // A program is also built with its own unit tests.
        .filter(|artifact| artifact.target.kind == ["test"] || !artifact.profile.test)
        .filter(|artifact| artifact.package_id.contains(&directory) && wanted(&artifact.target))
        .filter_map(|artifact| artifact.executable)
        .collect()
}
