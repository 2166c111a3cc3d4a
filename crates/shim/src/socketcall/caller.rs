//! Who calls: everything that decides what socket(2) gives them.
//!
//! All is read below one descriptor of the thread's directory in /proc, so
//! that it is one thread's, whatever becomes of its number.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;

use rustix::fs::{Mode, OFlags, fstat, openat};

mod identity;
mod status;

pub(super) use identity::Identity;
pub(super) use status::{Mapping, Status};

const EFAULT: i32 = 14;
/// No file of a thread that is read here is longer.
const LONGEST: u64 = 64 * 1024;

/// A thread that waits for an answer.
#[derive(Debug)]
pub(super) struct Caller {
    directory: OwnedFd,
}

impl Caller {
    pub(super) fn open(thread: u32) -> io::Result<Caller> {
        Ok(Caller {
            directory: rustix::fs::open(
                format!("/proc/{thread}"),
                OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
                Mode::empty(),
            )?,
        })
    }

    /// The v2 control group, where there is one. Beside v1 it has no
    /// controllers, but rules about the group of a socket look at it.
    pub(super) fn control_group(&self) -> Option<OwnedFd> {
        const CGROUP2_MAGIC: rustix::fs::FsWord = 0x6367_7270;
        let root = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
            .into_iter()
            .find(|root| {
                rustix::fs::statfs(*root).is_ok_and(|found| found.f_type == CGROUP2_MAGIC)
            })?;
        let text = self.read("cgroup").ok()?;
        let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(format!("{root}{path}"), flags, Mode::empty()).ok()
    }

    /// Twelve bytes of its memory.
    pub(super) fn read_memory(&self, address: u64) -> io::Result<[u8; 12]> {
        let mut memory = [0; 12];
        self.file("mem")?
            .read_exact_at(&mut memory, address)
            .map_err(|_| io::Error::from_raw_os_error(EFAULT))?;
        Ok(memory)
    }

    /// Everything else that the socket depends on.
    pub(super) fn identity(&self) -> io::Result<Identity> {
        let status = Status::parse(&self.read("status")?)?;
        let network = self.other_namespace("net")?;
        let user = self.other_namespace("user")?;
        let mappings = match user {
            Some(_) => Some((
                Mapping::parse(&self.read("uid_map")?)?,
                Mapping::parse(&self.read("gid_map")?)?,
            )),
            None => None,
        };
        Ok(Identity {
            status,
            network,
            user,
            mappings,
            label: self.other_label()?,
        })
    }

    /// A namespace of the caller's that is not the shim's.
    fn other_namespace(&self, name: &str) -> io::Result<Option<OwnedFd>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let theirs = openat(&self.directory, format!("ns/{name}"), flags, Mode::empty())?;
        let ours = rustix::fs::open(format!("/proc/self/ns/{name}"), flags, Mode::empty())?;
        let number = |file: &OwnedFd| fstat(file).map(|stat| (stat.st_dev, stat.st_ino));
        Ok((number(&theirs)? != number(&ours)?).then_some(theirs))
    }

    /// What a security module has written on the caller, if not the same as on
    /// the shim.
    fn other_label(&self) -> io::Result<Option<String>> {
        // No module answers: then nothing is decided by labels.
        let Ok(theirs) = self.read("attr/current") else {
            return Ok(None);
        };
        let ours = std::fs::read_to_string("/proc/self/attr/current")?;
        Ok((theirs != ours).then_some(theirs))
    }

    fn file(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(openat(self.directory.as_fd(), name, flags, Mode::empty())?.into())
    }

    fn read(&self, name: &str) -> io::Result<String> {
        let mut text = String::new();
        self.file(name)?.take(LONGEST).read_to_string(&mut text)?;
        Ok(text)
    }
}
