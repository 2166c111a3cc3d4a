//! `cargo xtask ci`: what CI does, from a clean clone.

use crate::process::{run as execute, step};
use crate::workspace::{root, target};
use anyhow::{Context, Result, bail};
use std::process::Command;
use std::time::Instant;

/// Clones HEAD into `target/ci` and runs `.ci/run` there with a target
/// directory of its own, so that nothing that is not committed can help.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if !arguments.is_empty() {
        bail!("ci takes no arguments");
    }
    let clone = target().join("ci");
    if clone.exists() {
        std::fs::remove_dir_all(&clone)
            .with_context(|| format!("cannot remove {}", clone.display()))?;
    }
    step(&format!("clone HEAD to {}", clone.display()));
    execute(
        Command::new("git")
            .args(["clone", "--quiet"])
            .arg(root())
            .arg(&clone),
    )?;
    let started = Instant::now();
    let result = execute(
        Command::new(clone.join(".ci/run"))
            .current_dir(&clone)
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("CARGO_MANIFEST_DIR"),
    );
    step(&format!("took {:.0?}", started.elapsed()));
    result
}
