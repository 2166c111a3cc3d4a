//! Options of netlink sockets, which rustix lacks.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// `SOL_NETLINK`.
const LEVEL: libc::c_int = 270;

/// Makes the kernel say in words why it refuses a request (`NETLINK_EXT_ACK`,
/// Linux 4.12).
///
/// # Errors
/// The errno of setsockopt.
pub fn set_extended_acknowledgement(socket: BorrowedFd<'_>) -> io::Result<()> {
    enable(socket, 11)
}

/// Makes the kernel not repeat a refused request in its answer
/// (`NETLINK_CAP_ACK`, Linux 4.3).
///
/// # Errors
/// The errno of setsockopt.
pub fn set_capped_acknowledgement(socket: BorrowedFd<'_>) -> io::Result<()> {
    enable(socket, 10)
}

fn enable(socket: BorrowedFd<'_>, option: libc::c_int) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the pointer and the length are those of `on`, which outlives the
    // call; the kernel copies it.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            LEVEL,
            option,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    crate::check(result.into()).map(drop)
}
