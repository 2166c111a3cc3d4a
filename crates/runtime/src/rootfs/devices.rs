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
        let node = Node {
            name,
            host: format!("/dev/{name}"),
            kind: FileType::CharacterDevice,
            number: makedev(major, minor),
            mode: 0o666,
            owner: (0, 0),
            replaces: true,
        };
        make_node(dev, &node)
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
        // Docker and Podman list the host's when they give a container every
        // device; here it is the link to the container's own, as with runc.
        if is_ptmx(&device.path) {
            continue;
        }
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

/// A device file to make.
struct Node<'a> {
    name: &'a str,
    /// Where the host has the same device.
    host: String,
    kind: FileType,
    number: u64,
    mode: u32,
    owner: (u32, u32),
    /// Whether it takes the place of whatever has its name.
    replaces: bool,
}

/// Makes a device file; where the kernel forbids it (a user namespace), the
/// host's own is made visible instead.
fn make_node(directory: BorrowedFd<'_>, node: &Node<'_>) -> Result<(), Errno> {
    let make = || {
        rustix::fs::mknodat(
            directory,
            node.name,
            node.kind,
            Mode::from_raw_mode(node.mode),
            node.number,
        )
    };
    match make() {
        Ok(()) => {}
        Err(Errno::EXIST) => {
            let place = open_itself(directory, node.name)?;
            if node.is(place.as_fd())? {
                return Ok(());
            }
            // What was asked for by name must not take the place of something
            // else (config-linux.md, "Devices").
            if !node.replaces {
                return Err(Errno::EXIST);
            }
            rustix::fs::unlinkat(directory, node.name, AtFlags::empty())?;
            match make() {
                Err(Errno::PERM) => return bind_node(directory, node),
                result => result?,
            }
        }
        Err(Errno::PERM) => return bind_node(directory, node),
        Err(error) => return Err(error),
    }
    if node.owner == (0, 0) {
        return Ok(());
    }
    // Whoever shares the directory may have put something else there.
    let made = open_itself(directory, node.name)?;
    if !node.is(made.as_fd())? {
        return Err(Errno::STALE);
    }
    rustix::fs::chownat(
        made,
        c"",
        Some(Uid::from_raw(node.owner.0)),
        Some(Gid::from_raw(node.owner.1)),
        AtFlags::EMPTY_PATH,
    )
}

impl Node<'_> {
    /// Whether that device is behind a descriptor.
    fn is(&self, fd: BorrowedFd<'_>) -> Result<bool, Errno> {
        let status = resolve::status(fd)?;
        let same_kind = FileType::from_raw_mode(status.st_mode) == self.kind;
        Ok(same_kind && (self.kind == FileType::Fifo || status.st_rdev == self.number))
    }
}

/// Opens a file in a directory, links included, as a place.
fn open_itself(directory: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(directory, name, flags, Mode::empty())
}

fn bind_node(directory: BorrowedFd<'_>, node: &Node<'_>) -> Result<(), Errno> {
    let tree = open_tree(
        CWD,
        node.host.as_str(),
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC,
    )?;
    if !node.is(tree.as_fd())? {
        return Err(Errno::NXIO);
    }
    let place = file_to_cover(directory, node.name)?;
    attach(tree.as_fd(), place.as_fd())
}

/// Opens a file in a directory as a place to mount on, making it when there is
/// none. A link is none: it would lead the mount elsewhere.
fn file_to_cover(directory: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    let made = rustix::fs::openat(
        directory,
        name,
        OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC,
        Mode::from_raw_mode(0o600),
    );
    match made {
        Ok(_) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error),
    }
    let place = open_itself(directory, name)?;
    match FileType::from_raw_mode(resolve::status(place.as_fd())?.st_mode) {
        FileType::Symlink => Err(Errno::LOOP),
        FileType::Directory => Err(Errno::ISDIR),
        _ => Ok(place),
    }
}

fn is_ptmx(path: &str) -> bool {
    path.split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .eq(["dev", "ptmx"])
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
    let node = Node {
        name,
        host: device.path.clone(),
        kind,
        number,
        mode: device.file_mode.unwrap_or(0o666) & 0o7777,
        owner: (device.uid.unwrap_or(0), device.gid.unwrap_or(0)),
        replaces: false,
    };
    make_node(directory.as_fd(), &node)
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
        // In place of a link an image could have the terminal cover what it
        // likes (CVE-2025-52565, CVE-2026-88264).
        let place = match &attached.dev {
            Some(dev) => file_to_cover(dev.as_fd(), "console")?,
            None => {
                let (dev, _) = resolve::ensure(root, "/dev", Missing::Directory)?;
                file_to_cover(dev.as_fd(), "console")?
            }
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
