//! Signal dispositions and masks of a process about to run another program.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::{mem, ptr};

use crate::SingleThreaded;

/// Gives every signal its default action and unblocks all of them. Ignored and
/// blocked signals would otherwise survive exec; the standard library ignores
/// SIGPIPE.
pub fn reset(_proof: SingleThreaded) {
    // SAFETY: a zeroed sigaction means the default action without flags.
    let default: libc::sigaction = unsafe { mem::zeroed() };
    for signal in 1..=64 {
        // SAFETY: reads one valid structure. Numbers that cannot be changed
        // (KILL, STOP, the C library's own) are refused, which is fine.
        unsafe { libc::sigaction(signal, &raw const default, ptr::null_mut()) };
    }
    unblock();
}

/// Has a command begin with no signal blocked, whatever the caller blocks: the
/// standard library lets it inherit that, and a shell cannot undo it.
pub fn unblock_in(command: &mut Command) -> &mut Command {
    let unblock = || {
        unblock();
        Ok(())
    };
    // SAFETY: what runs between fork and exec is async-signal-safe; it neither
    // allocates nor takes a lock.
    unsafe { command.pre_exec(unblock) }
}

fn unblock() {
    // SAFETY: the set is initialised by sigemptyset before it is used.
    unsafe {
        let mut none: libc::sigset_t = mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
    }
}

/// Sends a signal by number to the process behind `pidfd`.
///
/// # Errors
/// The errno of pidfd_send_signal: `ESRCH` when it has ended, `EINVAL` for a
/// number that is no signal.
pub fn send(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    // SAFETY: a null siginfo is allowed and means that of kill(2).
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal,
            ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    crate::check(result).map(drop)
}
