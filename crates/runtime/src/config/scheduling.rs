//! `process.scheduler` and `process.ioPriority` (sched_setattr(2),
//! ioprio_set(2)).

use tare_oci::runtime::{IoPriority, Process, Scheduler, SchedulerPolicy};

use super::Error;

const FLAGS: [&str; 7] = [
    "SCHED_FLAG_RESET_ON_FORK",
    "SCHED_FLAG_RECLAIM",
    "SCHED_FLAG_DL_OVERRUN",
    "SCHED_FLAG_KEEP_POLICY",
    "SCHED_FLAG_KEEP_PARAMS",
    "SCHED_FLAG_UTIL_CLAMP_MIN",
    "SCHED_FLAG_UTIL_CLAMP_MAX",
];

pub(super) fn check(process: &Process) -> Result<(), Error> {
    if let Some(scheduler) = &process.scheduler {
        check_scheduler(scheduler)?;
    }
    match &process.io_priority {
        Some(priority) => check_io_priority(priority),
        None => Ok(()),
    }
}

fn check_scheduler(scheduler: &Scheduler) -> Result<(), Error> {
    let refuse = |field: &str, reason: String| {
        Err(Error::invalid(format!("process.scheduler.{field}"), reason))
    };
    if !(-20..=19).contains(&scheduler.nice) {
        let reason = format!("{} is not between -20 and 19", scheduler.nice);
        return refuse("nice", reason);
    }
    if scheduler.policy == SchedulerPolicy::SchedIso {
        return refuse(
            "policy",
            "SCHED_ISO is reserved, but Linux has it not".to_owned(),
        );
    }
    let is_real_time = matches!(
        scheduler.policy,
        SchedulerPolicy::SchedFifo | SchedulerPolicy::SchedRr
    );
    match scheduler.priority {
        0 if is_real_time => return refuse("priority", "is needed, from 1 to 99".to_owned()),
        0 => {}
        1..=99 if is_real_time => {}
        priority if is_real_time => {
            return refuse("priority", format!("{priority} is not between 1 and 99"));
        }
        _ => {
            let reason = "is for SCHED_FIFO and SCHED_RR only";
            return refuse("priority", reason.to_owned());
        }
    }
    for (index, flag) in scheduler.flags.iter().enumerate() {
        if !FLAGS.contains(&flag.as_str()) {
            return refuse(&format!("flags[{index}]"), format!("{flag:?} is no flag"));
        }
    }
    let times = [
        ("runtime", scheduler.runtime),
        ("deadline", scheduler.deadline),
        ("period", scheduler.period),
    ];
    if scheduler.policy != SchedulerPolicy::SchedDeadline {
        if let Some((field, _)) = times.iter().find(|(_, time)| *time != 0) {
            return refuse(field, "is for SCHED_DEADLINE only".to_owned());
        }
        return Ok(());
    }
    // runtime <= deadline <= period; a period of 0 is the deadline.
    if scheduler.runtime == 0 {
        return refuse("runtime", "is needed for SCHED_DEADLINE".to_owned());
    }
    if scheduler.deadline < scheduler.runtime {
        return refuse("deadline", "is below the runtime".to_owned());
    }
    if scheduler.period != 0 && scheduler.period < scheduler.deadline {
        return refuse("period", "is below the deadline".to_owned());
    }
    Ok(())
}

fn check_io_priority(priority: &IoPriority) -> Result<(), Error> {
    if !(0..=7).contains(&priority.priority) {
        return Err(Error::invalid(
            "process.ioPriority.priority",
            format!("{} is not between 0 and 7", priority.priority),
        ));
    }
    Ok(())
}
