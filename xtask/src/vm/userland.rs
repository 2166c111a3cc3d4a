//! What the machine runs besides the engine: busybox and a script as its first
//! process, or Debian with systemd.
//!
//! Owns `target/vm/debian.tar`, made once by mmdebstrap, and `debian.key`, what
//! it was made of.

use super::directory;
use super::programs::{add_packaged, copy, write};
use crate::process::{output, run, step};
use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// The static multi-call program that is all of the small machine's userland.
const BUSYBOX: &str = "/bin/busybox";
/// The small machine's first process.
const INIT: &str = include_str!("init.sh");
/// What is done when either machine is up.
const SESSION: &str = include_str!("session.sh");
/// How systemd is told to do it.
const UNIT: &str = include_str!("session.service");
/// Where the session's script is.
const SESSION_PATH: &str = "bin/session";
/// The programs of packages that the tests use, and the one that the kernel
/// executes to load modules: busybox's does not wait for one that is already
/// being loaded.
const PACKAGED: &[(&str, &str)] = &[
    ("chrt", "/usr/bin/chrt"),
    ("ip", "/bin/ip"),
    ("iptables", "/usr/sbin/iptables-nft"),
    ("modprobe", "/sbin/modprobe"),
    ("nft", "/usr/sbin/nft"),
];
/// What iptables loads for matches and targets.
const EXTENSIONS: &str = "/usr/lib/x86_64-linux-gnu/xtables";

/// The release that the larger machine is.
const RELEASE: &str = "bookworm";
/// What is in it beyond what every Debian has. There is no udev: the kernel
/// makes all devices that the machine has.
const PACKAGES: &str = "busybox-static,dbus,iproute2,iptables,kmod,nftables,runc,systemd-sysv";
/// Directories below /usr/share that nothing in the machine reads.
const EXCLUDED: &[&str] = &["doc", "info", "locale", "man", "zoneinfo"];
/// Units that wait for devices nobody announces, or that do nothing here.
const MASKED: &[&str] = &[
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "dev-hugepages.mount",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty.target",
    "systemd-logind.service",
    "systemd-tmpfiles-clean.timer",
    "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service",
];

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Userland {
    /// Quick to make and to boot.
    Busybox,
    /// As hosts have it: systemd over D-Bus, Debian's own programs.
    Debian,
}

impl Userland {
    /// Makes the root file system in an empty directory; nothing of ours is in
    /// it but what starts the session.
    pub(super) fn make(self, root: &Path) -> Result<()> {
        match self {
            Userland::Busybox => {
                busybox(root)?;
                write(&root.join("sbin/init"), INIT, 0o755)?;
                for (name, program) in PACKAGED {
                    add_packaged(Path::new(program), &root.join("bin").join(name), root)?;
                }
                for entry in fs::read_dir(EXTENSIONS)?.flatten() {
                    let path = entry.path();
                    copy(&path, &root.join(path.strip_prefix("/")?))?;
                }
                for (path, text) in [
                    ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
                    ("etc/group", "root:x:0:\n"),
                ] {
                    write(&root.join(path), text, 0o644)?;
                }
            }
            Userland::Debian => {
                let archive = debian()?;
                run(Command::new("tar")
                    .arg("--directory")
                    .arg(root)
                    .arg("--extract")
                    .arg("--file")
                    .arg(archive))?;
                write(
                    &root.join("etc/systemd/system/session.service"),
                    UNIT,
                    0o644,
                )?;
            }
        }
        write(&root.join(SESSION_PATH), SESSION, 0o755)?;
        for (path, text) in [
            ("etc/hostname", "stock\n"),
            ("etc/hosts", "127.0.0.1 localhost\n"),
            ("etc/resolv.conf", "nameserver 192.0.2.1\n"),
        ] {
            write(&root.join(path), text, 0o644)?;
        }
        Ok(())
    }

    /// What the kernel's command line has for it.
    pub(super) fn parameters(self) -> &'static str {
        match self {
            Userland::Busybox => "",
            Userland::Debian => "systemd.unit=session.service systemd.show_status=false",
        }
    }
}

impl std::fmt::Display for Userland {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Userland::Busybox => "busybox",
            Userland::Debian => "systemd",
        })
    }
}

/// Busybox under all its names, and the directories that programs expect.
pub(super) fn busybox(root: &Path) -> Result<()> {
    for directory in [
        "bin", "dev", "etc", "lib", "proc", "root", "run", "sys", "tmp", "var/lib",
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
    Ok(())
}

/// Debian's root file system, made unless it is there.
fn debian() -> Result<std::path::PathBuf> {
    let archive = directory().join("debian.tar");
    let recorded = directory().join("debian.key");
    let mut command = Command::new("mmdebstrap");
    command
        .env("SOURCE_DATE_EPOCH", "0")
        .args(["--quiet", "--variant=essential", "--format=tar"])
        .arg("--aptopt=APT::Install-Recommends \"false\"")
        .arg(format!("--include={PACKAGES}"));
    for directory in EXCLUDED {
        command.arg(format!("--dpkgopt=path-exclude=/usr/share/{directory}/*"));
    }
    for unit in MASKED {
        command.arg(format!(
            "--customize-hook=ln -sf /dev/null \"$1\"/etc/systemd/system/{unit}"
        ));
    }
    command
        .arg("--customize-hook=rm -rf \"$1\"/var/lib/apt/lists/* \"$1\"/var/cache/*")
        .arg(RELEASE);
    let key = format!("{command:?}");
    if archive.exists() && fs::read_to_string(&recorded).is_ok_and(|made| made == key) {
        return Ok(archive);
    }
    step(&format!("Debian {RELEASE} with systemd"));
    let unfinished = directory().join("debian.unfinished.tar");
    run(command.arg(&unfinished))?;
    fs::rename(&unfinished, &archive).context("cannot rename Debian's root")?;
    fs::write(recorded, key).context("cannot record what Debian's root was made of")?;
    Ok(archive)
}
