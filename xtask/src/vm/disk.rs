//! The machine's disk, an ext4 file system as hosts have it, and the initramfs
//! that mounts it.

use super::directory;
use super::guest::{ORDER, Order};
use super::kernel::Kernel;
use super::programs::{add_own, add_packaged, copy};
use super::suites::Suite;
use crate::process::{output, run};
use crate::workspace::executable;
use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The static multi-call program that is all of the machine's userland.
const BUSYBOX: &str = "/bin/busybox";
/// The first process of the initramfs and of the disk.
const INITRAMFS_INIT: &str = include_str!("initramfs.sh");
const DISK_INIT: &str = include_str!("init.sh");
/// The programs of packages that the tests use, and the one that the kernel
/// executes to load modules: busybox's does not wait for one that is already
/// being loaded.
const PACKAGED: &[(&str, &str)] = &[
    ("ip", "/bin/ip"),
    ("iptables", "/usr/sbin/iptables-nft"),
    ("modprobe", "/sbin/modprobe"),
    ("nft", "/usr/sbin/nft"),
];
/// What iptables loads for matches and targets.
const EXTENSIONS: &str = "/usr/lib/x86_64-linux-gnu/xtables";
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
    images: &[(&str, PathBuf)],
    suites: &[Suite],
    order: &Order,
) -> Result<()> {
    make_initramfs(kernel).context("cannot make the initramfs")?;
    let root = skeleton("root")?;
    add_modules(kernel, MODULES, &root)?;
    write_executable(&root.join("sbin/init"), DISK_INIT)?;
    for (path, text) in [
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
        ("etc/group", "root:x:0:\n"),
        ("etc/hostname", "stock\n"),
        ("etc/hosts", "127.0.0.1 localhost\n"),
        ("etc/resolv.conf", "nameserver 192.0.2.1\n"),
    ] {
        fs::write(root.join(path), text)?;
    }
    let built = executable("debug");
    add_own(&built, &root.join("bin/tare"))?;
    add_own(&built.with_file_name("xtask"), &root.join("bin/xtask"))?;
    for (name, program) in PACKAGED {
        add_packaged(Path::new(program), &root.join("bin").join(name), &root)?;
    }
    for entry in fs::read_dir(EXTENSIONS)?.flatten() {
        let path = entry.path();
        copy(&path, &root.join(path.strip_prefix("/")?))?;
    }
    for (name, archive) in images {
        copy(archive, &root.join(format!("images/{name}.tar")))?;
    }
    for suite in suites {
        add_own(&suite.executable, &root.join("suites").join(suite.name))?;
        // Tests know their package's programs by the paths they have here.
        for program in &suite.programs {
            add_own(program, &root.join(program.strip_prefix("/")?))?;
        }
    }
    fs::write(
        root.join(ORDER.trim_start_matches('/')),
        serde_json::to_vec(order)?,
    )?;
    let disk = disk();
    remove_file(&disk)?;
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
    let root = skeleton("initramfs")?;
    add_modules(kernel, EARLY_MODULES, &root)?;
    write_executable(&root.join("init"), INITRAMFS_INIT)?;
    run(Command::new("sh").current_dir(&root).args([
        "-c",
        "find . | cpio --quiet --create --format=newc --owner=0:0 > \"$0\"",
        &initramfs().to_string_lossy(),
    ]))
}

/// A new directory with busybox and the directories that programs expect.
fn skeleton(name: &str) -> Result<PathBuf> {
    let root = directory().join(name);
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| format!("cannot remove {}", root.display()))?;
    }
    for directory in [
        "bin", "dev", "etc", "images", "lib", "proc", "root", "run", "suites", "sys", "tmp",
        "var/lib",
    ] {
        fs::create_dir_all(root.join(directory))?;
    }
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    // The kernel executes /sbin/modprobe.
    symlink("bin", root.join("sbin"))?;
    copy(Path::new(BUSYBOX), &root.join("bin/busybox"))?;
    let applets = output(Command::new(BUSYBOX).arg("--list"))?;
    for applet in applets.lines().filter(|name| *name != "busybox") {
        // /sbin is /bin: a name may come twice.
        let link = root.join("bin").join(applet);
        if !link.is_symlink() {
            symlink("busybox", link)?;
        }
    }
    Ok(root)
}

/// Links the named parts of the kernel's modules into the root and indexes
/// them.
fn add_modules(kernel: &Kernel, names: &[&str], root: &Path) -> Result<()> {
    let to = root.join("lib/modules").join(&kernel.release);
    fs::create_dir_all(&to)?;
    for entry in fs::read_dir(&kernel.modules)?.flatten() {
        if entry.file_type()?.is_file() {
            fs::hard_link(entry.path(), to.join(entry.file_name()))?;
        }
    }
    for name in names {
        let from = find(&kernel.modules.join("kernel"), name)
            .with_context(|| format!("{} has no module {name}", kernel.release))?;
        let relative = from.strip_prefix(&kernel.modules)?;
        link(&from, &to.join(relative))?;
    }
    run(Command::new("depmod")
        .arg("--basedir")
        .arg(root)
        .arg(&kernel.release))
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

fn write_executable(path: &Path, text: &str) -> Result<()> {
    // What is at the path may be a link into busybox.
    remove_file(path)?;
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
