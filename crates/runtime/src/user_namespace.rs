//! User namespaces made for their mappings alone, which idmapped mounts want.
//!
//! Owns for a moment a child process that does nothing but keep the namespace
//! until a descriptor does; it ends with its parent when that dies.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{WaitId, WaitIdOptions};
use tare_oci::runtime::IdMapping;
use tare_sys::SingleThreaded;
use tare_sys::clone::{Child, clone_process, exit_immediately};
use tare_sys::namespace::{self, Kinds};

/// Makes a user namespace with the given mappings that nothing is in.
///
/// # Errors
/// When the mappings are not valid (`EINVAL`) or not allowed to the caller
/// (`EPERM`), or the process has several threads.
pub(crate) fn make(users: &[IdMapping], groups: &[IdMapping]) -> io::Result<OwnedFd> {
    let proof = SingleThreaded::verify()?;
    let (waiting, end) = pipe_with(PipeFlags::CLOEXEC)?;
    let Some(child) = clone_process(proof, Kinds::USER, None)? else {
        drop(end);
        // Nothing is ever written: it ends when killed, or with its parent.
        let _ = rustix::io::read(&waiting, &mut [0; 1]);
        exit_immediately(0);
    };
    let made = fill(&child, users, groups);
    let _ = tare_sys::signal::send(child.pidfd.as_fd(), 9);
    while let Err(rustix::io::Errno::INTR) =
        rustix::process::waitid(WaitId::PidFd(child.pidfd.as_fd()), WaitIdOptions::EXITED)
    {}
    made
}

/// Whether the calling process is in a user namespace that does not have all
/// IDs, which only the first one does.
pub(crate) fn is_limited() -> bool {
    std::fs::read_to_string("/proc/self/uid_map")
        .is_ok_and(|map| map.split_whitespace().collect::<Vec<_>>() != ["0", "0", "4294967295"])
}

fn fill(child: &Child, users: &[IdMapping], groups: &[IdMapping]) -> io::Result<OwnedFd> {
    let path = |file: &str| format!("/proc/{}/{file}", child.pid);
    std::fs::write(path("uid_map"), lines(users))?;
    match std::fs::write(path("gid_map"), lines(groups)) {
        // Without privileges only when groups can no longer be dropped
        // (user_namespaces(7)).
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            std::fs::write(path("setgroups"), "deny")?;
            std::fs::write(path("gid_map"), lines(groups))?;
        }
        result => result?,
    }
    namespace::of_process(child.pid, Kinds::USER)
}

/// Mappings as the kernel reads them, in one write.
fn lines(mappings: &[IdMapping]) -> String {
    mappings
        .iter()
        .map(|mapping| {
            format!(
                "{} {} {}\n",
                mapping.container_id, mapping.host_id, mapping.size
            )
        })
        .collect()
}
