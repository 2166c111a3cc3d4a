//! Proof that the calling process has exactly one thread.

use std::io;
use std::marker::PhantomData;

/// Proof that the process had one thread when it was checked, and that the
/// holder is that thread.
///
/// Clone without exec, and entering or leaving namespaces on behalf of the
/// whole process, are sound only then. The token cannot be sent to another
/// thread; who holds it must not start one.
#[derive(Debug, Clone, Copy)]
pub struct SingleThreaded {
    not_send: PhantomData<*const ()>,
}

impl SingleThreaded {
    /// Counts the threads of the process.
    ///
    /// # Errors
    /// When /proc cannot be read, or when there is more than one thread.
    pub fn verify() -> io::Result<SingleThreaded> {
        // The directory's link count is the number of threads plus two: one
        // call, nothing to parse.
        let task = rustix::fs::stat("/proc/self/task")?;
        if task.st_nlink == 3 {
            Ok(SingleThreaded {
                not_send: PhantomData,
            })
        } else {
            Err(io::Error::other(format!(
                "the process has {} threads and must have one",
                task.st_nlink.saturating_sub(2)
            )))
        }
    }
}
