//! Reading a filter back from the kernel, for tests that compare it.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::Instruction;

/// The filter that a process has installed last. The process is stopped for
/// the moment.
///
/// # Errors
/// `EACCES` without CAP_SYS_ADMIN or from under a filter, `ENOENT` when the
/// process has no filter; else the errno of ptrace.
pub fn installed_filter(pid: i32, pidfd: BorrowedFd<'_>) -> io::Result<Vec<Instruction>> {
    const SEIZE: libc::c_uint = 0x4206;
    const INTERRUPT: libc::c_uint = 0x4207;
    const GET_FILTER: libc::c_uint = 0x420c;
    const DETACH: libc::c_uint = 17;
    let trace = |request: libc::c_uint, data: *mut Instruction| {
        // SAFETY: of these requests only GET_FILTER looks at `data`; it writes
        // a program there, or returns its length when `data` is null.
        let result = unsafe {
            libc::syscall(
                libc::SYS_ptrace,
                request,
                pid,
                std::ptr::null::<libc::c_void>(),
                data,
            )
        };
        crate::check(result)
    };
    trace(SEIZE, std::ptr::null_mut())?;
    let read = || -> io::Result<Vec<Instruction>> {
        trace(INTERRUPT, std::ptr::null_mut())?;
        wait_for_stop(pidfd)?;
        let length = trace(GET_FILTER, std::ptr::null_mut())? as usize;
        let nothing = Instruction {
            code: 0,
            jump_true: 0,
            jump_false: 0,
            constant: 0,
        };
        let mut program = vec![nothing; length];
        trace(GET_FILTER, program.as_mut_ptr())?;
        Ok(program)
    };
    let program = read();
    let detached = trace(DETACH, std::ptr::null_mut());
    let program = program?;
    detached.map(|_| program)
}

fn wait_for_stop(pidfd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: plain data, for which all zeros is valid.
    let mut information: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes one siginfo_t.
    let result = unsafe {
        libc::waitid(
            libc::P_PIDFD,
            pidfd.as_raw_fd() as libc::id_t,
            &raw mut information,
            libc::WSTOPPED | libc::__WALL,
        )
    };
    crate::check(result.into()).map(drop)
}
