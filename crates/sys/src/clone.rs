//! Process creation by clone3, with namespaces, a control group and a pidfd.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::SingleThreaded;
use crate::namespace::Kinds;

/// A process made by [`clone_process`], as its parent sees it.
#[derive(Debug)]
pub struct Child {
    /// Its number in the caller's PID namespace.
    pub pid: i32,
    /// A descriptor for it, close-on-exec.
    pub pidfd: OwnedFd,
}

/// Makes a copy of the calling process, as fork does.
///
/// The child starts in new namespaces of the given `kinds` and, when given, in
/// the v2 control group behind `cgroup`. Handlers of signals are reset in it,
/// but not ignored signals. Returns `None` in the child.
///
/// # Errors
/// The errno of clone3; `EBUSY` when the control group cannot hold processes.
pub fn clone_process(
    proof: SingleThreaded,
    kinds: Kinds,
    cgroup: Option<BorrowedFd<'_>>,
) -> io::Result<Option<Child>> {
    clone_as(proof, kinds, cgroup, Kin::Child)
}

/// As [`clone_process`], but the new process is a child of the caller's own
/// parent, who reaps it: for a process that goes where its parent cannot, makes
/// another there for it, and ends.
///
/// # Errors
/// As [`clone_process`].
pub fn clone_sibling(
    proof: SingleThreaded,
    kinds: Kinds,
    cgroup: Option<BorrowedFd<'_>>,
) -> io::Result<Option<Child>> {
    clone_as(proof, kinds, cgroup, Kin::Sibling)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kin {
    Child,
    Sibling,
}

fn clone_as(
    _proof: SingleThreaded,
    kinds: Kinds,
    cgroup: Option<BorrowedFd<'_>>,
    kin: Kin,
) -> io::Result<Option<Child>> {
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
    const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;

    let mut pidfd: libc::c_int = -1;
    // SAFETY: clone_args is plain data, for which all zeros is valid.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = kinds.bits() | libc::CLONE_PIDFD as u64 | CLONE_CLEAR_SIGHAND;
    arguments.pidfd = (&raw mut pidfd) as u64;
    match kin {
        Kin::Child => arguments.exit_signal = libc::SIGCHLD as u64,
        // The signal is that of the caller's own end; naming one is refused.
        Kin::Sibling => arguments.flags |= libc::CLONE_PARENT as u64,
    }
    if let Some(cgroup) = cgroup {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = cgroup.as_raw_fd() as u64;
    }
    // SAFETY: without CLONE_VM the child runs on a copy of this address space,
    // so a stack of its own is not needed; with one thread in the process (the
    // token) no lock can be held by a thread that the child lacks. The kernel
    // reads `arguments` and writes `pidfd`, which both outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            &raw mut arguments,
            size_of::<libc::clone_args>(),
        )
    };
    match crate::check(result)? {
        0 => Ok(None),
        pid => Ok(Some(Child {
            pid: pid as i32,
            // SAFETY: the kernel has just stored a new descriptor there, which
            // nothing else owns.
            pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) },
        })),
    }
}

/// Makes a copy of the calling process by the old call, for a process under a
/// system call filter. Returns the child's number, `None` in the child.
///
/// # Errors
/// The errno of fork.
pub fn fork(_proof: SingleThreaded) -> io::Result<Option<i32>> {
    // SAFETY: with one thread in the process (the token) no lock can be held by
    // a thread that the child lacks.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        pid => Ok(Some(pid)),
    }
}

/// Ends the calling process at once, without running destructors or exit
/// handlers: the only way for a copy made by [`clone_process`] to end.
pub fn exit_immediately(code: i32) -> ! {
    // SAFETY: _exit has no preconditions and does not return.
    unsafe { libc::_exit(code) }
}
