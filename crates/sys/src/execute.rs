//! The last step: descriptors closed, program replaced.

use std::ffi::{CStr, CString};
use std::io;
use std::ptr;

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
/// The errno of close_range.
pub fn close_on_exec_from(first: u32) -> io::Result<()> {
    const CLOSE_RANGE_CLOEXEC: u32 = 1 << 2;
    // SAFETY: with this flag nothing is closed now, so no owner of a
    // descriptor is affected before the program is replaced.
    let result =
        unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, CLOSE_RANGE_CLOEXEC) };
    crate::check(result).map(drop)
}
