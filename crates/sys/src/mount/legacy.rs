//! Mount attributes before Linux 5.12, which has no mount_setattr: by mount(2).
//!
//! It takes paths only, where the callers have descriptors; it replaces all
//! flags, where they change some; and it refuses mounts that are not attached.
//! Such a mount is attached in a mount namespace made for the purpose, which
//! nobody else sees, changed, and copied from there: the descriptor refers to
//! the copy afterwards. A crash leaves nothing, as that namespace goes with its
//! thread.

#[cfg(test)]
mod tests;

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, StatVfsMountFlags, StatxFlags,
};
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, mount_change, mount_remount,
    move_mount, open_tree,
};

use super::Attributes;
use crate::namespace::{Kinds, run_in_new};

/// What [`super::set_attributes`] does.
pub(super) fn set_attributes(
    directory: BorrowedFd<'_>,
    path: &CStr,
    recursive: bool,
    attributes: Attributes,
) -> io::Result<()> {
    if path.is_empty() {
        return change(directory, recursive, attributes);
    }
    let place = open(directory, path)?;
    change_attached(place.as_fd(), recursive, attributes)
}

fn change(mount: BorrowedFd<'_>, recursive: bool, attributes: Attributes) -> io::Result<()> {
    match change_attached(mount, recursive, attributes) {
        // Flags of a detached mount are refused to everybody (EINVAL), its
        // propagation to who was not privileged where it was made (EPERM).
        Err(error) if is(&error, Errno::INVAL) || is(&error, Errno::PERM) => {
            change_detached(mount, recursive, attributes)?.unwrap_or(Err(error))
        }
        result => result,
    }
}

fn change_attached(
    mount: BorrowedFd<'_>,
    recursive: bool,
    attributes: Attributes,
) -> io::Result<()> {
    if attributes.propagation != 0 {
        // The one change that works on detached mounts too, and on whole trees.
        let reach = if recursive { libc::MS_REC } else { 0 };
        let kind = u32::try_from(attributes.propagation | reach).map_err(|_| Errno::INVAL)?;
        mount_change(name(mount)?, MountPropagationFlags::from_bits_retain(kind))?;
    }
    if attributes.set | attributes.clear == 0 {
        return Ok(());
    }
    remount(mount, attributes)?;
    if recursive {
        let mounts = std::fs::read("/proc/thread-self/mountinfo")?;
        for path in below(&mounts, identity(mount)?) {
            // What is mounted twice at a place is reached once: the upper one,
            // as by everybody else.
            let place = rustix::fs::openat2(
                mount,
                path,
                OFlags::PATH | OFlags::CLOEXEC,
                Mode::empty(),
                ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS,
            )?;
            remount(place.as_fd(), attributes)?;
        }
    }
    Ok(())
}

/// Changes a detached mount by putting a changed copy behind its descriptor.
/// Returns `None` when the mount is attached, else what came of the change.
fn change_detached(
    mount: BorrowedFd<'_>,
    recursive: bool,
    attributes: Attributes,
) -> io::Result<Option<io::Result<()>>> {
    let changed = run_in_new(Kinds::MOUNT, || {
        // What is attached here must not show where this was copied from.
        mount_change(
            c"/",
            MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
        )?;
        // Paths that begin at the root are not led into what covers it.
        let place = match is_directory(mount)? {
            true => c"/",
            false => c"/proc/thread-self/status",
        };
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
        match move_mount(mount, c"", CWD, place, flags) {
            // It is attached, in the namespace that this one is a copy of.
            Err(Errno::INVAL) => return Ok(None),
            moved => moved?,
        }
        // Once attached it ends with this namespace: there has to be a copy also
        // when nothing could be changed, for callers who then try less.
        let result = change_attached(mount, recursive, attributes);
        let flags = OpenTreeFlags::OPEN_TREE_CLONE
            | OpenTreeFlags::OPEN_TREE_CLOEXEC
            | OpenTreeFlags::AT_EMPTY_PATH
            | OpenTreeFlags::AT_RECURSIVE;
        Ok::<_, io::Error>(Some((open_tree(mount, c"", flags)?, result)))
    })??;
    let Some((copy, result)) = changed else {
        return Ok(None);
    };
    // SAFETY: both are open. The number stays that of an open descriptor, whose
    // owner still has to close it; it only refers to the copy from now on.
    let replaced = unsafe { libc::dup3(copy.as_raw_fd(), mount.as_raw_fd(), libc::O_CLOEXEC) };
    crate::check(replaced.into())?;
    Ok(Some(result))
}

/// Changes flags of one attached mount.
fn remount(mount: BorrowedFd<'_>, attributes: Attributes) -> io::Result<()> {
    let current = rustix::fs::fstatvfs(mount)?.f_flag;
    let flags = flags(current, attributes)?;
    mount_remount(name(mount)?, MountFlags::BIND | flags, c"")?;
    Ok(())
}

