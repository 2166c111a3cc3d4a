//! Protection of the runtime's own executable (CVE-2019-5736).
//!
//! A container's first process begins as a copy of this one, and a program that
//! executes /proc/self/exe, or opens /proc/PID/exe, gets the very file. Whoever
//! makes processes in containers therefore runs from a mount of the executable
//! that is read-only and has no place in any tree: the file can be read, but
//! not written, whatever its mode and whoever one is.

use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::StatVfsMountFlags;
use tare_sys::execute::{self, StringArray};

use super::{Error, Globals};

/// Goes on as the same command in a process whose executable cannot be written
/// through /proc; returns at once where that is so.
pub(super) fn protect(globals: &Globals) -> Result<(), Error> {
    const OWN: &str = "/proc/self/exe";
    let failed = |source: std::io::Error| Error::io("protecting the executable", OWN, source);
    let status = rustix::fs::statvfs(OWN).map_err(|error| failed(error.into()))?;
    if status.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Ok(());
    }
    let executable = match tare_sys::mount::read_only_file(Path::new(OWN)) {
        Ok(executable) => executable,
        // Who may not mount is nobody on this host, and cannot write it either
        // from a user namespace of his own.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let string = |text: &[u8]| std::ffi::CString::new(text).ok();
    let arguments = [c"tare-runtime".to_owned()]
        .into_iter()
        .chain(
            globals
                .arguments
                .iter()
                .filter_map(|word| string(word.as_bytes())),
        )
        .collect();
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| string(&[name.as_bytes(), b"=", value.as_bytes()].concat()))
        .collect();
    // The descriptor is close-on-exec, so the new process has no more open than
    // this one was given; its number is free again afterwards.
    let path = string(format!("/proc/self/fd/{}", executable.as_raw_fd()).as_bytes());
    let path = path.unwrap_or_default();
    Err(failed(execute::execute(
        &path,
        &StringArray::new(arguments),
        &StringArray::new(environment),
    )))
}
