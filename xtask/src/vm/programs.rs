//! Programs of this host on the machine's disk.

use crate::process::{output, run};
use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

#[cfg(test)]
mod tests;

/// Copies a static executable of ours without its symbols, which are most of
/// it.
pub(super) fn add_own(from: &Path, to: &Path) -> Result<()> {
    make_parent(to)?;
    run(Command::new("strip").arg("-o").arg(to).arg(from))
}

/// Copies a program of a package, and the libraries it is linked with to where
/// they are here.
pub(super) fn add_packaged(program: &Path, to: &Path, root: &Path) -> Result<()> {
    if to.is_symlink() {
        // One of busybox's names.
        fs::remove_file(to).with_context(|| format!("cannot remove {}", to.display()))?;
    }
    copy(program, to)?;
    for library in libraries(&output(Command::new("ldd").arg(program))?) {
        let to = root.join(library.strip_prefix("/")?);
        if !to.exists() {
            copy(&library, &to)?;
        }
    }
    Ok(())
}

/// Copies a file, what a link points to instead of the link.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    make_parent(to)?;
    fs::copy(from, to)
        .map(drop)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}

/// The paths in what ldd prints; the kernel's own library has none.
fn libraries(text: &str) -> Vec<PathBuf> {
    text.lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
        .map(PathBuf::from)
        .collect()
}

/// Writes a file of this mode.
pub(super) fn write(path: &Path, text: &str, mode: u32) -> Result<()> {
    make_parent(path)?;
    // What is there may be a link, to busybox or to a file that is not ours.
    if path.is_symlink() {
        fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    fs::write(path, text)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn make_parent(path: &Path) -> Result<()> {
    let parent = path.parent().context("a path without a directory")?;
    fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))
}
