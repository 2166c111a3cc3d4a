//! The executable that becomes a shim, opened once.
//!
//! A shim shares the kernel with what runs in its container, so nothing there
//! may be able to write to the file it was executed from (CVE-2019-5736): it is
//! executed through a read-only mount of the file alone. The descriptor also
//! keeps the shims of one engine of one version, should the file be replaced.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// An executable behind a read-only mount.
pub(crate) struct Executable {
    /// What `path` names.
    _file: OwnedFd,
    path: PathBuf,
    on_host: PathBuf,
}

impl Executable {
    /// Opens the executable at `path`.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::from(error).context(format!("executable {}", path.display()))
        };
        let on_host = path.canonicalize().map_err(failed)?;
        let file = tare_sys::mount::read_only_file(path).map_err(failed)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        Ok(Self {
            _file: file,
            path,
            on_host,
        })
    }

    /// A path that executes it, for this process and its children.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its path on the host, for mounting it into a container.
    pub(crate) fn on_host(&self) -> &Path {
        &self.on_host
    }
}
