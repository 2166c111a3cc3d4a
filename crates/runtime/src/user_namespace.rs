//! User namespaces: their maps, and namespaces made for the maps alone.
//!
//! A map is written once, by a process outside, into /proc/PID/{uid,gid}_map.
//! Who is root writes any; who is not may map himself alone, and leaves more to
//! the host's `newuidmap` and `newgidmap`, which look up in /etc/subuid and
//! /etc/subgid what the host's administrator has granted.
//!
//! Nothing of this outlives a crash: a namespace goes with its last process or
//! descriptor.

use std::fmt::Write as _;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Stdio};

use rustix::process::{WaitId, WaitIdOptions};
use tare_oci::runtime::IdMapping;
use tare_sys::SingleThreaded;
use tare_sys::clone::{clone_process, exit_immediately};
use tare_sys::namespace::{self, Kinds};

/// Why a user namespace has no maps.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A map could not be written.
    #[error("writing {file} of the container's user namespace: {source}")]
    Write {
        /// `uid_map`, `gid_map` or `setgroups`.
        file: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The helper for those who are not root is missing or has failed.
    #[error(
        "{program}, which maps more than the caller's own ID, {reason}; it comes with the package \
         uidmap and needs the caller in /etc/subuid and /etc/subgid"
    )]
    Program {
        /// Its name.
        program: &'static str,
        /// What went wrong.
        reason: String,
    },
    /// A namespace for an idmapped mount could not be made.
    #[error("making a user namespace for the mount's mappings: {0}")]
    Make(#[source] io::Error),
}

/// The text of a map.
fn map(mappings: &[IdMapping]) -> String {
    let mut text = String::new();
    for mapping in mappings {
        let _ = writeln!(
            text,
            "{} {} {}",
            mapping.container_id, mapping.host_id, mapping.size
        );
    }
    text
}

/// Writes the maps of a new user namespace's first process.
pub(crate) fn write_maps(pid: i32, uid: &[IdMapping], gid: &[IdMapping]) -> Result<(), Error> {
    let write = |file: &'static str, text: &str| {
        std::fs::write(format!("/proc/{pid}/{file}"), text)
            .map_err(|source| Error::Write { file, source })
    };
    if rustix::process::geteuid().is_root() {
        write("uid_map", &map(uid))?;
        return write("gid_map", &map(gid));
    }
    match own(uid, rustix::process::geteuid().as_raw()) {
        true => write("uid_map", &map(uid))?,
        false => execute("newuidmap", pid, uid)?,
    }
    match own(gid, rustix::process::getegid().as_raw()) {
        true => {
            // Dropping a group could open what it is kept from: without
            // privilege the kernel wants this off first.
            write("setgroups", "deny")?;
            write("gid_map", &map(gid))
        }
        false => execute("newgidmap", pid, gid),
    }
}

/// Whether a map is that of the caller alone.
fn own(mappings: &[IdMapping], id: u32) -> bool {
    matches!(mappings, [one] if one.size == 1 && one.host_id == id)
}

fn execute(program: &'static str, pid: i32, mappings: &[IdMapping]) -> Result<(), Error> {
    let failed = |reason: String| Error::Program { program, reason };
    let mut command = Command::new(program);
    let output = tare_sys::signal::unblock_in(&mut command)
        .arg(pid.to_string())
        .args(mappings.iter().flat_map(|mapping| {
            [mapping.container_id, mapping.host_id, mapping.size].map(|id| id.to_string())
        }))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(format!("cannot be executed: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(failed(format!("failed: {}", said.trim())))
}

/// Whether the calling process is in a user namespace that does not have all
/// IDs, which only the host's does.
pub(crate) fn is_limited() -> bool {
    std::fs::read_to_string("/proc/self/uid_map")
        .is_ok_and(|map| !map.split_whitespace().eq(["0", "0", "4294967295"]))
}

/// Makes a user namespace with the given maps in which no process stays.
pub(crate) fn make(uid: &[IdMapping], gid: &[IdMapping]) -> Result<OwnedFd, Error> {
    let proof = SingleThreaded::verify().map_err(Error::Make)?;
    let Some(child) = clone_process(proof, Kinds::USER, None).map_err(Error::Make)? else {
        // The copy has nothing to do but to be there until it is killed, at the
        // latest when its maker ends.
        let kill = Some(rustix::process::Signal::KILL);
        if rustix::process::set_parent_process_death_signal(kill).is_err() {
            exit_immediately(1);
        }
        loop {
            rustix::event::pause();
        }
    };
    let made = write_maps(child.pid, uid, gid)
        .and_then(|()| namespace::of_process(child.pid, Kinds::USER).map_err(Error::Make));
    let _ = tare_sys::signal::send(child.pidfd.as_fd(), 9);
    while let Err(rustix::io::Errno::INTR) =
        rustix::process::waitid(WaitId::PidFd(child.pidfd.as_fd()), WaitIdOptions::EXITED)
    {}
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(container_id: u32, host_id: u32, size: u32) -> IdMapping {
        IdMapping {
            container_id,
            host_id,
            size,
        }
    }

    #[test]
    fn a_map_has_a_line_for_each_range() {
        let mappings = [mapping(0, 1000, 1), mapping(1, 100_000, 65_536)];
        assert_eq!(map(&mappings), "0 1000 1\n1 100000 65536\n");
    }

    #[test]
    fn only_a_single_id_is_ones_own() {
        assert!(own(&[mapping(0, 1000, 1)], 1000));
        assert!(!own(&[mapping(0, 1000, 2)], 1000));
        assert!(!own(&[mapping(0, 1001, 1)], 1000));
        assert!(!own(&[mapping(0, 1000, 1), mapping(1, 5, 1)], 1000));
    }
}
