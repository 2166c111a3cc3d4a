//! Signals read from a file descriptor, for programs that wait with poll.

use std::io;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::{mem, ptr};

/// Blocked signals, read one after the other instead of being delivered.
///
/// The mask is the calling thread's and stays as it is when this is dropped;
/// a process with several threads must block the signals before it starts the
/// others. Children inherit the mask.
#[derive(Debug)]
pub struct SignalFd {
    descriptor: OwnedFd,
}

impl SignalFd {
    /// Blocks `signals` and opens a descriptor that is readable whenever one of
    /// them is pending. It does not block and is closed on exec.
    ///
    /// # Errors
    /// The errno of signalfd4, such as `EMFILE`. Numbers that are no signals
    /// are left out.
    pub fn block(signals: &[i32]) -> io::Result<Self> {
        // SAFETY: the set is initialised by sigemptyset before it is used; the
        // other calls read it or change only this thread's mask.
        let descriptor = unsafe {
            let mut set: libc::sigset_t = mem::zeroed();
            libc::sigemptyset(&raw mut set);
            for signal in signals {
                libc::sigaddset(&raw mut set, *signal);
            }
            libc::sigprocmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut());
            libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
        };
        crate::check(descriptor.into())?;
        // SAFETY: the kernel has just given us this descriptor; nobody else has it.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
        Ok(Self { descriptor })
    }

    /// The number of the next pending signal, `None` when there is none.
    ///
    /// # Errors
    /// The errno of read, other than `EAGAIN`.
    pub fn next(&self) -> io::Result<Option<i32>> {
        let mut information = [0; mem::size_of::<libc::signalfd_siginfo>()];
        match rustix::io::retry_on_intr(|| rustix::io::read(&self.descriptor, &mut information)) {
            Ok(length) if length == information.len() => {
                let [a, b, c, d, ..] = information;
                Ok(Some(i32::from_ne_bytes([a, b, c, d])))
            }
            Ok(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(rustix::io::Errno::AGAIN) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for SignalFd {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
