//! What the parent sets for a process that is root of a user namespace only.

use std::io::ErrorKind;

use rustix::process::Pid;

use super::Prepared;
use crate::error::Error;

impl Prepared {
    /// Sets the out-of-memory score of the process.
    pub(crate) fn score_from_outside(&self, pid: i32) -> Result<(), Error> {
        let Some(adjustment) = self.process.oom_score_adj else {
            return Ok(());
        };
        match std::fs::write(format!("/proc/{pid}/oom_score_adj"), adjustment.to_string()) {
            // Below what one has is for the host's root.
            Err(error) if self.rootless && error.kind() == ErrorKind::PermissionDenied => Ok(()),
            result => result.map_err(|source| Error::Outside {
                what: format!("oom_score_adj {adjustment}"),
                source,
            }),
        }
    }

    /// Sets the resource limits of the process, which has opened all its
    /// files.
    pub(crate) fn limit_from_outside(&self, pid: i32) -> Result<(), Error> {
        let pid = Pid::from_raw(pid).ok_or(Error::Died)?;
        for limit in &self.limits {
            limit.apply_to(Some(pid)).map_err(Error::Process)?;
        }
        Ok(())
    }
}
