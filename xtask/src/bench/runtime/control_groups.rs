//! The control groups of the containers that are measured.

use crate::process::run;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Where the hierarchies are.
const ROOT: &str = "/sys/fs/cgroup";

/// The group above those of all containers, in every hierarchy.
pub(crate) const PARENT: &str = "/tare-bench";

/// Removes what a run has left. It has no processes: they ended with its
/// process namespace.
pub(crate) fn remove() -> Result<()> {
    let root = Path::new(ROOT);
    remove_below(&root.join(PARENT.trim_start_matches('/')))?;
    for entry in fs::read_dir(root).context("cannot read /sys/fs/cgroup")? {
        let hierarchy = entry?.path();
        // `cpu,cpuacct` and the like have links beside them.
        if hierarchy.is_dir() && !hierarchy.is_symlink() {
            remove_below(&hierarchy.join(PARENT.trim_start_matches('/')))?;
        }
    }
    Ok(())
}

/// Where v2 is mounted beside v1, makes a view without it in this mount
/// namespace, and says so. Unmounting alone would not do: crun makes its
/// directories in the mount point all the same, on a file system that the
/// machine's own mount namespace has as well.
pub(crate) fn hide_unified() -> Result<bool> {
    let root = Path::new(ROOT);
    if !root.join("unified/cgroup.procs").exists() {
        return Ok(false);
    }
    let aside = Path::new("/run/cgroup");
    fs::create_dir(aside).context("cannot make /run/cgroup")?;
    run(Command::new("mount").arg("--rbind").arg(root).arg(aside))?;
    // Not only hidden: what lies below another mount is in mountinfo still.
    run(Command::new("umount").args(["--recursive", ROOT]))?;
    run(Command::new("mount").args(["-t", "tmpfs", "tmpfs", ROOT]))?;
    for entry in fs::read_dir(aside).context("cannot read the control groups")? {
        let entry = entry?;
        let (name, place) = (entry.file_name(), root.join(entry.file_name()));
        if entry.file_type()?.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, &place)
                .with_context(|| format!("cannot make {}", place.display()))?;
        } else if name != "unified" {
            fs::create_dir(&place).with_context(|| format!("cannot make {}", place.display()))?;
            run(Command::new("mount")
                .arg("--bind")
                .arg(entry.path())
                .arg(&place))?;
        }
    }
    run(Command::new("umount").arg("--recursive").arg(aside))?;
    Ok(true)
}

fn remove_below(group: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(group) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_below(&entry.path())?;
        }
    }
    fs::remove_dir(group).with_context(|| format!("cannot remove {}", group.display()))
}
