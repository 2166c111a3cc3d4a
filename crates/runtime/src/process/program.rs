//! The working directory and the program itself.

use std::ffi::CString;

use rustix::fs::{AtFlags, CWD, FileType};
use rustix::io::Errno;

use super::Prepared;
use crate::failure::{Failure, Step};

/// Whose permission counts when the working directory is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entering {
    AsRoot,
    AsUser,
}

impl Prepared {
    /// Enters the working directory: as root first, and where that fails for
    /// want of permission (a network file system) as the user, as runc does.
    pub(super) fn enter_working_directory(&self, entering: Entering) -> Result<(), Failure> {
        let directory = self.process.cwd.as_str();
        match rustix::process::chdir(directory) {
            Ok(()) => {}
            Err(Errno::ACCESS | Errno::PERM) if entering == Entering::AsRoot => return Ok(()),
            Err(error) => return Err(Failure::new(Step::WorkingDirectory, directory, error)),
        }
        if entering == Entering::AsRoot {
            return Ok(());
        }
        // A descriptor of the host's in /proc/self/fd would be a way out
        // (CVE-2024-21626): such a directory has no path in this root.
        let outside = || {
            Failure::sentence(
                Step::WorkingDirectory,
                "current working directory is outside of container mount namespace root -- \
                 possible container breakout detected",
            )
        };
        let here = rustix::process::getcwd(Vec::new()).map_err(|_| outside())?;
        if here.as_bytes().starts_with(b"/") {
            Ok(())
        } else {
            Err(outside())
        }
    }
}

/// Finds the program as execvp does, in the PATH of the program's own
/// environment and as the user that will run it.
pub(super) fn find_program(name: &str, environment: &[String]) -> Result<CString, Failure> {
    let failed = |error: Errno| Failure::new(Step::FindProgram, name, error);
    let checked = |path: &str| -> Result<CString, Errno> {
        let status = rustix::fs::statat(CWD, path, AtFlags::empty())?;
        if FileType::from_raw_mode(status.st_mode) == FileType::Directory {
            return Err(Errno::ISDIR);
        }
        // Root may do everything but run what nobody may.
        if status.st_mode & 0o111 == 0 {
            return Err(Errno::ACCESS);
        }
        rustix::fs::accessat(CWD, path, rustix::fs::Access::EXEC_OK, AtFlags::EACCESS)?;
        CString::new(path).map_err(|_| Errno::INVAL)
    };
    if name.is_empty() {
        return Err(failed(Errno::NOENT));
    }
    if name.contains('/') {
        return checked(name).map_err(failed);
    }
    // The last one counts, as for Go's programs and unlike getenv.
    let path = environment
        .iter()
        .rev()
        .find_map(|variable| variable.strip_prefix("PATH="))
        .unwrap_or_default();
    let mut denied = None;
    for directory in path.split(':') {
        let directory = if directory.is_empty() { "." } else { directory };
        match checked(&format!("{directory}/{name}")) {
            Ok(program) => return Ok(program),
            Err(error @ Errno::ACCESS) => denied = Some(error),
            Err(_) => {}
        }
    }
    Err(failed(denied.unwrap_or(Errno::NOENT)))
}
