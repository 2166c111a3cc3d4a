//! Attaching the root and going there.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::UnmountFlags;
use tare_oci::runtime::RootfsPropagation;
use tare_sys::mount::{Attributes, set_attributes};

use super::{attach, propagation};
use crate::failure::{Failure, Step};

/// Attaches the root to a directory of its own making. With a mount namespace
/// of its own only that sees it.
pub(super) fn attach_root(
    mount: BorrowedFd<'_>,
    place: &Path,
    rootfs_propagation: Option<RootfsPropagation>,
    own_mount_namespace: bool,
) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::new(Step::Root, place.display().to_string(), error);
    let directory = rustix::fs::open(
        place,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|error| failed(error.into()))?;
    let kind = propagation::of_new_root(rootfs_propagation);
    set_attributes(mount, c"", true, kind).map_err(failed)?;
    attach(mount, directory.as_fd()).map_err(|error| failed(error.into()))?;
    if !own_mount_namespace {
        // What is attached to a shared mount is shared, and so would be all
        // that is mounted in it.
        set_attributes(mount, c"", true, kind).map_err(failed)?;
    }
    Ok(())
}

/// Makes the mount that holds `path` private: attaching something to a shared
/// one would show it on the host, and pivot_root refuses it.
pub(super) fn make_parent_private(path: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::new(Step::Root, path.display().to_string(), error);
    let path = path.canonicalize().map_err(failed)?;
    let private = Attributes {
        propagation: Attributes::PRIVATE,
        ..Attributes::default()
    };
    for directory in path.ancestors() {
        let name = std::ffi::CString::new(directory.as_os_str().as_encoded_bytes())
            .map_err(|error| failed(error.into()))?;
        // Only the root of a mount takes a propagation type.
        match set_attributes(CWD, &name, false, private) {
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {}
            result => return result.map_err(failed),
        }
    }
    Ok(())
}

/// Makes the root that of the mount namespace.
pub(super) fn pivot(root: BorrowedFd<'_>, shared: bool) -> Result<(), Failure> {
    tare_sys::mount::pivot_root(root, shared)
        .map_err(|error| Failure::new(Step::Pivot, "changing the root", error))
}

/// Makes the root that of the process alone.
pub(crate) fn change_root(root: BorrowedFd<'_>) -> Result<(), Failure> {
    let change = || {
        rustix::process::fchdir(root)?;
        rustix::process::chroot(c".")?;
        rustix::process::chdir(c"/")
    };
    change().map_err(|error| Failure::new(Step::Pivot, "changing the root", error))
}

/// The working directory must be inside: anything else means a way out.
pub(super) fn verify() -> Result<(), Failure> {
    let here = rustix::process::getcwd(Vec::new())
        .map_err(|error| Failure::new(Step::Pivot, "verifying the root", error))?;
    if here.as_bytes() == b"/" {
        Ok(())
    } else {
        Err(Failure::sentence(
            Step::Pivot,
            "the working directory is not the new root",
        ))
    }
}

/// Takes the root off again, with all that is mounted in it, while the host's
/// /proc is still there.
pub(super) fn unmount(root: BorrowedFd<'_>) {
    // The first error is the one to report.
    let _ = rustix::mount::unmount(
        format!("/proc/self/fd/{}", root.as_raw_fd()),
        UnmountFlags::DETACH,
    );
}

/// Takes off what a container without a mount namespace of its own has mounted
/// at the place of its root. Does nothing when that is not there.
pub(crate) fn unmount_host(place: &Path) -> Result<(), String> {
    let unmount = || {
        let place = match place.canonicalize() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            result => result?,
        };
        let mounts = std::fs::read_to_string("/proc/self/mountinfo")?;
        if !is_own(&mounts, &place.to_string_lossy()) {
            return Ok(());
        }
        let flags = UnmountFlags::DETACH | UnmountFlags::NOFOLLOW;
        rustix::mount::unmount(&place, flags).map_err(std::io::Error::from)
    };
    unmount().map_err(|error| format!("unmounting {}: {error}", place.display()))
}

/// Whether the topmost mount at a place is one of ours: the place mounted on
/// itself, or an overlay on the directory that takes its changes. Somebody
/// else's mount there, that the root was taken from, is not.
fn is_own(mountinfo: &str, place: &str) -> bool {
    let mounts: Vec<Line<'_>> = mountinfo.lines().filter_map(Line::parse).collect();
    let Some(top) = mounts.iter().rev().find(|mount| mount.point == place) else {
        return false;
    };
    let Some(below) = mounts.iter().find(|mount| mount.id == top.parent) else {
        return false;
    };
    let Some(rest) = place.strip_prefix(below.point.trim_end_matches('/')) else {
        return false;
    };
    let same = format!("{}{rest}", below.root.trim_end_matches('/'));
    let itself =
        top.device == below.device && top.root.trim_end_matches('/') == same.trim_end_matches('/');
    itself || top.kind == "overlay" && top.super_options.contains(&format!("upperdir={place}"))
}

/// A line of mountinfo (proc_pid_mountinfo(5)).
struct Line<'a> {
    id: &'a str,
    parent: &'a str,
    device: &'a str,
    root: String,
    point: String,
    kind: &'a str,
    super_options: String,
}

impl Line<'_> {
    fn parse(line: &str) -> Option<Line<'_>> {
        let (first, last) = line.split_once(" - ")?;
        let mut first = first.split(' ');
        let mut last = last.split(' ');
        Some(Line {
            id: first.next()?,
            parent: first.next()?,
            device: first.next()?,
            root: unescape(first.next()?),
            point: unescape(first.next()?),
            kind: last.next()?,
            super_options: last.nth(1).map(unescape)?,
        })
    }
}

/// Takes back the kernel's octal escapes.
fn unescape(field: &str) -> String {
    let mut text = Vec::new();
    let mut rest = field.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = after
            .get(..3)
            .filter(|_| byte == b'\\')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        text.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() {
            &after[3..]
        } else {
            after
        };
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests;
