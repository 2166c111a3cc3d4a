//! The overlay root, mounted by descriptors through the new mount interface.

mod legacy;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen,
};

use super::filesystem::messages;
use crate::failure::{Failure, Step};

/// The kernel takes values of at most this many bytes, terminator included.
const MAXIMUM_VALUE: usize = 256;

/// Whether mounting shows in the caller's mount namespace for a moment.
pub(super) fn needs_own_namespace() -> bool {
    legacy::is_needed()
}

/// Mounts an overlay, detached; `lower` has the topmost layer first.
pub(super) fn mount(
    lower: &[PathBuf],
    upper: &Path,
    work: &Path,
    volatile: bool,
    label: Option<&str>,
) -> Result<OwnedFd, Failure> {
    if needs_own_namespace() {
        return legacy::mount(lower, upper, work, volatile, label);
    }
    let failed = |what: &str, error: Errno| Failure::new(Step::Root, what, error);
    let context = fsopen(c"overlay", FsOpenFlags::FSOPEN_CLOEXEC)
        .map_err(|error| failed("overlay", error))?;
    let context = context.as_fd();
    fsconfig_set_string(context, c"source", c"overlay")
        .map_err(|error| failed("overlay", error))?;
    let mut held = Vec::new();

    for path in lower {
        set_path(context, "lowerdir+", path, &mut held)
            .map_err(|error| failed(&path.display().to_string(), error))?;
    }
    for (key, path) in [("upperdir", upper), ("workdir", work)] {
        set_path(context, key, path, &mut held)
            .map_err(|error| failed(&path.display().to_string(), error))?;
    }
    // Changes must be readable as a plain directory of files (diff, commit),
    // whatever the kernel's defaults are.
    for key in ["index", "metacopy", "redirect_dir"] {
        fsconfig_set_string(context, key, c"off").map_err(|error| failed(key, error))?;
    }
    if volatile {
        fsconfig_set_flag(context, c"volatile").map_err(|error| failed("volatile", error))?;
    }
    if let Some(label) = label {
        fsconfig_set_string(context, c"context", label).map_err(|error| failed(label, error))?;
    }
    fsconfig_create(context)
        .map_err(|error| failed(&format!("overlay{}", messages(context)), error))?;
    fsmount(
        context,
        FsMountFlags::FSMOUNT_CLOEXEC,
        MountAttrFlags::empty(),
    )
    .map_err(|error| failed("overlay", error))
}

/// Sets a path, by a descriptor's link when it is too long or holds
/// characters that the file system would interpret.
fn set_path(
    context: BorrowedFd<'_>,
    key: &str,
    path: &Path,
    held: &mut Vec<OwnedFd>,
) -> Result<(), Errno> {
    if is_plain(path) {
        return fsconfig_set_string(context, key, path);
    }
    let place = open(path)?;
    let result = fsconfig_set_string(context, key, link(&place));
    held.push(place);
    result
}

/// Whether a path can be given as it is.
fn is_plain(path: &Path) -> bool {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.len() < MAXIMUM_VALUE
        && path.to_str().is_some()
        && !bytes.iter().any(|byte| matches!(byte, b':' | b',' | b'\\'))
}

fn open(path: &Path) -> Result<OwnedFd, Errno> {
    rustix::fs::open(
        path,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
}

fn link(place: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", place.as_raw_fd())
}
