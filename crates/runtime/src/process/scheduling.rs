//! The scheduler and the I/O priority of a program, set by the process that
//! makes it.
//!
//! From outside, because real-time and deadline policies are for the host's
//! root, whom a process in a user namespace is not; and last, because a process
//! with a deadline may have no children, as which hooks run.

use std::io;

use tare_oci::runtime::{IoPriority, IoPriorityClass, Scheduler, SchedulerPolicy};
use tare_sys::scheduling::{self, SchedulerAttributes};

use super::Prepared;
use crate::error::Error;

impl Prepared {
    /// Sets scheduler and I/O priority of the process, which has nothing left
    /// to do but to become the program.
    pub(crate) fn schedule_from_outside(&self, pid: i32) -> Result<(), Error> {
        let refused = |what: &str| {
            let what = what.to_owned();
            move |source: io::Error| Error::Outside { what, source }
        };
        if let Some(scheduler) = &self.process.scheduler {
            scheduling::set_scheduler(pid, attributes(scheduler)?)
                .map_err(refused("the scheduler (process.scheduler)"))?;
        }
        if let Some(priority) = &self.process.io_priority {
            set_io_priority(pid, *priority)
                .map_err(refused("the I/O priority (process.ioPriority)"))?;
        }
        Ok(())
    }
}

fn set_io_priority(pid: i32, priority: IoPriority) -> io::Result<()> {
    let class = match priority.class {
        IoPriorityClass::RealTime => 1,
        IoPriorityClass::BestEffort => 2,
        IoPriorityClass::Idle => 3,
    };
    let level = u16::try_from(priority.priority).map_err(|_| io::ErrorKind::InvalidInput)?;
    scheduling::set_io_priority(pid, class, level)
}

fn attributes(scheduler: &Scheduler) -> Result<SchedulerAttributes, Error> {
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
    for (index, flag) in scheduler.flags.iter().enumerate() {
        attributes.flags |= match flag.as_str() {
            "SCHED_FLAG_RESET_ON_FORK" => 0x01,
            "SCHED_FLAG_RECLAIM" => 0x02,
            "SCHED_FLAG_DL_OVERRUN" => 0x04,
            "SCHED_FLAG_KEEP_POLICY" => 0x08,
            "SCHED_FLAG_KEEP_PARAMS" => 0x10,
            "SCHED_FLAG_UTIL_CLAMP_MIN" => 0x20,
            "SCHED_FLAG_UTIL_CLAMP_MAX" => 0x40,
            other => {
                return Err(Error::configuration(
                    format!("process.scheduler.flags[{index}]"),
                    format!("{other:?} is no flag"),
                ));
            }
        };
    }
    attributes.nice = scheduler.nice;
    attributes.priority = u32::try_from(scheduler.priority).unwrap_or(u32::MAX);
    attributes.runtime = scheduler.runtime;
    attributes.deadline = scheduler.deadline;
    attributes.period = scheduler.period;
    Ok(attributes)
}
