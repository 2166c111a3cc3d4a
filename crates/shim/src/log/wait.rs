//! Waiting for a log to grow.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;

/// Wakes when the watched file is written or renamed.
#[derive(Debug)]
pub(super) struct Watch {
    inotify: OwnedFd,
    watched: Option<i32>,
}

impl Watch {
    pub(super) fn new() -> io::Result<Watch> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        Ok(Watch {
            inotify,
            watched: None,
        })
    }

    /// Watches this file instead of the one before.
    pub(super) fn file(&mut self, file: &File) -> io::Result<()> {
        // By descriptor, since the name may belong to another file already.
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let flags = WatchFlags::MODIFY
            | WatchFlags::MOVE_SELF
            | WatchFlags::DELETE_SELF
            | WatchFlags::ATTRIB;
        self.replace(&path, flags)
    }

    /// Watches a directory for the first file to come.
    pub(super) fn directory(&mut self, directory: &std::path::Path) -> io::Result<()> {
        self.replace(directory, WatchFlags::CREATE | WatchFlags::MOVED_TO)
    }

    fn replace(&mut self, path: impl rustix::path::Arg, flags: WatchFlags) -> io::Result<()> {
        let added = inotify::add_watch(&self.inotify, path, flags)?;
        if let Some(before) = self.watched.replace(added)
            && before != added
        {
            // Gone by itself if the file was removed.
            let _ = inotify::remove_watch(&self.inotify, before);
        }
        Ok(())
    }

    /// Blocks until something happened, `cancel` is readable or closed, or the
    /// time is over.
    pub(super) fn wait(
        &self,
        timeout: Option<Duration>,
        cancel: Option<BorrowedFd<'_>>,
    ) -> io::Result<()> {
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: timeout.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        let mut set = vec![PollFd::new(&self.inotify, PollFlags::IN)];
        set.extend(cancel.map(|cancel| PollFd::from_borrowed_fd(cancel, PollFlags::IN)));
        match poll(&mut set, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        // Which events they were does not matter: the reader looks itself.
        let mut space = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(&self.inotify, &mut space);
        while events.next().is_ok() {}
        Ok(())
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}
