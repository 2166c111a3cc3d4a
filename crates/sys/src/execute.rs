//! The last step: descriptors closed, program replaced.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::AsFd;
use std::ptr;

use rustix::fs::{Mode, OFlags};

/// A list of strings in the form that execve takes.
#[derive(Debug)]
pub struct StringArray {
    // Never read, but the pointers lead into it.
    strings: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
}

impl StringArray {
    /// Takes the strings and lays out the array for the kernel.
    #[must_use]
    pub fn new(strings: Vec<CString>) -> StringArray {
        let mut pointers: Vec<_> = strings.iter().map(|string| string.as_ptr()).collect();
        pointers.push(ptr::null());
        StringArray { strings, pointers }
    }

    /// The strings.
    #[must_use]
    pub fn strings(&self) -> &[CString] {
        &self.strings
    }
}

/// Replaces the program of the process. Returns only on failure.
#[must_use]
pub fn execute(program: &CStr, arguments: &StringArray, environment: &StringArray) -> io::Error {
    // SAFETY: the path ends with NUL; both arrays end with a null pointer and
    // point to strings that the StringArrays own and that end with NUL.
    unsafe {
        libc::execve(
            program.as_ptr(),
            arguments.pointers.as_ptr(),
            environment.pointers.as_ptr(),
        );
    }
    io::Error::last_os_error()
}

/// Marks every descriptor from `first` up close-on-exec.
///
/// # Errors
/// The errno of close_range, or of the calls that do its work before Linux
/// 5.11.
pub fn close_on_exec_from(first: u32) -> io::Result<()> {
    const CLOSE_RANGE_CLOEXEC: u32 = 1 << 2;
    // SAFETY: with this flag nothing is closed now, so no owner of a
    // descriptor is affected before the program is replaced.
    let result =
        unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, CLOSE_RANGE_CLOEXEC) };
    match crate::check(result) {
        // The call came with 5.9, the flag with 5.11.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EINVAL)) => {
            one_by_one(first)
        }
        result => result.map(drop),
    }
}

/// Marks those that the kernel lists; without a list, all that there can be.
fn one_by_one(first: u32) -> io::Result<()> {
    /// More than any process may open unless an administrator raises
    /// fs.nr_open.
    const MAXIMUM: u32 = 1 << 20;
    let mark = |number: u32| {
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        // SAFETY: as above; a number that is not open is EBADF.
        let result = unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
        match crate::check(result.into()) {
            Err(error) if error.raw_os_error() != Some(libc::EBADF) => Err(error),
            _ => Ok(()),
        }
    };
    match list() {
        Ok(numbers) => numbers
            .into_iter()
            .filter(|number| *number >= first)
            .try_for_each(mark),
        Err(_) => (first..MAXIMUM).try_for_each(mark),
    }
}

/// The descriptors of the process as procfs has them. A directory of another
/// file system is none: it may be a container's, which would hide some.
fn list() -> io::Result<Vec<u32>> {
    let directory = rustix::fs::open(
        c"/proc/self/fd",
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    if !crate::is_procfs(directory.as_fd())? {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let mut numbers = Vec::new();
    for entry in rustix::fs::Dir::new(directory)? {
        // The two entries that are no descriptors are no numbers either.
        let number = entry?.file_name().to_str().ok().map(str::parse::<u32>);
        numbers.extend(number.and_then(Result::ok));
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::FdFlags;

    #[test]
    fn descriptors_are_marked_one_by_one() {
        let file = rustix::fs::open("/", OFlags::RDONLY, Mode::empty()).unwrap();
        let flags = || rustix::io::fcntl_getfd(&file).unwrap();
        assert_eq!(flags(), FdFlags::empty());
        let number = u32::try_from(std::os::fd::AsRawFd::as_raw_fd(&file)).unwrap();
        assert!(list().unwrap().contains(&number));
        one_by_one(number).unwrap();
        assert_eq!(flags(), FdFlags::CLOEXEC);
    }
}
