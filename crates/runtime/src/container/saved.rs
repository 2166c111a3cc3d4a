//! What a process other than the creator needs to know of a container.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::{Deserialize, Serialize};
use tare_oci::runtime::{Hooks, Seccomp, Spec};
use tare_sys::namespace::Kinds;

use super::Container;
use crate::cgroup::{Cgroup, Place};
use crate::conditions::Conditions;
use crate::error::Error;
use crate::hook;
use crate::listener::Agent;
use crate::plan;
use crate::resctrl;
use crate::seccomp::Cache;
use crate::state_document::{self, Status};

/// A container's facts, to be kept in a file of its creator's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Saved {
    /// The name of its keyring, and of its control groups unless configured.
    pub id: String,
    /// The bundle's directory.
    pub bundle: PathBuf,
    /// The first process, in the PID namespace of the creator; 0 before there
    /// is one.
    pub pid: i32,
    /// When that process began, in clock ticks after the host's start: a
    /// number is used again, a number with its time is not. 0 before there is
    /// a process.
    pub start_time: u64,
    /// Its control groups.
    pub cgroup: Place,
    /// The configuration's annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    hooks: Hooks,
    namespaces: u64,
    agent: Option<Agent>,
    host_mounts: Option<PathBuf>,
    #[serde(default)]
    conditions: Conditions,
    #[serde(default)]
    resctrl: Option<resctrl::Place>,
    #[serde(default)]
    has_tracers: bool,
}

impl Container {
    /// The facts of a container.
    ///
    /// # Errors
    /// When its first process has been reaped.
    pub fn save(&self) -> io::Result<Saved> {
        Ok(Saved {
            id: self.id.clone(),
            bundle: self.bundle.clone(),
            pid: self.pid,
            start_time: start_time(self.pid)?.0,
            cgroup: self.cgroup.place(),
            annotations: self.annotations.clone(),
            hooks: self.hooks.clone(),
            namespaces: self.namespaces.bits(),
            agent: self.agent.clone(),
            host_mounts: self.host_mounts.clone(),
            conditions: self.conditions.clone(),
            resctrl: self.resctrl.clone(),
            has_tracers: self.has_tracers,
        })
    }
}

impl Saved {
    /// What is known before a container is made, so that what a killed creator
    /// leaves can be found: where its control groups will be.
    #[must_use]
    pub fn planned(id: &str, bundle: PathBuf, cgroup: Place) -> Saved {
        Saved {
            id: id.to_owned(),
            bundle,
            pid: 0,
            start_time: 0,
            cgroup,
            annotations: BTreeMap::new(),
            hooks: Hooks::default(),
            namespaces: 0,
            agent: None,
            host_mounts: None,
            conditions: Conditions::default(),
            resctrl: None,
            has_tracers: true,
        }
    }

    /// The facts of a container whose first process was not made here.
    ///
    /// # Errors
    /// When that process has ended.
    pub fn of_process(
        id: &str,
        bundle: &Path,
        pid: i32,
        cgroup: Place,
        spec: &Spec,
    ) -> io::Result<Saved> {
        let namespaces = spec.linux.iter().flat_map(|linux| &linux.namespaces);
        Ok(Saved {
            id: id.to_owned(),
            bundle: bundle.to_owned(),
            pid,
            start_time: start_time(pid)?.0,
            cgroup,
            annotations: spec.annotations.clone(),
            hooks: spec.hooks.clone().unwrap_or_default(),
            namespaces: namespaces
                .fold(Kinds::NONE, |all, namespace| {
                    all.union(crate::init::kinds(namespace.kind))
                })
                .bits(),
            agent: plan::seccomp(spec).and_then(Agent::of),
            host_mounts: None,
            conditions: spec.linux.as_ref().map(Conditions::of).unwrap_or_default(),
            resctrl: None,
            has_tracers: true,
        })
    }

