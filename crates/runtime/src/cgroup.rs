//! A container's control groups.
//!
//! Owns one directory, the container's, in every hierarchy of the host: the v2
//! hierarchy alone, the v1 hierarchies, or both (hybrid). Only the process that
//! creates the container and whoever holds a [`Cgroup`] for it write there.
//! After a crash the directories stay as long as processes are in them;
//! [`Cgroup::open`] and [`Cgroup::remove`] find and remove them by the
//! container's path, as often as one likes.

mod below;
mod controls;
mod create;
mod devices;
mod freezer;
mod layout;
mod remove;
mod resources;
mod stats;
mod v1;
mod v2;

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tare_oci::runtime::Resources;

pub use layout::{Hierarchy, Layout};
pub use stats::{
    BlockIoStatistics, CpuStatistics, IoEntry, MemoryStatistics, PidStatistics, Statistics,
};

/// What went wrong with a control group.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The host's hierarchies could not be made out.
    #[error("finding the control group hierarchies: {0}")]
    Layout(#[source] io::Error),
    /// The configured path cannot be used.
    #[error("linux.cgroupsPath {path:?}: {reason}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A group could not be made.
    #[error("making the control group {path}: {source}")]
    Create {
        /// Its directory.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// Somebody else's processes are in the group.
    #[error("the control group {0} is in use: processes are in it")]
    InUse(PathBuf),
    /// A value could not be written.
    #[error("writing {value:?} to {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What was to be written.
        value: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A file could not be read.
    #[error("reading {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A resource limit makes no sense or cannot be had here.
    #[error("linux.resources.{field}: {reason}")]
    Resource {
        /// Path of the field.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Access to devices could not be limited.
    #[error("limiting access to devices: {0}")]
    Devices(#[source] io::Error),
    /// Freezing or thawing did not come to an end.
    #[error("the control group {path} did not become {state} in time")]
    Freeze {
        /// Its directory.
        path: PathBuf,
        /// What it was to become.
        state: &'static str,
    },
    /// A group could not be removed.
    #[error("removing the control group {path}: {source}")]
    Remove {
        /// Its directory.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
}

/// Who makes a container's control groups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// This library, in the file system.
    #[default]
    Cgroupfs,
    /// The host's systemd.
    Systemd,
}

/// Where a container's control groups are: what has to be kept to find them
/// again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Path below the root of each hierarchy.
    pub path: String,
    /// Who made them.
    pub driver: Driver,
}

impl Place {
    /// Where the groups of a container will be.
    ///
    /// # Errors
    /// When the path cannot be used.
    pub fn plan(path: &str, _id: &str, driver: Driver) -> Result<Place, Error> {
        let relative = create::relative(path)?;
        Ok(Place {
            path: Path::new("/").join(relative).display().to_string(),
            driver,
        })
    }
}

/// A container's control groups, one for each hierarchy.
#[derive(Debug)]
pub struct Cgroup {
    layout: Layout,
    /// Path below the root of each hierarchy, without a leading slash.
    path: PathBuf,
}

impl Cgroup {
    /// The groups at `path` below each hierarchy's root, whether or not they
    /// exist.
    ///
    /// # Errors
    /// When the host's hierarchies cannot be made out, or the path is empty,
    /// leads upwards or is meant for systemd.
    pub fn open(path: &str) -> Result<Cgroup, Error> {
        let layout = Layout::detect().map_err(Error::Layout)?;
        Ok(Cgroup {
            layout,
            path: create::relative(path)?,
        })
    }

    /// The groups of a container made earlier, by this process or another.
    ///
    /// # Errors
    /// As [`Cgroup::open`].
    pub fn reopen(place: &Place) -> Result<Cgroup, Error> {
        Cgroup::open(&place.path)
    }

    /// Where the groups are.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            path: self.path().display().to_string(),
            driver: Driver::Cgroupfs,
        }
    }

    /// Whether a process is given to somebody who puts it into the groups,
    /// instead of entering them itself.
    #[must_use]
    pub fn adopts(&self) -> bool {
        false
    }

    /// Has the process put into the groups.
    ///
    /// # Errors
    /// When that fails.
    pub fn adopt(&self, _pid: i32, _resources: Option<&Resources>) -> Result<(), Error> {
        Ok(())
    }

    /// Path below the root of each hierarchy, with a leading slash.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        Path::new("/").join(&self.path)
    }

    /// The host's hierarchies.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The group's directory in the v2 hierarchy, when there is one.
    #[must_use]
    pub fn unified_directory(&self) -> Option<PathBuf> {
        Some(self.layout.unified.as_ref()?.join(&self.path))
    }

    /// The group's directory in a v1 hierarchy.
    pub(crate) fn directory(&self, hierarchy: &Hierarchy) -> PathBuf {
        hierarchy.mount.join(&self.path)
    }

    /// The group's directory in the v1 hierarchy of a controller.
    fn controller_directory(&self, controller: &str) -> Option<PathBuf> {
        Some(self.directory(self.layout.hierarchy(controller)?))
    }

    /// Whether controllers are those of the v2 hierarchy.
    fn is_unified(&self) -> bool {
        self.layout.hierarchies.is_empty()
    }

    /// The group in which all processes of the container are found: that of
    /// the v2 hierarchy, else of any other.
    fn main_directory(&self) -> Result<PathBuf, Error> {
        self.unified_directory()
            .or_else(|| self.controller_directory("pids"))
            .or_else(|| Some(self.directory(self.layout.hierarchies.first()?)))
            .ok_or_else(|| Error::Layout(io::ErrorKind::NotFound.into()))
    }

    /// The v2 group as a place to clone into.
    pub(crate) fn clone_target(&self) -> Result<Option<OwnedFd>, Error> {
        self.unified_directory().map(open_group).transpose()
    }

    /// The v2 group for a further process of the container: that of its first
    /// process. A container that manages groups itself (an init system) has
    /// moved that process into a nested one, and the kernel lets no process
    /// into a group whose controllers serve nested groups.
    pub(crate) fn clone_target_of(&self, pid: i32) -> Result<Option<OwnedFd>, Error> {
        let own = self.path();
        let present = controls::read(Path::new(&format!("/proc/{pid}/cgroup")))?.and_then(|text| {
            let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
            Some(PathBuf::from(path))
        });
        match (present, &self.layout.unified) {
            (Some(present), Some(root)) if present.starts_with(&own) => {
                let relative = present.strip_prefix("/").unwrap_or(&present);
                open_group(root.join(relative)).map(Some)
            }
            _ => self.clone_target(),
        }
    }

    /// Files of the v1 hierarchies that the calling process has to write "0"
    /// to in order to enter. Writing its own number to `tasks` spares it the
    /// wait for a grace period that `cgroup.procs` costs (7 to 15 ms).
    pub(crate) fn entries(&self) -> Vec<PathBuf> {
        self.layout
            .hierarchies
            .iter()
            .map(|hierarchy| self.directory(hierarchy).join("tasks"))
            .collect()
    }

    /// How often the kernel has killed a process of the container for want of
    /// memory; 0 when it does not tell.
    ///
    /// # Errors
    /// When the file exists but cannot be read.
    pub fn oom_kill_count(&self) -> Result<u64, Error> {
        let path = if self.is_unified() {
            self.unified_directory()
                .map(|directory| directory.join("memory.events"))
        } else {
            self.controller_directory("memory")
                .map(|directory| directory.join("memory.oom_control"))
        };
        let Some(text) = path
            .map(|path| controls::read(&path))
            .transpose()?
            .flatten()
        else {
            return Ok(0);
        };
        Ok(controls::keyed(&text, "oom_kill").unwrap_or(0))
    }
}

fn open_group(path: PathBuf) -> Result<OwnedFd, Error> {
    let flags =
        rustix::fs::OFlags::PATH | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
    rustix::fs::open(&path, flags, rustix::fs::Mode::empty()).map_err(|error| Error::Read {
        path,
        source: error.into(),
    })
}

#[cfg(test)]
mod tests;
