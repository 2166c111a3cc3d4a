//! What is set while the host's /proc is still there.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags};

use tare_oci::runtime::Process;

use super::Prepared;
use crate::error::Error;
use crate::failure::{Failure, Step};

/// Refuses labels of what this host has not.
pub(super) fn check(process: &Process) -> Result<(), Error> {
    let asked = |label: &Option<String>| label.as_deref().is_some_and(|label| !label.is_empty());
    if asked(&process.apparmor_profile)
        && process.apparmor_profile.as_deref() != Some("unconfined")
        && !has_apparmor()
    {
        return Err(Error::configuration(
            "process.apparmorProfile",
            "the host has no AppArmor, or it is off",
        ));
    }
    if asked(&process.selinux_label) && !has_selinux() {
        return Err(Error::configuration(
            "process.selinuxLabel",
            "selinux label is specified in config, but selinux is disabled or not supported",
        ));
    }
    Ok(())
}

fn has_apparmor() -> bool {
    std::fs::read_to_string("/sys/module/apparmor/parameters/enabled")
        .is_ok_and(|text| text.starts_with('Y'))
}

/// Whether the kernel has SELinux and it is on: without it nothing says what
/// /proc/self/attr holds, which it shares with other modules.
pub(crate) fn has_selinux() -> bool {
    const SELINUX_MAGIC: i64 = 0xf97c_ff8c;
    rustix::fs::statfs("/sys/fs/selinux").is_ok_and(|status| status.f_type == SELINUX_MAGIC)
}

impl Prepared {
    /// What has to happen while the host's /proc is still there: the
    /// out-of-memory score and the label of the program. The parent may do the
    /// first itself.
    pub(crate) fn apply_on_host(&self, scored_by_parent: bool) -> Result<(), Failure> {
        self.apply_score(scored_by_parent)?;
        self.apply_label()
    }

    /// Sets the out-of-memory score, unless the parent does it.
    pub(crate) fn apply_score(&self, scored_by_parent: bool) -> Result<(), Failure> {
        if let Some(adjustment) = self.process.oom_score_adj.filter(|_| !scored_by_parent) {
            let value = adjustment.to_string();
            match write_own(c"self/oom_score_adj", &value) {
                // Below what one has is for the host's root.
                Err(error) if self.rootless && is_denied(&error) => {}
                result => {
                    result.map_err(|error| Failure::new(Step::OomScore, value, error))?;
                }
            }
        }
        Ok(())
    }

    /// Sets the label that the next program gets which this process or a child
    /// of it executes.
    pub(crate) fn apply_label(&self) -> Result<(), Failure> {
        let process = &self.process;
        if let Some(profile) = process
            .apparmor_profile
            .as_deref()
            .filter(|name| !name.is_empty())
        {
            apply_apparmor(profile)?;
        }
        if let Some(label) = process
            .selinux_label
            .as_deref()
            .filter(|label| !label.is_empty())
        {
            write_own(c"thread-self/attr/exec", label)
                .map_err(|error| Failure::new(Step::Label, label, error))?;
        }
        Ok(())
    }
}

/// Writes to a file of the calling process in the host's /proc: verified to be
/// a procfs, with nothing mounted on top on the way.
fn write_own(path: &CStr, value: &str) -> io::Result<()> {
    const PROC_SUPER_MAGIC: i64 = 0x9fa0;
    let proc = rustix::fs::open(
        "/proc",
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    if rustix::fs::fstatfs(&proc)?.f_type != PROC_SUPER_MAGIC {
        return Err(io::Error::other("/proc is not a proc file system"));
    }
    write_below(proc.as_fd(), path, value)
}

/// Writes to a file below a procfs, with nothing mounted on top on the way.
pub(crate) fn write_below(proc: BorrowedFd<'_>, path: &CStr, value: &str) -> io::Result<()> {
    let file = rustix::fs::openat2(
        proc,
        path,
        OFlags::WRONLY | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_MAGICLINKS,
    )?;
    let written = rustix::io::write(&file, value.as_bytes())?;
    if written == value.len() {
        Ok(())
    } else {
        Err(io::ErrorKind::WriteZero.into())
    }
}

fn is_denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

fn apply_apparmor(profile: &str) -> Result<(), Failure> {
    // Nothing else passes [`check`] then.
    if profile == "unconfined" && !has_apparmor() {
        return Ok(());
    }
    let value = format!("exec {profile}");
    let result = match write_own(c"thread-self/attr/apparmor/exec", &value) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            write_own(c"thread-self/attr/exec", &value)
        }
        result => result,
    };
    result.map_err(|error| Failure::new(Step::Label, profile, error))
}
