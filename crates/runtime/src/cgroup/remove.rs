//! Processes of a container's groups, and the groups' end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::{Cgroup, Error, controls};

/// How often a busy group is tried again, waiting longer each time: processes
/// that have been killed leave it a little after they have been reaped.
const ATTEMPTS: u32 = 12;

impl Cgroup {
    /// The processes of the container, those of nested groups included.
    ///
    /// # Errors
    /// When a group exists but cannot be read.
    pub fn pids(&self) -> Result<Vec<i32>, Error> {
        let mut pids = Vec::new();
        for directory in tree(&self.main_directory()?)? {
            let text = controls::read(&directory.join("cgroup.procs"))?.unwrap_or_default();
            pids.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()));
        }
        Ok(pids)
    }

    /// Kills every process of the container. Those that are frozen die when
    /// they are thawed, or at once with the v2 hierarchy.
    ///
    /// # Errors
    /// When the processes cannot be listed.
    pub fn kill(&self) -> Result<(), Error> {
        if let Some(directory) = self.unified_directory()
            && controls::write(&directory.join("cgroup.kill"), "1").is_ok()
        {
            return Ok(());
        }
        // Processes may be made while the list is read: until none is left.
        for _ in 0..ATTEMPTS {
            let pids = self.pids()?;
            if pids.is_empty() {
                break;
            }
            for pid in pids.into_iter().filter_map(Pid::from_raw) {
                let _ = rustix::process::kill_process(pid, Signal::KILL);
            }
        }
        Ok(())
    }

    /// Removes the groups and those nested in them. Groups that do not exist
    /// are as good as removed.
    ///
    /// # Errors
    /// The first group that could not be removed, after all have been tried;
    /// `EBUSY` while processes are in it.
    pub fn remove(&self) -> Result<(), Error> {
        let mut result = Ok(());
        let unified = self.unified_directory();
        let directories = self
            .layout
            .hierarchies
            .iter()
            .map(|hierarchy| self.directory(hierarchy))
            .chain(unified);
        for directory in directories {
            result = result.and(remove(&directory));
        }
        result
    }
}

fn remove(directory: &Path) -> Result<(), Error> {
    let mut attempt = 0;
    loop {
        let error = match fs::remove_dir(directory) {
            Ok(()) => return Ok(()),
            Err(error) if controls::is_gone(&error) => return Ok(()),
            Err(error) => error,
        };
        let is_busy = error.kind() == io::ErrorKind::ResourceBusy;
        if !is_busy || attempt == ATTEMPTS {
            return Err(Error::Remove {
                path: directory.to_owned(),
                source: error,
            });
        }
        // Nested groups first, deepest first.
        let mut nested = tree(directory)?;
        nested.remove(0);
        for child in nested.iter().rev() {
            let _ = fs::remove_dir(child);
        }
        if attempt > 0 || nested.is_empty() {
            std::thread::sleep(Duration::from_micros(200) * (1 << attempt.min(7)));
        }
        attempt += 1;
    }
}

/// A group and all those nested in it, parents first.
pub(super) fn tree(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = vec![directory.to_owned()];
    let mut next = 0;
    while let Some(current) = found.get(next).cloned() {
        next += 1;
        let entries = match fs::read_dir(&current) {
            Ok(entries) => entries,
            Err(error) if controls::is_gone(&error) => continue,
            Err(source) => {
                return Err(Error::Read {
                    path: current,
                    source,
                });
            }
        };
        for entry in entries.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                found.push(entry.path());
            }
        }
    }
    Ok(found)
}
