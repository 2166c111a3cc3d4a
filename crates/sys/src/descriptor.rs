//! Descriptors that a copy of a process has no use for.

use std::io;
use std::os::fd::RawFd;

use crate::SingleThreaded;

/// Closes every descriptor from 3 on but the given ones. For a copy of a
/// process that will never return into what it is a copy of: the owners of the
/// descriptors there are not run any more.
///
/// # Errors
/// The errno of close_range; `ENOSYS` before Linux 5.9.
pub fn close_all_but(_proof: SingleThreaded, kept: &[RawFd]) -> io::Result<()> {
    let mut kept: Vec<u32> = kept
        .iter()
        .filter_map(|number| u32::try_from(*number).ok())
        .collect();
    kept.sort_unstable();
    let mut first = 3;
    for number in kept.into_iter().chain([u32::MAX]) {
        if number > first {
            // SAFETY: three integers. Who owns one of these descriptors is in
            // code that this copy does not come back to, and with one thread
            // there is no other.
            let result = unsafe { libc::syscall(libc::SYS_close_range, first, number - 1, 0) };
            crate::check(result)?;
        }
        first = first.max(number.saturating_add(1));
    }
    Ok(())
}
