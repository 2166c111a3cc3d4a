//! Seccomp filters: loading, answering what they ask, reading them back.

mod inspect;
mod listener;

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

pub use inspect::installed_filter;
pub use listener::{Call, answer, hand_over, is_waiting, receive};

/// One instruction of classic BPF, in the kernel's layout.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Operation.
    pub code: u16,
    /// Instructions to skip when a condition is true.
    pub jump_true: u8,
    /// Instructions to skip when it is false.
    pub jump_false: u8,
    /// Constant.
    pub constant: u32,
}

/// `SECCOMP_FILTER_FLAG_*` bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags(pub u32);

impl Flags {
    /// All threads of the process.
    pub const THREAD_SYNC: u32 = 1;
    /// Log every action but allow.
    pub const LOG: u32 = 1 << 1;
    /// Leave speculative store bypass as it is.
    pub const SPEC_ALLOW: u32 = 1 << 2;
    /// Return a descriptor for notifications.
    pub const NEW_LISTENER: u32 = 1 << 3;
    /// With [`Flags::THREAD_SYNC`]: fail when a thread cannot be brought in
    /// step, instead of returning its number.
    pub const THREAD_SYNC_FAILS: u32 = 1 << 4;
    /// Only fatal signals interrupt a call whose notification was received.
    pub const WAIT_KILLABLE_RECEIVE: u32 = 1 << 5;
}

const SECCOMP_SET_MODE_FILTER: libc::c_uint = 1;

/// Whether this kernel knows the flags.
#[must_use]
pub fn knows(flags: Flags) -> bool {
    // SAFETY: the program's address is null, which the kernel refuses after it
    // has looked at the flags; nothing is changed.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            SECCOMP_SET_MODE_FILTER,
            flags.0,
            std::ptr::null::<libc::c_void>(),
        )
    };
    result == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EFAULT)
}

/// Adds a filter to the calling thread. Returns the listener's descriptor when
/// [`Flags::NEW_LISTENER`] is set.
///
/// # Errors
/// The errno of seccomp: `EACCES` without CAP_SYS_ADMIN and without
/// no_new_privs, `EINVAL` for a program that the kernel does not accept.
pub fn load(program: &[Instruction], flags: Flags) -> io::Result<Option<OwnedFd>> {
    #[repr(C)]
    struct Program {
        length: u16,
        filter: *const Instruction,
    }
    let length =
        u16::try_from(program.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let program = Program {
        length,
        filter: program.as_ptr(),
    };
    // SAFETY: the kernel reads `length` instructions, which outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            SECCOMP_SET_MODE_FILTER,
            flags.0,
            &raw const program,
        )
    };
    let result = crate::check(result)?;
    if flags.0 & Flags::NEW_LISTENER == 0 {
        return Ok(None);
    }
    // SAFETY: with this flag the result is a new descriptor that we own.
    Ok(Some(unsafe { OwnedFd::from_raw_fd(result as i32) }))
}
