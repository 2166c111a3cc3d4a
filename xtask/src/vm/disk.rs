//! The machine's disk, an ext4 file system as hosts have it, and the initramfs
//! that mounts it.

use super::guest::{ORDER, Order};
use super::kernel::Kernel;
use super::programs::{add_own, copy, write};
use super::suites::Suite;
use super::userland::{self, Userland};
use super::{directory, modules};
use crate::process::{output, run};
use crate::workspace::executable;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The first process of the initramfs.
const INITRAMFS_INIT: &str = include_str!("initramfs.sh");
/// Sparse: it takes the space of what is written to it.
const SIZE: &str = "4G";

/// Modules that the initramfs needs to find the disk.
const EARLY_MODULES: &[&str] = &["drivers/virtio", "drivers/block/virtio_blk.ko"];
/// Modules that a container host may ask for. None is loaded beforehand: the
/// engine has to get by with what the kernel loads by itself, as elsewhere.
const MODULES: &[&str] = &[
    "arch",
    "crypto",
    "drivers/block/loop.ko",
    "drivers/block/virtio_blk.ko",
    "drivers/net/dummy.ko",
    "drivers/net/veth.ko",
    "drivers/virtio",
    "fs/fuse",
    "fs/overlayfs",
    "lib",
    "net",
];

/// Where the disk is.
pub(super) fn disk() -> PathBuf {
    directory().join("disk.img")
}

/// Where the initramfs is.
pub(super) fn initramfs() -> PathBuf {
    directory().join("initramfs.cpio")
}

/// Makes both, with everything that the order needs.
pub(super) fn make(
    kernel: &Kernel,
    userland: Userland,
    images: &[(&str, PathBuf)],
    suites: &[Suite],
    order: &Order,
) -> Result<()> {
    make_initramfs(kernel).context("cannot make the initramfs")?;
    let root = empty("root")?;
    userland.make(&root)?;
    modules::add(kernel, MODULES, &root)?;
    let built = executable("debug");
    add_own(&built, &root.join("bin/tare"))?;
    add_own(&built.with_file_name("xtask"), &root.join("bin/xtask"))?;
    for (name, archive) in images {
        copy(archive, &root.join(format!("images/{name}.tar")))?;
    }
    for suite in suites {
        add_own(&suite.executable, &root.join("suites").join(suite.name))?;
        // Tests know their package's programs by the paths they have here.
        for program in &suite.programs {
            let to = root.join(program.strip_prefix("/")?);
            if !to.exists() {
                add_own(program, &to)?;
            }
        }
    }
    let order = serde_json::to_string(order)?;
    write(&root.join(ORDER.trim_start_matches('/')), &order, 0o644)?;
    let disk = disk();
    if disk.exists() {
        fs::remove_file(&disk).context("cannot remove the last machine's disk")?;
    }
    output(
        Command::new("mkfs.ext4")
            .args(["-q", "-F", "-E", "nodiscard", "-d"])
            .arg(&root)
            .arg(&disk)
            .arg(SIZE),
    )?;
    Ok(())
}

fn make_initramfs(kernel: &Kernel) -> Result<()> {
    let root = empty("initramfs")?;
    userland::busybox(&root)?;
    modules::add(kernel, EARLY_MODULES, &root)?;
    write(&root.join("init"), INITRAMFS_INIT, 0o755)?;
    run(Command::new("sh").current_dir(&root).args([
        "-c",
        "find . | cpio --quiet --create --format=newc --owner=0:0 > \"$0\"",
        &initramfs().to_string_lossy(),
    ]))
}

/// A new directory.
fn empty(name: &str) -> Result<PathBuf> {
    let root = directory().join(name);
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| format!("cannot remove {}", root.display()))?;
    }
    fs::create_dir_all(&root).with_context(|| format!("cannot make {}", root.display()))?;
    Ok(root)
}
