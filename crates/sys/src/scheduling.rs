//! Scheduler and I/O priority of a process; personality of the calling one.

use std::io;

/// Parameters of sched_setattr, in the kernel's layout and units (times in
/// nanoseconds).
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SchedulerAttributes {
    size: u32,
    /// `SCHED_*` number.
    pub policy: u32,
    /// `SCHED_FLAG_*` bits.
    pub flags: u64,
    /// Nice value, for the time-sharing policies.
    pub nice: i32,
    /// Static priority, for the real-time policies.
    pub priority: u32,
    /// For the deadline policy.
    pub runtime: u64,
    /// For the deadline policy.
    pub deadline: u64,
    /// For the deadline policy.
    pub period: u64,
    /// Least utilization (Linux 5.3), for `SCHED_FLAG_UTIL_CLAMP_MIN`.
    pub least_utilization: u32,
    /// Most utilization, for `SCHED_FLAG_UTIL_CLAMP_MAX`.
    pub most_utilization: u32,
}

/// Sets the scheduler of a process that has one thread; 0 is the caller.
///
/// # Errors
/// The errno of sched_setattr.
pub fn set_scheduler(pid: i32, mut attributes: SchedulerAttributes) -> io::Result<()> {
    attributes.size = size_of::<SchedulerAttributes>() as u32;
    // SAFETY: the kernel reads as many bytes as the structure's own size says.
    let result = unsafe { libc::syscall(libc::SYS_sched_setattr, pid, &raw const attributes, 0) };
    crate::check(result).map(drop)
}

/// Sets the I/O class of a process (1 real time, 2 best effort, 3 idle) and the
/// priority within it (0 highest to 7); 0 is the caller.
///
/// # Errors
/// The errno of ioprio_set.
pub fn set_io_priority(pid: i32, class: u16, priority: u16) -> io::Result<()> {
    const IOPRIO_WHO_PROCESS: libc::c_int = 1;
    let value = libc::c_int::from(class) << 13 | libc::c_int::from(priority);
    // SAFETY: three integers.
    let result = unsafe { libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid, value) };
    crate::check(result).map(drop)
}

/// Sets the execution domain (`PER_LINUX` is 0, `PER_LINUX32` is 8).
///
/// # Errors
/// The errno of personality.
pub fn set_personality(domain: u32) -> io::Result<()> {
    // SAFETY: one integer.
    let result = unsafe { libc::personality(domain.into()) };
    crate::check(result.into()).map(drop)
}
