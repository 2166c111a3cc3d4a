//! What is set while the host's /proc is still there.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use tare_oci::runtime::{IoPriority, IoPriorityClass, Scheduler, SchedulerPolicy};
use tare_sys::scheduling::{self, SchedulerAttributes};

use super::Prepared;
use crate::failure::{Failure, Step};

impl Prepared {
    /// What has to happen while the host's /proc is still there: the
    /// out-of-memory score, the label of the program, and what the scheduler
    /// has to know.
    /// The parent may do the first itself.
    pub(crate) fn apply_on_host(&self, scored_by_parent: bool) -> Result<(), Failure> {
        let process = &self.process;
        if let Some(adjustment) = process.oom_score_adj.filter(|_| !scored_by_parent) {
            let value = adjustment.to_string();
            match write_own(c"self/oom_score_adj", &value) {
                // Below what one has is for the host's root.
                Err(error) if self.rootless && is_denied(&error) => {}
                result => {
                    result.map_err(|error| Failure::new(Step::OomScore, value, error))?;
                }
            }
        }
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
        if let Some(scheduler) = &process.scheduler {
            let attributes = scheduler_attributes(scheduler)?;
            scheduling::set_scheduler(attributes)
                .map_err(|error| Failure::new(Step::Scheduling, "setting the scheduler", error))?;
        }
        if let Some(priority) = &process.io_priority {
            apply_io_priority(priority)?;
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
    let enabled = std::fs::read_to_string("/sys/module/apparmor/parameters/enabled")
        .is_ok_and(|text| text.starts_with('Y'));
    if !enabled {
        if profile == "unconfined" {
            return Ok(());
        }
        return Err(Failure::sentence(
            Step::Label,
            format!("the AppArmor profile {profile} is asked for but the host has no AppArmor"),
        ));
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

fn apply_io_priority(priority: &IoPriority) -> Result<(), Failure> {
    let class = match priority.class {
        IoPriorityClass::RealTime => 1,
        IoPriorityClass::BestEffort => 2,
        IoPriorityClass::Idle => 3,
    };
    let level = priority.priority;
    let Some(level) = u16::try_from(level).ok().filter(|level| *level < 8) else {
        return Err(Failure::sentence(
            Step::Scheduling,
            format!("process.ioPriority.priority: {level} is not from 0 to 7"),
        ));
    };
    scheduling::set_io_priority(class, level)
        .map_err(|error| Failure::new(Step::Scheduling, "setting the I/O priority", error))
}

fn scheduler_attributes(scheduler: &Scheduler) -> Result<SchedulerAttributes, Failure> {
    let mut flags = 0;
    for flag in &scheduler.flags {
        flags |= match flag.as_str() {
            "SCHED_FLAG_RESET_ON_FORK" => 0x01,
            "SCHED_FLAG_RECLAIM" => 0x02,
            "SCHED_FLAG_DL_OVERRUN" => 0x04,
            "SCHED_FLAG_KEEP_POLICY" => 0x08,
            "SCHED_FLAG_KEEP_PARAMS" => 0x10,
            "SCHED_FLAG_UTIL_CLAMP_MIN" => 0x20,
            "SCHED_FLAG_UTIL_CLAMP_MAX" => 0x40,
            other => {
                return Err(Failure::sentence(
                    Step::Scheduling,
                    format!("process.scheduler.flags: {other:?} is no flag"),
                ));
            }
        };
    }
    let mut attributes = SchedulerAttributes::default();
    attributes.policy = match scheduler.policy {
        SchedulerPolicy::SchedOther => 0,
        SchedulerPolicy::SchedFifo => 1,
        SchedulerPolicy::SchedRr => 2,
        SchedulerPolicy::SchedBatch => 3,
        SchedulerPolicy::SchedIso => 4,
        SchedulerPolicy::SchedIdle => 5,
        SchedulerPolicy::SchedDeadline => 6,
    };
    attributes.flags = flags;
    attributes.nice = scheduler.nice;
    attributes.priority = u32::try_from(scheduler.priority).unwrap_or(u32::MAX);
    attributes.runtime = scheduler.runtime;
    attributes.deadline = scheduler.deadline;
    attributes.period = scheduler.period;
    Ok(attributes)
}
