//! Protection of the runtime's own executable (CVE-2019-5736).
//!
//! A container's first process begins as a copy of this one, and a program that
//! executes /proc/self/exe, or opens /proc/PID/exe, gets the very file. Whoever
//! makes processes in containers therefore runs from a mount of the executable
//! that is read-only and has no place in any tree: the file can be read, but
//! not written, whatever its mode and whoever one is. Who may not mount runs
//! from a sealed copy in memory, unless the file is the host's root's and
//! closed to the caller, and so to all that the caller makes.
//!
//! Neither outlives its last process.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Access, MemfdFlags, SealFlags, StatVfsMountFlags};
use tare_sys::execute::{self, StringArray};

use super::{Error, Globals};

const OWN: &str = "/proc/self/exe";
/// Says to the process that is executed that it should be protected.
const MARK: &str = "_TARE_RUNTIME_PROTECTED";

/// What makes a file in memory unchangeable for good.
const SEALS: SealFlags = SealFlags::SEAL
    .union(SealFlags::SHRINK)
    .union(SealFlags::GROW)
    .union(SealFlags::WRITE);

/// Goes on as the same command in a process whose executable cannot be written
/// through /proc; returns at once where that is so.
pub(super) fn protect(globals: &Globals) -> Result<(), Error> {
    let failed = |source: io::Error| Error::io("protecting the executable", OWN, source);
    let status = rustix::fs::statvfs(OWN).map_err(|error| failed(error.into()))?;
    if status.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Ok(());
    }
    let executable = match tare_sys::mount::read_only_file(Path::new(OWN)) {
        Ok(executable) => executable,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let own = File::open(OWN).map_err(failed)?;
            if is_sealed(&own) || is_closed(&own).map_err(failed)? {
                return Ok(());
            }
            sealed_copy(own).map_err(failed)?
        }
        Err(error) => return Err(failed(error)),
    };
    // A file system that never says so must not make this go on for ever.
    if std::env::var_os(MARK).is_some() {
        return Err(Error::Unavailable(format!(
            "the executable cannot be protected from what runs in containers: its read-only mount \
             is not seen as one (is {MARK} set by mistake?)"
        )));
    }
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
        .chain(string(format!("{MARK}=1").as_bytes()))
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

/// Whether a file is a copy that nobody can change.
fn is_sealed(file: &File) -> bool {
    rustix::fs::fcntl_get_seals(file).is_ok_and(|seals| seals.contains(SEALS))
}

/// Whether a file is closed to the caller and to everybody whom the caller may
/// become in a user namespace: one's own files can be opened by a change of
/// mode, and the files of IDs that were granted to one as well.
fn is_closed(file: &File) -> io::Result<bool> {
    let status = rustix::fs::fstat(file)?;
    let is_roots = status.st_uid == 0 && !rustix::process::geteuid().is_root();
    Ok(is_roots && rustix::fs::access(OWN, Access::WRITE_OK).is_err())
}

fn sealed_copy(mut original: File) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // A host may want it said that a file in memory is to be executed; before
    // Linux 6.3 there was no way to say so.
    let copy = match rustix::fs::memfd_create("tare-runtime", flags | MemfdFlags::EXEC) {
        Err(rustix::io::Errno::INVAL) => rustix::fs::memfd_create("tare-runtime", flags)?,
        result => result?,
    };
    let mut copy = File::from(copy);
    io::copy(&mut original, &mut copy)?;
    rustix::fs::fcntl_add_seals(copy.as_fd(), SEALS)?;
    Ok(copy.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_copy_cannot_be_changed() {
        let original = File::open("/proc/self/exe").expect("readable");
        let length = original.metadata().expect("status").len();
        assert!(!is_sealed(&original));
        let copy = File::from(sealed_copy(original).expect("memory"));
        assert!(is_sealed(&copy));
        assert_eq!(copy.metadata().expect("status").len(), length);
        let again = format!("/proc/self/fd/{}", copy.as_raw_fd());
        let again = std::fs::OpenOptions::new().write(true).open(again);
        let written = again.and_then(|mut file| io::Write::write_all(&mut file, b"x"));
        assert!(written.is_err());
        assert!(copy.set_len(0).is_err());
    }
}
