//! Sockets that 32-bit programs make through i386's `socketcall`
//! (CVE-2026-31431).
//!
//! AF_ALG and AF_VSOCK reach beyond a container, so the default filter refuses
//! them. `socketcall(SYS_SOCKET, arguments)` has the family behind a pointer,
//! where a filter cannot look; refusing the call altogether breaks 32-bit
//! programs. So the default filter lets that one call wait for an answer from
//! here. A process made for it (`maker`) reads the arguments once from the
//! caller's memory, makes the socket as the caller would have, and puts it
//! into the caller's table of descriptors. The kernel never goes on with the
//! call itself: the program could change the arguments in between.
//!
//! This owns the filters' listeners, one for each program that was started in
//! the container, and the processes that answer. When the shim is gone, the
//! kernel fails the call with ENOSYS. Nothing is left of it anywhere else.
//!
//! What it costs: the kernel allows a process one listener, so a program in
//! the container that installs a filter with a listener of its own is told
//! EBUSY. Who wants that, and has something else that denies these families,
//! gives the container a filter without supervision
//! (`tare_runtime::defaults::IndirectSockets`), or any profile of their own.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use rustix::process::{WaitId, WaitIdOptions};
use tare_sys::SingleThreaded;
use tare_sys::clone::{clone_process, exit_immediately};
use tare_sys::namespace::Kinds;
use tare_sys::seccomp::{self, Call};

mod arguments;
mod caller;
mod maker;
#[cfg(test)]
mod tests;

use caller::Caller;

/// How many calls are answered at once; others wait. A container must not be
/// able to fill the host with processes.
const AT_ONCE: usize = 4;

const AUDIT_ARCH_I386: u32 = 0x4000_0003;
const NR_SOCKETCALL: i32 = 102;
const SYS_SOCKET: u64 = 1;

const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const ENOSYS: i32 = 38;

/// The listeners of a container's filters, and who answers just now.
#[derive(Debug, Default)]
pub(crate) struct Socketcalls {
    listeners: Vec<Rc<OwnedFd>>,
    makers: Vec<Maker>,
}

/// A process that answers one call.
#[derive(Debug)]
struct Maker {
    pidfd: OwnedFd,
    listener: Rc<OwnedFd>,
    id: u64,
}

/// What a descriptor in the poll set stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// A filter's listener, by its place.
    Listener(usize),
    /// A process that answers, by its place.
    Maker(usize),
}

impl Socketcalls {
    /// Takes the listener of a program's filter over.
    pub(crate) fn add(&mut self, listener: OwnedFd) {
        self.listeners.push(Rc::new(listener));
    }

    /// What to poll for reading now.
    pub(crate) fn interests<'a>(&'a self, mut each: impl FnMut(BorrowedFd<'a>, Wake)) {
        for (place, maker) in self.makers.iter().enumerate() {
            each(maker.pidfd.as_fd(), Wake::Maker(place));
        }
        if self.makers.len() < AT_ONCE {
            for (place, listener) in self.listeners.iter().enumerate() {
                each(listener.as_fd(), Wake::Listener(place));
            }
        }
    }

    /// Does what has become possible, without waiting. `hung_up` holds for a
    /// listener whose processes have all ended.
    pub(crate) fn ready(&mut self, ready: &[(Wake, bool)]) {
        let mut gone = Vec::new();
        for (wake, hung_up) in ready {
            match *wake {
                Wake::Listener(place) if *hung_up => gone.push(place),
                Wake::Listener(place) => self.take(place),
                Wake::Maker(_) => {}
            }
        }
        // Places stay true until here.
        for place in gone.into_iter().rev() {
            self.listeners.remove(place);
        }
        self.makers.retain(|maker| !maker.has_ended());
    }

    fn take(&mut self, place: usize) {
        if self.makers.len() >= AT_ONCE {
            return;
        }
        let listener = Rc::clone(&self.listeners[place]);
        let call = match seccomp::receive(listener.as_fd()) {
            Ok(call) => call,
            Err(error) => {
                // Given up by its caller, or asked for in vain.
                if !matches!(error.raw_os_error(), Some(ENOENT)) {
                    eprintln!("cannot receive a call: {error}");
                }
                return;
            }
        };
        match self.begin(&listener, call) {
            Ok(()) => {}
            Err(error) => {
                let errno = error.raw_os_error().unwrap_or(EPERM);
                let _ = seccomp::answer(listener.as_fd(), call.id, Err(errno));
            }
        }
    }

    fn begin(&mut self, listener: &Rc<OwnedFd>, call: Call) -> io::Result<()> {
        if (call.architecture, call.number) != (AUDIT_ARCH_I386, NR_SOCKETCALL)
            || call.arguments[0] & 0xffff_ffff != SYS_SOCKET
        {
            // A filter of somebody's own that nobody listens to.
            return Err(io::Error::from_raw_os_error(ENOSYS));
        }
        let proof = SingleThreaded::verify()?;
        let caller = Caller::open(call.thread)?;
        // Time and memory are the container's, where groups can be entered at
        // birth; with v1 it would cost milliseconds.
        let group = caller.control_group();
        if !seccomp::is_waiting(listener.as_fd(), call.id) {
            return Err(io::Error::from_raw_os_error(ENOENT));
        }
        let child = clone_process(proof, Kinds::NONE, group.as_ref().map(AsFd::as_fd))
            .or_else(|_| clone_process(proof, Kinds::NONE, None))?;
        let Some(child) = child else {
            // A panic must not unwind into the shim's code, of which this is
            // a second copy.
            let answer = std::panic::AssertUnwindSafe(|| {
                maker::answer(proof, listener.as_fd(), &call, &caller)
            });
            let done = std::panic::catch_unwind(answer).is_ok();
            exit_immediately(i32::from(!done));
        };
        self.makers.push(Maker {
            pidfd: child.pidfd,
            listener: Rc::clone(listener),
            id: call.id,
        });
        Ok(())
    }
}

impl Maker {
    /// Reaps the process if it has ended; then the call has its answer.
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        match rustix::process::waitid(WaitId::PidFd(self.pidfd.as_fd()), options) {
            Ok(None) | Err(rustix::io::Errno::INTR) => false,
            Ok(Some(status)) if status.exit_status() == Some(0) => true,
            // Killed on its way: the caller must not wait for ever. That it
            // has been answered before all the same is fine.
            _ => {
                let _ = seccomp::answer(self.listener.as_fd(), self.id, Err(EPERM));
                true
            }
        }
    }
}
