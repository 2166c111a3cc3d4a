//! Device files, the links of /dev, and the terminal.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, Uid, makedev};
use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};
use tare_oci::runtime::{Device, DeviceType, Linux};

use super::attach;
use super::mounts::Attached;
use super::resolve::{self, Missing};
use crate::failure::{Failure, Step};
use crate::terminal::Terminal;

/// The devices that the specification promises: name, major, minor.
const DEFAULT: [(&str, u32, u32); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];

/// The links that the specification promises.
const LINKS: [(&str, &str); 6] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
    ("core", "/proc/kcore"),
];

/// Makes the promised devices and links and the configured devices.
pub(super) fn make_default(
    attached: &Attached,
    root: BorrowedFd<'_>,
    linux: &Linux,
) -> Result<(), Failure> {
    // A /dev bound from elsewhere is taken as it is, like runc does.
    if attached.dev_is_bind {
        return Ok(());
    }
    let opened;
    let dev = match &attached.dev {
        Some(dev) => dev.as_fd(),
        None => {
            opened = resolve::ensure(root, "/dev", Missing::Directory)
                .map_err(|error| Failure::new(Step::Device, "/dev", error))?
                .0;
            opened.as_fd()
        }
    };
    for (name, major, minor) in DEFAULT {
        make_node(
            dev,
            name,
            FileType::CharacterDevice,
            makedev(major, minor),
            0o666,
            None,
        )
        .map_err(|error| Failure::new(Step::Device, format!("/dev/{name}"), error))?;
    }
    for (name, target) in LINKS {
        // The kernel core only where it could be read at all.
        if name == "core" && !std::path::Path::new(target).exists() {
            continue;
        }
        link(dev, name, target)
            .map_err(|error| Failure::new(Step::Device, format!("/dev/{name}"), error))?;
    }
    for device in &linux.devices {
        make_configured(root, device)
            .map_err(|error| Failure::new(Step::Device, &device.path, error))?;
    }
    Ok(())
}

fn link(directory: BorrowedFd<'_>, name: &str, target: &str) -> Result<(), Errno> {
    match rustix::fs::symlinkat(target, directory, name) {
        Err(Errno::EXIST) if name == "ptmx" => {
            // An image's own ptmx would lead to the host's terminals.
            rustix::fs::unlinkat(directory, name, AtFlags::empty())?;
            rustix::fs::symlinkat(target, directory, name)
        }
        Err(Errno::EXIST) => Ok(()),
        result => result,
    }
}

/// Makes a device file; where the kernel forbids it (a user namespace), the
/// host's own is made visible instead.
fn make_node(
    directory: BorrowedFd<'_>,
    name: &str,
    kind: FileType,
    number: u64,
    mode: u32,
    owner: Option<(u32, u32)>,
) -> Result<(), Errno> {
    match rustix::fs::mknodat(directory, name, kind, Mode::from_raw_mode(mode), number) {
        Ok(()) => {}
        Err(Errno::EXIST) => {
            let place = rustix::fs::openat(
                directory,
                name,
                OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
                Mode::empty(),
            )?;
            let status = resolve::status(place.as_fd())?;
            if FileType::from_raw_mode(status.st_mode) == kind && status.st_rdev == number {
                return Ok(());
            }
            rustix::fs::unlinkat(directory, name, AtFlags::empty())?;
            rustix::fs::mknodat(directory, name, kind, Mode::from_raw_mode(mode), number)?;
        }
        Err(Errno::PERM) => return bind_node(directory, name),
        Err(error) => return Err(error),
    }
    if let Some((user, group)) = owner {
        rustix::fs::chownat(
            directory,
            name,
            Some(Uid::from_raw(user)),
            Some(Gid::from_raw(group)),
            AtFlags::SYMLINK_NOFOLLOW,
        )?;
    }
    Ok(())
}

fn bind_node(directory: BorrowedFd<'_>, name: &str) -> Result<(), Errno> {
    let tree = open_tree(
        CWD,
        format!("/dev/{name}"),
        OpenTreeFlags::OPEN_TREE_CLONE
            | OpenTreeFlags::OPEN_TREE_CLOEXEC
            | OpenTreeFlags::AT_SYMLINK_NOFOLLOW,
    )?;
    let (place, _) = resolve::ensure(directory, name, Missing::File)?;
    attach(tree.as_fd(), place.as_fd())
}

fn make_configured(root: BorrowedFd<'_>, device: &Device) -> Result<(), Errno> {
    let (directory, name) = device.path.rsplit_once('/').ok_or(Errno::INVAL)?;
    if name.is_empty() || matches!(name, "." | "..") {
        return Err(Errno::INVAL);
    }
    let (directory, _) = resolve::ensure(root, directory, Missing::Directory)?;
    let kind = match device.kind {
        DeviceType::Character => FileType::CharacterDevice,
        DeviceType::Block => FileType::BlockDevice,
        DeviceType::Fifo => FileType::Fifo,
    };
    let number = |value: i64| u32::try_from(value).map_err(|_| Errno::INVAL);
    let number = if device.kind == DeviceType::Fifo {
        0
    } else {
        makedev(number(device.major)?, number(device.minor)?)
    };
    make_node(
        directory.as_fd(),
        name,
        kind,
        number,
        device.file_mode.unwrap_or(0o666) & 0o7777,
        Some((device.uid.unwrap_or(0), device.gid.unwrap_or(0))),
    )
}

/// Opens a new terminal in the container's own devpts and makes it visible as
/// /dev/console.
pub(super) fn open_terminal(
    attached: &Attached,
    root: BorrowedFd<'_>,
) -> Result<Terminal, Failure> {
    let failed = |what: &str, error: Errno| Failure::new(Step::Console, what, error);
    let opened: OwnedFd;
    let pts = match &attached.pts {
        Some(pts) => pts.as_fd(),
        None => {
            opened = resolve::open(root, "/dev/pts").map_err(|error| failed("/dev/pts", error))?;
            opened.as_fd()
        }
    };
    let terminal = Terminal::open(pts).map_err(|error| failed("/dev/pts/ptmx", error))?;
    let bind_console = || -> Result<(), Errno> {
        let place = match &attached.dev {
            Some(dev) => {
                let file = rustix::fs::openat(
                    dev,
                    c"console",
                    OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC,
                    Mode::from_raw_mode(0o600),
                )?;
                drop(file);
                resolve::open_without_links(dev.as_fd(), "console")?
            }
            None => resolve::ensure(root, "/dev/console", Missing::File)?.0,
        };
        let tree = open_tree(
            &terminal.slave,
            c"",
            OpenTreeFlags::OPEN_TREE_CLONE
                | OpenTreeFlags::OPEN_TREE_CLOEXEC
                | OpenTreeFlags::from_bits_retain(0x1000), // AT_EMPTY_PATH
        )?;
        attach(tree.as_fd(), place.as_fd())
    };
    bind_console().map_err(|error| failed("/dev/console", error))?;
    Ok(terminal)
}
