//! The session keyring.

use std::ffi::CStr;
use std::io;

/// Joins the session keyring of that name, made when there is none, so that
/// the caller's keys are out of reach afterwards.
///
/// # Errors
/// The errno of keyctl; `ENOSYS` when the kernel has no keyrings.
pub fn join_session(name: &CStr) -> io::Result<()> {
    const KEYCTL_JOIN_SESSION_KEYRING: libc::c_int = 1;
    // SAFETY: the kernel reads a NUL-terminated name.
    let result = unsafe {
        libc::syscall(
            libc::SYS_keyctl,
            KEYCTL_JOIN_SESSION_KEYRING,
            name.as_ptr(),
            0,
            0,
            0,
        )
    };
    crate::check(result).map(drop)
}
