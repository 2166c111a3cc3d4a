//! Processes of a container's groups, and the groups' end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal};

use super::{Cgroup, Error, absent, controls};

/// How often a busy group is tried again, waiting longer each time: processes
/// that have been killed leave it a little after they have been reaped. All in
/// all this is 150 ms.
const ATTEMPTS: u32 = 12;

impl Cgroup {
    /// The processes of the container, those of nested groups included.
    ///
    /// # Errors
    /// When a group exists but cannot be read.
    pub fn pids(&self) -> Result<Vec<i32>, Error> {
        if self.absent {
            return Ok(self.process.map(absent::tree).unwrap_or_default());
        }
        let mut pids = Vec::new();
        for directory in tree(&self.main_directory()?)? {
            match controls::read(&directory.join("cgroup.procs")) {
                Ok(text) => {
                    let text = text.unwrap_or_default();
                    pids.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()));
                }
                // A threaded group shows no processes: those are in the group
                // above, which is read as well.
                Err(Error::Read { source, .. })
                    if source.raw_os_error() == Some(Errno::OPNOTSUPP.raw_os_error()) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(pids)
    }

    /// Kills every process of the container, those that are frozen too.
    ///
    /// # Errors
    /// When the processes cannot be listed.
    pub fn kill(&self) -> Result<(), Error> {
        let at_once = self
            .unified_directory()
            .is_some_and(|directory| controls::write(&directory.join("cgroup.kill"), "1").is_ok());
        if at_once && self.is_unified() {
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
            self.thaw_for_good();
        }
        Ok(())
    }

    /// Removes the groups and those nested in them, and systemd's unit. Groups
    /// that do not exist are as good as removed.
    ///
    /// # Errors
    /// The first group that could not be removed, after all have been tried;
    /// `EBUSY` while processes are in it.
    pub fn remove(&self) -> Result<(), Error> {
        if self.absent {
            return Ok(());
        }
        let stopped = match &self.unit {
            // Without its groups a scope has ended: nothing to ask for.
            Some(unit) if self.exists() => unit.stop().map_err(Error::from),
            Some(unit) => {
                unit.forget();
                Ok(())
            }
            None => Ok(()),
        };
        self.remove_directories().and(stopped)
    }

    /// Whether a group of the container exists in any hierarchy.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.directories()
            .iter()
            .any(|directory| directory.exists())
    }

    /// Its directories in all hierarchies.
    fn directories(&self) -> Vec<PathBuf> {
        if self.absent {
            return Vec::new();
        }
        self.layout
            .hierarchies
            .iter()
            .map(|hierarchy| self.directory(hierarchy))
            .chain(self.unified_directory())
            .collect()
    }

    fn remove_directories(&self) -> Result<(), Error> {
        let mut left = self.directories();
        let mut result = Ok(());
        for attempt in 0..=ATTEMPTS {
            let mut busy = Vec::new();
            let mut nested = false;
            for directory in left {
                let removed = if self.kept.contains(&directory) {
                    remove_nested(&directory)
                } else {
                    remove(&directory)
                };
                match removed {
                    Ok(()) => {}
                    Err(Busy::Yes { had_nested }) => {
                        nested |= had_nested;
                        busy.push(directory);
                    }
                    Err(Busy::No(error)) => result = result.and(Err(error)),
                }
            }
            if busy.is_empty() {
                return result;
            }
            left = busy;
            if attempt == 0 {
                // What has been killed while it was frozen.
                self.thaw_for_good();
            }
            if attempt > 0 || !nested {
                std::thread::sleep(Duration::from_micros(200) * (1 << attempt.min(7)));
            }
        }
        result.and(Err(Error::Remove {
            path: left.swap_remove(0),
            source: Errno::BUSY.into(),
        }))
    }
}

/// Why a group could not be removed.
enum Busy {
    /// It has processes or had nested groups, which have been removed as far
    /// as they let themselves.
    Yes { had_nested: bool },
    /// For a reason that does not pass.
    No(Error),
}

fn remove(directory: &Path) -> Result<(), Busy> {
    let error = match fs::remove_dir(directory) {
        Ok(()) => return Ok(()),
        Err(error) if controls::is_gone(&error) => return Ok(()),
        Err(error) => error,
    };
    if error.kind() != io::ErrorKind::ResourceBusy {
        return Err(Busy::No(Error::Remove {
            path: directory.to_owned(),
            source: error,
        }));
    }
    Err(Busy::Yes {
        had_nested: try_nested(directory)?.0,
    })
}

/// Removes what is nested in a group, but not the group.
fn remove_nested(directory: &Path) -> Result<(), Busy> {
    match try_nested(directory)? {
        (_, true) => Ok(()),
        (had_nested, false) => Err(Busy::Yes { had_nested }),
    }
}

/// Tries to remove nested groups, deepest first. Whether there were any, and
/// whether none is left.
fn try_nested(directory: &Path) -> Result<(bool, bool), Busy> {
    let nested = tree(directory).map_err(Busy::No)?.split_off(1);
    let mut removed = true;
    for child in nested.iter().rev() {
        removed &= fs::remove_dir(child).is_ok();
    }
    Ok((!nested.is_empty(), removed))
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