/// The flags that a mount has after a change.
fn flags(current: StatVfsMountFlags, attributes: Attributes) -> Result<MountFlags, Errno> {
    const BITS: [(u64, StatVfsMountFlags, MountFlags); 6] = [
        (
            Attributes::RDONLY,
            StatVfsMountFlags::RDONLY,
            MountFlags::RDONLY,
        ),
        (
            Attributes::NOSUID,
            StatVfsMountFlags::NOSUID,
            MountFlags::NOSUID,
        ),
        (
            Attributes::NODEV,
            StatVfsMountFlags::NODEV,
            MountFlags::NODEV,
        ),
        (
            Attributes::NOEXEC,
            StatVfsMountFlags::NOEXEC,
            MountFlags::NOEXEC,
        ),
        (
            Attributes::NODIRATIME,
            StatVfsMountFlags::NODIRATIME,
            MountFlags::NODIRATIME,
        ),
        (
            Attributes::NOSYMFOLLOW,
            // ST_NOSYMFOLLOW and MS_NOSYMFOLLOW, which rustix does not name.
            StatVfsMountFlags::from_bits_retain(0x2000),
            MountFlags::from_bits_retain(0x100),
        ),
    ];
    let known = BITS
        .iter()
        .fold(Attributes::ATIME, |known, (bit, ..)| known | bit);
    if (attributes.set | attributes.clear) & !known != 0 {
        return Err(Errno::INVAL);
    }
    let mut flags = MountFlags::empty();
    for (bit, now, flag) in BITS {
        let stays = current.contains(now) && attributes.clear & bit == 0;
        if stays || attributes.set & bit != 0 {
            flags |= flag;
        }
    }
    // One value of three, not bits: zero is one of them.
    let time = if attributes.clear & Attributes::ATIME != 0 {
        attributes.set & Attributes::ATIME
    } else if current.contains(StatVfsMountFlags::NOATIME) {
        Attributes::NOATIME
    } else if current.contains(StatVfsMountFlags::RELATIME) {
        Attributes::RELATIME
    } else {
        Attributes::STRICTATIME
    };
    flags |= match time {
        Attributes::NOATIME => MountFlags::NOATIME,
        Attributes::STRICTATIME => MountFlags::STRICTATIME,
        _ => MountFlags::RELATIME,
    };
    Ok(flags)
}

/// A path that leads to the mount itself, not to what is mounted on it.
fn name(mount: BorrowedFd<'_>) -> io::Result<CString> {
    // The root needs no /proc, which is the container's own after the change of
    // root, or missing.
    let root = open(CWD, c"/")?;
    if identity(mount)? == identity(root.as_fd())? && inode(mount)? == inode(root.as_fd())? {
        return Ok(c"/".to_owned());
    }
    // Anything else at that place may be an image's, and lead elsewhere.
    let list = open(CWD, c"/proc/thread-self/fd")?;
    if !crate::is_procfs(list.as_fd())? {
        return Err(Errno::NOENT.into());
    }
    let link = format!("/proc/thread-self/fd/{}", mount.as_raw_fd());
    Ok(CString::new(link)?)
}

fn open(directory: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(
        directory,
        path,
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )
}

/// The number of the mount in mountinfo.
fn identity(mount: BorrowedFd<'_>) -> Result<u64, Errno> {
    let status = rustix::fs::statx(mount, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?;
    // Before Linux 5.8 the kernel does not say.
    if !StatxFlags::from_bits_retain(status.stx_mask).contains(StatxFlags::MNT_ID) {
        return Err(Errno::NOSYS);
    }
    Ok(status.stx_mnt_id)
}

fn inode(mount: BorrowedFd<'_>) -> Result<u64, Errno> {
    Ok(rustix::fs::statat(mount, c"", AtFlags::EMPTY_PATH)?.st_ino)
}

fn is_directory(mount: BorrowedFd<'_>) -> Result<bool, Errno> {
    let mode = rustix::fs::statat(mount, c"", AtFlags::EMPTY_PATH)?.st_mode;
    Ok(FileType::from_raw_mode(mode) == FileType::Directory)
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

/// Where the mounts are that are mounted on the one of this number, directly or
/// on each other, relative to it.
fn below(mountinfo: &[u8], top: u64) -> Vec<CString> {
    struct Mount<'a> {
        id: u64,
        parent: u64,
        place: &'a [u8],
    }
    let parse = |line| {
        let mut fields = <[u8]>::split(line, |byte| *byte == b' ');
        let number = |field: &[u8]| std::str::from_utf8(field).ok()?.parse().ok();
        Some(Mount {
            id: number(fields.next()?)?,
            parent: number(fields.next()?)?,
            place: fields.nth(2)?,
        })
    };
    let mounts: Vec<Mount<'_>> = mountinfo
        .split(|byte| *byte == b'\n')
        .filter_map(parse)
        .collect();
    let Some(own) = mounts.iter().find(|mount| mount.id == top) else {
        return Vec::new();
    };
    let mut tree = vec![top];
    let mut places = Vec::new();
    // Parents need not come before their children.
    let mut next = 0;
    while let Some(parent) = tree.get(next).copied() {
        next += 1;
        for mount in mounts.iter().filter(|mount| mount.parent == parent) {
            if tree.contains(&mount.id) {
                continue;
            }
            tree.push(mount.id);
            let relative = mount.place.strip_prefix(own.place).unwrap_or_default();
            let relative = relative.strip_prefix(b"/").unwrap_or(relative);
            if let Ok(place) = CString::new(unescape(relative))
                && !place.is_empty()
            {
                places.push(place);
            }
        }
    }
    places
}

/// Takes the kernel's escapes (`\040` for a space) out of a path.
fn unescape(path: &[u8]) -> Vec<u8> {
    let mut bytes = path.to_vec();
    let mut start = 0;
    while let Some(found) = bytes[start..].iter().position(|byte| *byte == b'\\') {
        let at = start + found;
        let digits = bytes.get(at + 1..at + 4).unwrap_or_default();
        let code = std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(code) = code {
            bytes.splice(at..at + 4, [code]);
        }
        start = at + 1;
    }
    bytes
}
