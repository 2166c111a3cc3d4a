//! The session keyring and keys in it.

use std::ffi::CStr;
use std::io;

/// Joins the session keyring of that name, made when there is none, so that
/// the caller's keys are out of reach afterwards. Processes of the same user
/// that join it later find the same one.
///
/// # Errors
/// The errno of keyctl; `ENOSYS` when the kernel has no keyrings.
pub fn join_session(name: &CStr) -> io::Result<()> {
    const KEYCTL_JOIN_SESSION_KEYRING: libc::c_int = 1;
    const KEYCTL_SETPERM: libc::c_int = 5;
    // All for who possesses it; for its user to view, read, link, and what is
    // not so by default, search, without which it is not found by name.
    const PERMISSIONS: libc::c_ulong = 0x3f1b_0000;
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
    let keyring = crate::check(result)?;
    // SAFETY: two integers.
    let result = unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_SETPERM, keyring, PERMISSIONS) };
    crate::check(result).map(drop)
}

/// Puts a key into the caller's session keyring that only who possesses it may
/// see, read or use.
///
/// # Errors
/// The errno of add_key or keyctl; `ENOSYS` when the kernel has no keyrings.
pub fn add_to_session(name: &CStr, content: &[u8]) -> io::Result<()> {
    const KEY_SPEC_SESSION_KEYRING: libc::c_int = -3;
    const KEYCTL_SETPERM: libc::c_int = 5;
    const POSSESSOR_ALL: libc::c_ulong = 0x3f00_0000;
    // SAFETY: the kernel reads two NUL-terminated texts and as many bytes as
    // the content has.
    let result = unsafe {
        libc::syscall(
            libc::SYS_add_key,
            c"user".as_ptr(),
            name.as_ptr(),
            content.as_ptr(),
            content.len(),
            KEY_SPEC_SESSION_KEYRING,
        )
    };
    let key = crate::check(result)?;
    // SAFETY: two integers.
    let result = unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_SETPERM, key, POSSESSOR_ALL) };
    crate::check(result).map(drop)
}
