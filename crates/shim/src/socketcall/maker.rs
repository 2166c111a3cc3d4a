//! The process that answers one call: it learns who calls, becomes like them,
//! makes the socket and hands it over.
//!
//! It is a process and not a thread, for only a process with one thread can
//! enter a user namespace, and because making a socket may take long: the
//! kernel loads modules for it.

use std::io;
use std::os::fd::BorrowedFd;

use tare_sys::SingleThreaded;
use tare_sys::seccomp::{self, Call};

use super::arguments;
use super::caller::Caller;

const ENOENT: i32 = 2;
const EIO: i32 = 5;

/// Answers the call, unless it is gone.
pub(super) fn answer(
    proof: SingleThreaded,
    listener: BorrowedFd<'_>,
    call: &Call,
    caller: &Caller,
) {
    if let Err(error) = make(proof, listener, call, caller) {
        // The caller gets what socket(2) would have said.
        let errno = error.raw_os_error().unwrap_or(EIO);
        let _ = seccomp::answer(listener, call.id, Err(errno));
    }
}

fn make(
    proof: SingleThreaded,
    listener: BorrowedFd<'_>,
    call: &Call,
    caller: &Caller,
) -> io::Result<()> {
    let memory = caller.read_memory(call.arguments[1] & 0xffff_ffff)?;
    let identity = caller.identity()?;
    // Only now is it certain whose memory and identity that was.
    if !seccomp::is_waiting(listener, call.id) {
        return Err(io::Error::from_raw_os_error(ENOENT));
    }
    let socket = arguments::parse(memory)?;
    identity.take_on(proof)?;
    let made = tare_sys::socket::socket(socket.domain, socket.kind, socket.protocol)?;
    seccomp::hand_over(
        listener,
        call.id,
        std::os::fd::AsFd::as_fd(&made),
        socket.close_on_exec,
    )
}
