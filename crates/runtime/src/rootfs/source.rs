//! Where a root file system comes from.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::mount::OpenTreeFlags;
use tare_oci::runtime::Spec;

use super::{mount_label, overlay};
use crate::failure::{Failure, Step};

/// Where a container's root file system comes from.
#[derive(Debug, Clone)]
pub enum Rootfs {
    /// A directory as it is.
    Path(PathBuf),
    /// Directories put together by overlayfs.
    Overlay {
        /// Read-only layers, topmost first.
        lower: Vec<PathBuf>,
        /// Directory that takes the changes.
        upper: PathBuf,
        /// Empty directory on the same file system as `upper`.
        work: PathBuf,
        /// Whether the changes need not survive a power cut: no sync is ever
        /// done, which is right for a container that is removed when it ends.
        volatile: bool,
    },
}

impl Rootfs {
    /// Whether the mount can be made outside of the container's mount
    /// namespace, by the process that creates it.
    pub(crate) fn is_mounted_by_parent(&self) -> bool {
        matches!(self, Rootfs::Overlay { .. }) && !overlay::needs_own_namespace()
    }

    /// Makes the mount, attached to nothing.
    pub(crate) fn mount(&self, spec: &Spec) -> Result<OwnedFd, Failure> {
        match self {
            Rootfs::Path(path) => rustix::mount::open_tree(
                CWD,
                path,
                OpenTreeFlags::OPEN_TREE_CLONE
                    | OpenTreeFlags::OPEN_TREE_CLOEXEC
                    | OpenTreeFlags::AT_RECURSIVE,
            )
            .map_err(|error| Failure::new(Step::Root, path.display().to_string(), error)),
            Rootfs::Overlay {
                lower,
                upper,
                work,
                volatile,
            } => overlay::mount(lower, upper, work, *volatile, mount_label(spec)),
        }
    }

    /// A directory to attach the mount to.
    pub(crate) fn place(&self) -> &Path {
        match self {
            Rootfs::Path(path) => path,
            Rootfs::Overlay { upper, .. } => upper,
        }
    }
}
