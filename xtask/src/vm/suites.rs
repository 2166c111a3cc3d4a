//! Test programs that need nothing but a kernel and busybox: they run in the
//! machine as they run here.

#[cfg(test)]
mod tests;

use crate::workspace::cargo;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::path::PathBuf;
use std::process::Stdio;

/// Package and name of the integration tests, and what they are called inside.
const SUITES: &[(&str, &str, &str)] = &[("tare-runtime", "containers", "runtime")];

/// A test program.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) name: &'static str,
    pub(super) executable: PathBuf,
}

/// What cargo says about one artifact; its other messages are skipped.
#[derive(Deserialize)]
struct Artifact {
    package_id: String,
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Builds the workspace as `cargo xtask test` does, so that nothing is built
/// twice, and returns the test programs.
pub(super) fn build() -> Result<Vec<Suite>> {
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
        .map(|(package, target, name)| {
            let executable = find(&messages, package, target)
                .with_context(|| format!("{package} has no tests called {target}"))?;
            Ok(Suite { name, executable })
        })
        .collect()
}

fn find(messages: &str, package: &str, target: &str) -> Option<PathBuf> {
    let directory = format!("/crates/{}#", package.trim_start_matches("tare-"));
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok())
        .filter(|artifact| {
            artifact.package_id.contains(&directory)
                && artifact.target.name == target
                && artifact.target.kind == ["test"]
        })
        .find_map(|artifact| artifact.executable)
}
