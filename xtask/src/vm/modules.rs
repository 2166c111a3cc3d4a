//! The kernel's modules in a root file system: those that are named, indexed.

use super::kernel::Kernel;
use crate::process::run;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Links the named parts of the kernel's modules into the root and indexes
/// them. What is built into the kernel needs no module.
pub(super) fn add(kernel: &Kernel, names: &[&str], root: &Path) -> Result<()> {
    let to = root.join("lib/modules").join(&kernel.release);
    fs::create_dir_all(&to)?;
    for entry in fs::read_dir(&kernel.modules)?.flatten() {
        if entry.file_type()?.is_file() {
            fs::hard_link(entry.path(), to.join(entry.file_name()))?;
        }
    }
    let builtin = fs::read_to_string(kernel.modules.join("modules.builtin"))
        .context("cannot read what is built into the kernel")?;
    for name in names {
        match find(&kernel.modules.join("kernel"), name) {
            Some(from) => {
                let relative = from.strip_prefix(&kernel.modules)?;
                link(&from, &to.join(relative))?;
            }
            None if is_builtin(&builtin, name) => {}
            None => bail!("{} has no module {name}", kernel.release),
        }
    }
    run(Command::new("depmod")
        .arg("--basedir")
        .arg(root)
        .arg(&kernel.release))
}

/// Whether modules.builtin lists a module or a directory's.
fn is_builtin(list: &str, name: &str) -> bool {
    list.lines()
        .filter_map(|line| line.strip_prefix("kernel/")?.strip_prefix(name))
        .any(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The directory, or the module, which may be compressed.
fn find(modules: &Path, name: &str) -> Option<PathBuf> {
    ["", ".xz", ".zst", ".gz"]
        .iter()
        .map(|suffix| modules.join(format!("{name}{suffix}")))
        .find(|path| path.exists())
}

/// Links a file or the files of a tree.
fn link(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        for entry in fs::read_dir(from)?.flatten() {
            link(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::hard_link(from, to).with_context(|| format!("cannot link {}", to.display()))
}

#[cfg(test)]
mod tests {
    use super::is_builtin;

    #[test]
    fn built_in_by_name_or_by_directory() {
        let list = "kernel/fs/ext4/ext4.ko\nkernel/drivers/block/loop.ko\n";
        for (name, expected) in [
            ("fs/ext4", true),
            ("fs/ext4/ext4.ko", true),
            ("drivers/block/loop.ko", true),
            ("fs/ext", false),
            ("drivers/block/virtio_blk.ko", false),
        ] {
            assert_eq!(is_builtin(list, name), expected, "{name}");
        }
    }
}
