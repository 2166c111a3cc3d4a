//! A container's control groups.
//!
//! Owns one directory, the container's, in every hierarchy of the host: the v2
//! hierarchy alone, the v1 hierarchies, or both (hybrid); with systemd's
//! driver a transient unit as well, whose group that is. Only the process that
//! creates the container and whoever holds a [`Cgroup`] for it write there.
//! After a crash the directories stay as long as processes are in them;
//! [`Cgroup::open`] or [`Cgroup::reopen`] and [`Cgroup::remove`] find and remove
//! them by the container's path, as often as one likes.
//!
//! A caller without the right to make groups gets an absent one, which holds
//! nothing and limits nothing ([`Cgroup::is_absent`]).

mod absent;
mod adopt;
mod below;
mod controls;
mod create;
mod devices;
mod error;
mod freezer;
mod layout;
mod oom;
mod place;
mod remove;
mod resources;
mod sets;
mod stats;
mod systemd;
pub mod usage;
mod v1;
mod v2;

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

pub use error::Error;
pub use layout::{Hierarchy, Layout};
pub use oom::{OutOfMemory, OutOfMemoryEvents};
pub use place::{Driver, Place};
pub use resources::check;
pub(crate) use sets::parse as parse_list;
pub use stats::{
    BlockIoStatistics, CpuStatistics, IoEntry, MemoryStatistics, PidStatistics, Statistics,
};
pub use systemd::{ANNOTATION_PREFIX, Error as SystemdError, check_annotations};

/// A container's control groups, one for each hierarchy.
#[derive(Debug)]
pub struct Cgroup {
    layout: Layout,
    /// Path below the root of each hierarchy, without a leading slash.
    path: PathBuf,
    /// The unit that the groups belong to, with systemd's driver.
    unit: Option<systemd::Unit>,
    /// Whether the groups exist before the container's process does.
    adopted: AtomicBool,
    rootless: bool,
    /// Whether there are no groups, because the caller may not make any.
    absent: bool,
    /// The container's first process, for want of groups.
    process: Option<i32>,
    /// Directories that were there before the container: they are not its to
    /// remove (runtime.md, "Delete").
    kept: Vec<PathBuf>,
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
            unit: None,
            adopted: true.into(),
            rootless: false,
            absent: false,
            process: None,
            kept: Vec::new(),
        })
    }

    /// Whether there are no groups, because the caller may not make any.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.absent
    }

    /// Names the container's first process. Without groups it and its
    /// descendants stand for the container.
    pub fn follow(&mut self, pid: i32) {
        self.process = Some(pid);
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
        if self.absent {
            return None;
        }
        Some(self.layout.unified.as_ref()?.join(&self.path))
    }

    /// The group's directory in a v1 hierarchy.
    pub(crate) fn directory(&self, hierarchy: &Hierarchy) -> PathBuf {
        hierarchy.mount.join(&self.path)
    }

    /// The group's directory in the v1 hierarchy of a controller.
    fn controller_directory(&self, controller: &str) -> Option<PathBuf> {
        if self.absent {
            return None;
        }
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
        if !self.adopted.load(Ordering::Relaxed) {
            return Ok(None);
        }
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
            (Some(present), Some(root)) if !self.absent && present.starts_with(&own) => {
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
        if self.absent || !self.adopted.load(Ordering::Relaxed) {
            return Vec::new();
        }
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
