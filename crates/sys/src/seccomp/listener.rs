//! The other end of a filter that notifies: calls that wait for an answer.
//!
//! A call is gone when its thread is killed or gets a signal; whoever answers
//! it then is told `ENOENT`, at every step. Its thread's number may belong to
//! another by then, so what is learnt by the number counts only when
//! [`is_waiting`] says so afterwards.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// A call that waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// What it is answered by.
    pub id: u64,
    /// The calling thread, in the reader's PID namespace; 0 from outside.
    pub thread: u32,
    /// The kernel's audit number of the architecture.
    pub architecture: u32,
    /// The call's number.
    pub number: i32,
    /// Its arguments.
    pub arguments: [u64; 6],
}

/// `struct seccomp_notif`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Notification {
    id: u64,
    pid: u32,
    flags: u32,
    number: i32,
    architecture: u32,
    instruction_pointer: u64,
    arguments: [u64; 6],
}

/// `struct seccomp_notif_resp`.
#[repr(C)]
struct Response {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

/// `struct seccomp_notif_addfd`.
#[repr(C)]
struct AddDescriptor {
    id: u64,
    flags: u32,
    source: u32,
    new: u32,
    new_flags: u32,
}

const RECEIVE: libc::Ioctl = 0xc050_2100_u32 as libc::Ioctl;
const SEND: libc::Ioctl = 0xc018_2101_u32 as libc::Ioctl;
const ID_VALID: libc::Ioctl = 0x4008_2102;
const ADD_DESCRIPTOR: libc::Ioctl = 0x4018_2103;

/// Takes the next call. Waits for one unless the descriptor polls readable.
///
/// # Errors
/// `ENOENT` when the call is gone again; else the errno of the ioctl.
pub fn receive(listener: BorrowedFd<'_>) -> io::Result<Call> {
    // The kernel writes as much as it knows of, which may become more; it
    // wants zeros before.
    #[repr(C)]
    struct Space {
        notification: Notification,
        rest: [u64; 32],
    }
    // SAFETY: plain data, for which all zeros is valid.
    let mut space: Space = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes one notification, for which there is room.
    let result = unsafe { libc::ioctl(listener.as_raw_fd(), RECEIVE, &raw mut space) };
    crate::check(result.into())?;
    let Notification {
        id,
        pid,
        number,
        architecture,
        arguments,
        ..
    } = space.notification;
    Ok(Call {
        id,
        thread: pid,
        architecture,
        number,
        arguments,
    })
}

/// Whether the call still waits, so that its thread's number is still its.
#[must_use]
pub fn is_waiting(listener: BorrowedFd<'_>, id: u64) -> bool {
    // SAFETY: the kernel reads one integer.
    let result = unsafe { libc::ioctl(listener.as_raw_fd(), ID_VALID, &raw const id) };
    result == 0
}

/// Ends the call with a result or an errno.
///
/// # Errors
/// `ENOENT` when it is gone.
pub fn answer(listener: BorrowedFd<'_>, id: u64, result: Result<i64, i32>) -> io::Result<()> {
    let mut response = Response {
        id,
        value: result.unwrap_or(0),
        error: result.err().map_or(0, |errno| -errno),
        flags: 0,
    };
    // SAFETY: the kernel reads one response.
    let result = unsafe { libc::ioctl(listener.as_raw_fd(), SEND, &raw mut response) };
    crate::check(result.into()).map(drop)
}

/// Gives the calling process a descriptor and ends the call with its number.
///
/// # Errors
/// `ENOENT` when the call is gone, `EMFILE` when the process may have no
/// further descriptor; else the errno of the ioctl.
pub fn hand_over(
    listener: BorrowedFd<'_>,
    id: u64,
    descriptor: BorrowedFd<'_>,
    close_on_exec: bool,
) -> io::Result<()> {
    const AND_SEND: u32 = 2;
    let mut request = AddDescriptor {
        id,
        flags: AND_SEND,
        source: descriptor.as_raw_fd() as u32,
        new: 0,
        new_flags: if close_on_exec {
            libc::O_CLOEXEC as u32
        } else {
            0
        },
    };
    let add = |request: &AddDescriptor| {
        // SAFETY: the kernel reads one request.
        let result = unsafe {
            libc::ioctl(
                listener.as_raw_fd(),
                ADD_DESCRIPTOR,
                std::ptr::from_ref(request),
            )
        };
        crate::check(result.into())
    };
    match add(&request) {
        // Before 5.14 in two steps; a signal between them costs the process a
        // descriptor that it does not know of.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            request.flags = 0;
            let number = add(&request)?;
            answer(listener, id, Ok(number))
        }
        result => result.map(drop),
    }
}
