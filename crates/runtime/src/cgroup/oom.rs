//! Being told when the container is out of memory.
//!
//! v1 counts into a descriptor of ours (event_control); v2 says that
//! memory.events has changed, and that file says why. Both end with the group.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::inotify;
use rustix::io::Errno;

use super::resources::Home;
use super::{Cgroup, Error, controls};

/// A subscription to a container's wants of memory.
#[derive(Debug)]
pub struct OutOfMemoryEvents {
    source: Source,
    group: PathBuf,
}

#[derive(Debug)]
enum Source {
    /// An eventfd of v1.
    Legacy(OwnedFd),
    /// An inotify descriptor, and how often a process has been killed so far.
    Unified(OwnedFd, u64),
}

/// What a wait ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutOfMemory {
    /// The container is out of memory.
    Happened,
    /// The container has ended.
    Ended,
    /// Nothing of this.
    Nothing,
}

impl Cgroup {
    /// Subscribes to the container's wants of memory.
    ///
    /// # Errors
    /// When the kernel cannot tell.
    pub fn out_of_memory_events(&self) -> Result<OutOfMemoryEvents, Error> {
        if self.absent {
            return Err(Error::Absent("watch the memory of"));
        }
        let (group, opened) = match self.home("memory", "memory")? {
            Home::Legacy(group) => {
                let opened = legacy(&group);
                (group, opened)
            }
            Home::Unified(group) => {
                let opened = unified(&group);
                (group, opened)
            }
        };
        match opened {
            Ok(source) => Ok(OutOfMemoryEvents { source, group }),
            Err(source) => Err(Error::Watch {
                path: group,
                source,
            }),
        }
    }
}

fn legacy(group: &Path) -> io::Result<Source> {
    let control = fs::File::open(group.join("memory.oom_control"))?;
    let events = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    let line = format!("{} {}", events.as_raw_fd(), control.as_raw_fd());
    fs::write(group.join("cgroup.event_control"), line)?;
    Ok(Source::Legacy(events))
}

fn unified(group: &Path) -> io::Result<Source> {
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
    for file in ["memory.events", "cgroup.events"] {
        inotify::add_watch(&watch, group.join(file), inotify::WatchFlags::MODIFY)?;
    }
    Ok(Source::Unified(watch, kills(group)))
}

fn kills(group: &Path) -> u64 {
    controls::read(&group.join("memory.events"))
        .ok()
        .flatten()
        .and_then(|text| controls::keyed(&text, "oom_kill"))
        .unwrap_or(0)
}

impl OutOfMemoryEvents {
    /// Waits for an event, but not longer than a time.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn wait(&mut self, longest: Duration) -> Result<OutOfMemory, Error> {
        let failed = |group: &Path, error: Errno| Error::Watch {
            path: group.to_owned(),
            source: error.into(),
        };
        let deadline = Instant::now() + longest;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).unwrap_or(Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            });
            let fd = match &self.source {
                Source::Legacy(fd) | Source::Unified(fd, _) => fd.as_fd(),
            };
            match poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&timeout)) {
                Ok(0) => return Ok(OutOfMemory::Nothing),
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(failed(&self.group, error)),
            }
            // What is read is of no interest; that there is none left is.
            let mut buffer = [0; 4096];
            match rustix::io::read(fd, &mut buffer) {
                Ok(_) | Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Err(failed(&self.group, error)),
            }
            match self.look() {
                OutOfMemory::Nothing => {}
                found => return Ok(found),
            }
        }
    }

    fn look(&mut self) -> OutOfMemory {
        match &mut self.source {
            // The end of the group counts as well.
            Source::Legacy(_) if self.group.exists() => OutOfMemory::Happened,
            Source::Legacy(_) => OutOfMemory::Ended,
            Source::Unified(_, count) => {
                let events = controls::read(&self.group.join("cgroup.events"));
                let populated = events
                    .ok()
                    .flatten()
                    .and_then(|text| controls::keyed(&text, "populated"));
                let now = kills(&self.group);
                if now > *count {
                    *count = now;
                    return OutOfMemory::Happened;
                }
                match populated {
                    Some(1) => OutOfMemory::Nothing,
                    _ => OutOfMemory::Ended,
                }
            }
        }
    }
}
