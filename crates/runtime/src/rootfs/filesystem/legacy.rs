//! mount(2), for options that are too long for the kernel's newer interface:
//! an overlay's many layers.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, StatxFlags, statx};
use rustix::io::Errno;
use rustix::mount::MountFlags;
use tare_oci::runtime::Mount;
use tare_sys::mount::Attributes;

use crate::rootfs::mounts::Refusal;
use crate::rootfs::options::MountOptions;
use crate::rootfs::resolve;

/// Mounts a file system at a place, with its attributes at once.
pub(super) fn mount(
    kind: &str,
    mount: &Mount,
    options: &MountOptions,
    root: BorrowedFd<'_>,
    place: &OwnedFd,
) -> Result<OwnedFd, Refusal> {
    let words: Vec<String> = options
        .data
        .iter()
        .map(|(key, value)| match value {
            Some(value) => format!("{key}={value}"),
            None => key.clone(),
        })
        .collect();
    let data = CString::new(words.join(",")).map_err(|_| Errno::INVAL)?;
    // The descriptor's link leads to the place itself, whatever has become of
    // its path meanwhile.
    rustix::mount::mount(
        mount.source.as_deref().unwrap_or(kind),
        format!("/proc/self/fd/{}", place.as_raw_fd()),
        kind,
        flags(options)?,
        Some(data.as_c_str()),
    )?;
    let made = resolve::open(root, &mount.destination)?;
    if number(made.as_fd())? == number(place.as_fd())? {
        // The path has been made to lead elsewhere; the mount is where it
        // should be, and safe, but is not found any more.
        return Err(Errno::STALE.into());
    }
    Ok(made)
}

fn flags(options: &MountOptions) -> Result<MountFlags, Refusal> {
    const PAIRS: [(u64, MountFlags); 8] = [
        (Attributes::RDONLY, MountFlags::RDONLY),
        (Attributes::NOSUID, MountFlags::NOSUID),
        (Attributes::NODEV, MountFlags::NODEV),
        (Attributes::NOEXEC, MountFlags::NOEXEC),
        (Attributes::NOATIME, MountFlags::NOATIME),
        (Attributes::STRICTATIME, MountFlags::STRICTATIME),
        (Attributes::NODIRATIME, MountFlags::NODIRATIME),
        (Attributes::NOSYMFOLLOW, MountFlags::from_bits_retain(256)),
    ];
    let set = options.own_attributes().set;
    let mut flags = MountFlags::empty();
    for (bit, flag) in PAIRS {
        if set & bit != 0 {
            flags |= flag;
        }
    }
    for flag in &options.super_block {
        match flag.name.as_str() {
            "sync" => flags |= MountFlags::SYNCHRONOUS,
            "dirsync" => flags |= MountFlags::DIRSYNC,
            "lazytime" => flags |= MountFlags::LAZYTIME,
            "silent" => flags |= MountFlags::SILENT,
            "mand" => flags |= MountFlags::PERMIT_MANDATORY_FILE_LOCKING,
            "iversion" | "acl" => {
                return Err(Refusal::Sentence(format!(
                    "the option {} does not go with options this long",
                    flag.name
                )));
            }
            // The other ones are the case without them.
            _ => {}
        }
    }
    Ok(flags)
}

/// The number of the mount that a descriptor belongs to.
fn number(fd: BorrowedFd<'_>) -> Result<u64, Errno> {
    Ok(statx(fd, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?.stx_mnt_id)
}
