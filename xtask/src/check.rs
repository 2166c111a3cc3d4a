//! The checks that need no kernel: format, layering, sizes, licences, clippy.

mod layering;
mod licences;
mod sizes;

use crate::metadata::Metadata;
use crate::process::{run as execute, step};
use crate::workspace::{cargo, root};
use anyhow::{Result, bail};

/// Runs every check; all findings of the quick ones are printed before the
/// first failure ends the run.
pub(crate) fn run() -> Result<()> {
    step("layering, file sizes, licences");
    let metadata = Metadata::read()?;
    let mut findings = layering::findings(&metadata);
    findings.extend(sizes::findings(&root())?);
    let policy = licences::Policy::parse(&std::fs::read_to_string(root().join("deny.toml"))?)?;
    findings.extend(policy.findings(&metadata));
    for finding in &findings {
        eprintln!("error: {finding}");
    }
    if !findings.is_empty() {
        bail!("{} findings", findings.len());
    }

    step("format");
    execute(cargo().args(["fmt", "--all", "--check"]))?;

    step("clippy");
    execute(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-Dwarnings",
    ]))
}
