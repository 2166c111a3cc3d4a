//! Entering and leaving namespaces.
//!
//! A process with several threads enters a namespace only on a thread made for
//! it ([`run_in`], [`run_in_new`]), which ends afterwards, and only by closures
//! that return values and descriptors. A process that has proved to be
//! single-threaded may move as a whole ([`enter`], [`enter_process`],
//! [`leave`]); only a container's init step does.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};

use crate::SingleThreaded;

/// A set of namespace kinds, as clone flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds(u64);

impl Kinds {
    /// No namespace.
    pub const NONE: Kinds = Kinds(0);
    /// Mount namespace.
    pub const MOUNT: Kinds = Kinds(libc::CLONE_NEWNS as u64);
    /// Control group namespace.
    pub const CGROUP: Kinds = Kinds(libc::CLONE_NEWCGROUP as u64);
    /// Host and domain name.
    pub const UTS: Kinds = Kinds(libc::CLONE_NEWUTS as u64);
    /// System V IPC and POSIX message queues.
    pub const IPC: Kinds = Kinds(libc::CLONE_NEWIPC as u64);
    /// User and group IDs.
    pub const USER: Kinds = Kinds(libc::CLONE_NEWUSER as u64);
    /// Process IDs.
    pub const PID: Kinds = Kinds(libc::CLONE_NEWPID as u64);
    /// Network.
    pub const NETWORK: Kinds = Kinds(libc::CLONE_NEWNET as u64);
    /// Clocks.
    pub const TIME: Kinds = Kinds(0x80);

    /// The set of these clone flags.
    #[must_use]
    pub fn from_bits(bits: u64) -> Kinds {
        Kinds(bits)
    }

    /// The clone flags.
    #[must_use]
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Both sets together.
    #[must_use]
    pub fn union(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// This set without `other`.
    #[must_use]
    pub fn difference(self, other: Kinds) -> Kinds {
        Kinds(self.0 & !other.0)
    }

    /// Whether all of `other` is in this set.
    #[must_use]
    pub fn contains(self, other: Kinds) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The name of the file in /proc/PID/ns, for a set of one kind.
    #[must_use]
    pub fn file_name(self) -> Option<&'static str> {
        Some(match self {
            Kinds::MOUNT => "mnt",
            Kinds::CGROUP => "cgroup",
            Kinds::UTS => "uts",
            Kinds::IPC => "ipc",
            Kinds::USER => "user",
            Kinds::PID => "pid",
            Kinds::NETWORK => "net",
            Kinds::TIME => "time",
            _ => return None,
        })
    }
}

/// Moves the process into the namespace behind `namespace`, which must be of
/// the given kind. For [`Kinds::PID`] and [`Kinds::TIME`] the move concerns
/// children to come.
///
/// # Errors
/// The errno of setns.
pub fn enter(_proof: SingleThreaded, namespace: BorrowedFd<'_>, kind: Kinds) -> io::Result<()> {
    set_namespace(namespace, kind)
}

/// Moves the process into those namespaces of the process behind `pidfd` that
/// are of the given kinds.
///
/// # Errors
/// The errno of setns; `ESRCH` when that process has ended.
pub fn enter_process(
    _proof: SingleThreaded,
    pidfd: BorrowedFd<'_>,
    kinds: Kinds,
) -> io::Result<()> {
    set_namespace(pidfd, kinds)
}

/// Moves the process into new namespaces of the given kinds.
///
/// # Errors
/// The errno of unshare.
pub fn leave(_proof: SingleThreaded, kinds: Kinds) -> io::Result<()> {
    unshare(kinds)
}

/// Runs a closure on a thread of its own inside the given namespaces, entered
/// in order, and returns what it returns. The thread ends before this does.
///
/// # Errors
/// The errno of the failing setns, or that of making the thread. A panic of
/// the closure is carried on.
pub fn run_in<T, F>(namespaces: &[(BorrowedFd<'_>, Kinds)], closure: F) -> io::Result<T>
where
    T: Send,
    F: FnOnce() -> T + Send,
{
    on_own_thread(move || {
        for (namespace, kind) in namespaces {
            set_namespace(*namespace, *kind)?;
        }
        Ok(closure())
    })
}

/// Runs a closure on a thread of its own inside new namespaces of the given
/// kinds, and returns what it returns. The namespaces last as long as a
/// descriptor, socket or mount that the closure has made keeps them.
///
/// # Errors
/// As [`run_in`].
pub fn run_in_new<T, F>(kinds: Kinds, closure: F) -> io::Result<T>
where
    T: Send,
    F: FnOnce() -> T + Send,
{
    on_own_thread(move || {
        unshare(kinds)?;
        Ok(closure())
    })
}

/// Opens the calling thread's namespace of one kind.
///
/// # Errors
/// When `kind` is not exactly one kind, or /proc cannot be read.
pub fn current(kind: Kinds) -> io::Result<OwnedFd> {
    open_file("/proc/thread-self/ns", kind)
}

/// Opens another process's namespace of one kind.
///
/// # Errors
/// When `kind` is not exactly one kind, or the process has ended.
pub fn of_process(pid: i32, kind: Kinds) -> io::Result<OwnedFd> {
    open_file(&format!("/proc/{pid}/ns"), kind)
}

/// Makes a network namespace that nothing is in and returns it. The loopback
/// interface in it is down.
///
/// # Errors
/// As [`run_in`].
pub fn new_network() -> io::Result<OwnedFd> {
    run_in_new(Kinds::NETWORK, || current(Kinds::NETWORK))?
}

fn open_file(directory: &str, kind: Kinds) -> io::Result<OwnedFd> {
    let name = kind
        .file_name()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    Ok(rustix::fs::open(
        format!("{directory}/{name}"),
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )?)
}

fn on_own_thread<T, F>(closure: F) -> io::Result<T>
where
    T: Send,
    F: FnOnce() -> io::Result<T> + Send,
{
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("namespace".to_owned())
            .stack_size(256 * 1024)
            .spawn_scoped(scope, closure)?;
        match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn set_namespace(fd: impl AsFd, kinds: Kinds) -> io::Result<()> {
    // SAFETY: setns only reads its two integer arguments; the callers above see
    // to it that no other thread of the process is affected.
    let result = unsafe { libc::setns(fd.as_fd().as_raw_fd(), kinds.0 as libc::c_int) };
    crate::check(result.into()).map(drop)
}

fn unshare(kinds: Kinds) -> io::Result<()> {
    // SAFETY: as for setns above; namespace kinds never include CLONE_FILES, so
    // descriptors stay shared between the threads of the process.
    let result = unsafe { libc::unshare(kinds.0 as libc::c_int) };
    crate::check(result.into()).map(drop)
}
