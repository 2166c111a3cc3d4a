//! System calls that the standard library and rustix lack; the only crate with unsafe code.
//!
//! Every function here is a thin, safe wrapper: it takes and returns owned or
//! borrowed file descriptors and plain values, allocates nothing it need not,
//! and reports failure as [`std::io::Error`] holding the kernel's errno. What a
//! caller must guarantee and the type system cannot (that the process has one
//! thread only) is checked once and carried as a token, [`SingleThreaded`].

pub mod bpf;
pub mod clone;
pub mod descriptor;
pub mod execute;
pub mod keyring;
pub mod memory;
pub mod mount;
pub mod namespace;
pub mod netlink;
pub mod scheduling;
pub mod seccomp;
pub mod signal;
pub mod signalfd;
pub mod socket;
mod thread;

pub use thread::SingleThreaded;

/// Turns a raw system call's result into [`std::io::Result`].
fn check(result: libc::c_long) -> std::io::Result<libc::c_long> {
    if result == -1 {
        Err(std::io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Whether an open file or directory is the kernel's own account of processes.
fn is_procfs(file: std::os::fd::BorrowedFd<'_>) -> std::io::Result<bool> {
    const PROC_SUPER_MAGIC: u64 = 0x9fa0;
    Ok(rustix::fs::fstatfs(file)?.f_type as u64 == PROC_SUPER_MAGIC)
}
