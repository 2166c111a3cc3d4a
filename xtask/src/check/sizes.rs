//! No source file grows past the size where it holds more than one idea.

#[cfg(test)]
mod tests;

use anyhow::{Context, Result};
use std::path::Path;

/// Above this many lines a file is a defect.
const LIMIT: usize = 800;

/// Files that are tables or generated, by their path in the repository.
const TABLES: &[&str] = &[];

/// One line for every Rust file of the repository above the limit.
pub(crate) fn findings(root: &Path) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for directory in ["crates", "xtask", "tests", "fuzz", "examples"] {
        walk(root, &root.join(directory), &mut findings)?;
    }
    findings.sort();
    Ok(findings)
}

fn walk(root: &Path, directory: &Path, findings: &mut Vec<String>) -> Result<()> {
    if !directory.is_dir() {
        return Ok(());
    }
    let entries = std::fs::read_dir(directory)
        .with_context(|| format!("cannot read {}", directory.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
        if path.is_dir() {
            if !name.ends_with("/target") {
                walk(root, &path, findings)?;
            }
        } else if name.ends_with(".rs") && !TABLES.contains(&name.as_ref()) {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let lines = text.lines().count();
            if lines > LIMIT {
                findings.push(format!(
                    "sizes: {name} has {lines} lines (limit {LIMIT}): split it by idea"
                ));
            }
        }
    }
    Ok(())
}