    /// The first process, if it is still there and has not ended.
    ///
    /// # Errors
    /// When /proc cannot be read.
    pub fn process(&self) -> io::Result<Option<OwnedFd>> {
        let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.pid > 0) else {
            return Ok(None);
        };
        // First the descriptor, then the look whether it is the same process:
        // a number is not used again while it is held.
        let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
            Err(rustix::io::Errno::SRCH) => return Ok(None),
            result => result?,
        };
        match start_time(self.pid) {
            Ok((time, is_dead)) => Ok((time == self.start_time && !is_dead).then_some(pidfd)),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The container, for use by this process. Execs in it get the filter of
    /// `seccomp`, out of the cache if there is one.
    ///
    /// # Errors
    /// When its first process has ended, or the filter cannot be compiled.
    pub fn open(
        &self,
        seccomp: Option<&Seccomp>,
        cache: Option<&Cache>,
    ) -> Result<Container, Error> {
        let pidfd = self.process().map_err(Error::Clone)?.ok_or(Error::Died)?;
        Ok(Container {
            pid: self.pid,
            pidfd,
            console: None,
            listener: None,
            cgroup: self.cgroup()?,
            id: self.id.clone(),
            bundle: self.bundle.clone(),
            annotations: self.annotations.clone(),
            hooks: self.hooks.clone(),
            namespaces: Kinds::from_bits(self.namespaces),
            agent: self.agent.clone(),
            filter: plan::filter(seccomp, cache)?,
            channel: None,
            host_mounts: self.host_mounts.clone(),
            conditions: self.conditions.clone(),
            resctrl: self.resctrl.clone(),
            has_tracers: self.has_tracers,
        })
    }

    /// The control groups, whether or not they exist.
    ///
    /// # Errors
    /// When the host's hierarchies cannot be made out.
    pub fn cgroup(&self) -> Result<Cgroup, Error> {
        let mut cgroup = Cgroup::reopen(&self.cgroup)?;
        if cgroup.is_absent() && self.process().map_err(Error::Clone)?.is_some() {
            cgroup.follow(self.pid);
        }
        Ok(cgroup)
    }

    /// Ends every process of the container and removes what is left of it, as
    /// [`Container::destroy`] does. Safe to repeat.
    ///
    /// # Errors
    /// When control groups cannot be removed. What else goes wrong is
    /// returned as text.
    pub fn destroy(&self) -> Result<Vec<String>, Error> {
        let cgroup = self.cgroup()?;
        if let Some(pidfd) = self.process().map_err(Error::Clone)? {
            let _ = tare_sys::signal::send(std::os::fd::AsFd::as_fd(&pidfd), 9);
        }
        cgroup.kill()?;
        cgroup.remove()?;
        let mut failures = Vec::new();
        if let Some(place) = &self.host_mounts {
            failures.extend(crate::rootfs::unmount_host(place).err());
        }
        if let Some(place) = &self.resctrl {
            failures.extend(place.remove().err().map(|error| error.to_string()));
        }
        if !self.hooks.poststop.is_empty() {
            let state = state_document::encode(
                &self.id,
                Status::Stopped,
                0,
                &self.bundle,
                &self.annotations,
            );
            failures.extend(
                hook::run_each("poststop", &self.hooks.poststop, &state)
                    .into_iter()
                    .map(|failed| failed.to_string()),
            );
        }
        Ok(failures)
    }
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error())
}

/// When a process began, and whether it has ended (a zombie).
fn start_time(pid: i32) -> io::Result<(u64, bool)> {
    let text = std::fs::read(format!("/proc/{pid}/stat"))?;
    parse_stat(&text).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Fields 3 and 22 of /proc/PID/stat. The second, the program's name in
/// parentheses, may hold anything.
fn parse_stat(text: &[u8]) -> Option<(u64, bool)> {
    let after_name = text.iter().rposition(|byte| *byte == b')')? + 1;
    let rest = std::str::from_utf8(&text[after_name..]).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let is_dead = matches!(fields.next()?, "Z" | "X");
    let time = fields.nth(18)?.parse().ok()?;
    Some((time, is_dead))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        let line = |name: &str, rest: &str| format!("77 ({name}) {rest}").into_bytes();
        assert_eq!(parse_stat(&line("sh", rest)), Some((4711, false)));
        assert_eq!(parse_stat(&line(") Z 1 (", rest)), Some((4711, false)));
        let zombie = rest.replacen('S', "Z", 1);
        assert_eq!(parse_stat(&line("x y", &zombie)), Some((4711, true)));
        assert_eq!(parse_stat(b"77 (sh) S 1"), None);
        assert_eq!(parse_stat(b""), None);
    }

    #[test]
    fn this_process_has_a_start_time() {
        let pid = i32::try_from(std::process::id()).expect("a pid");
        let (time, is_dead) = start_time(pid).expect("readable");
        assert!(time > 0 && !is_dead);
    }
}
