//! The containers of a root directory, as separate processes see them.
//!
//! ```text
//! <root>/                 0711, made when first needed; one that no --root
//!                         named is 01700 and must be the caller's own
//!   <id>/                 0711; making it is what claims the ID
//!     state.json          what is known of the container, replaced as a whole
//!     config.json         the configuration as it was at creation
//!     start.sock          held by a container that waits for its start
//!   @seccomp/             compiled system call filters ([`Cache`])
//! ```
//!
//! Everything is written by the process that creates the container; later ones
//! replace `state.json` (update) and remove the directory (delete), one at a
//! time ([`Entry::lock`]). What a
//! killed creator leaves is a directory whose `state.json` is missing or names
//! no process: such a container is listed by nobody, and `delete --force`
//! removes it with its control groups. Whether the program has started, runs or
//! has ended is never written down: the kernel is asked.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};
use tare_oci::runtime::{Resources, Spec};

pub use tare_oci::runtime::Status;

use crate::container::Saved;
use crate::gate;
use crate::seccomp::Cache;

const STATE: &str = "state.json";
const CONFIG: &str = "config.json";
const GATE: &str = "start.sock";
/// The longest ID, as runc has it.
const MAXIMUM_ID: usize = 1024;

/// What is wrong with a container's stored state.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No ID was given.
    #[error("container id cannot be empty")]
    EmptyId,
    /// The ID cannot be a file's name.
    #[error("invalid container ID format: {0:?}: letters, digits and _+-. are allowed")]
    InvalidId(String),
    /// The ID is taken.
    #[error("container with given ID already exists")]
    Exists,
    /// There is no such container.
    #[error("container does not exist")]
    Missing,
    /// The directory for the caller's containers is somebody else's.
    #[error(
        "using {path}: it must be a directory of user {uid} that nobody else may write to, not {found}; \
         name another one by --root"
    )]
    NotPrivate {
        /// The directory.
        path: PathBuf,
        /// The caller.
        uid: u32,
        /// What it is.
        found: String,
    },
    /// A file of the state could not be used.
    #[error("{what} {path}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// A file of the state is damaged.
    #[error("{path} is damaged: {source}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        source: serde_json::Error,
    },
}

/// What is known of a container.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    /// What the library needs.
    #[serde(flatten)]
    pub saved: Saved,
    /// The root file system's directory.
    pub rootfs: PathBuf,
    /// When it was created, in RFC 3339.
    pub created: String,
    /// Whether limits and control groups are those of somebody who is not
    /// root.
    #[serde(default)]
    pub rootless: bool,
    /// The resources in force.
    #[serde(default)]
    pub resources: Resources,
}

/// All containers of one root directory.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    /// Whether the root directory must be the caller's own.
    private: bool,
}

/// One container's directory.
#[derive(Debug)]
pub struct Entry {
    path: PathBuf,
    directory: OwnedFd,
}

impl Store {
    /// The containers below `root`, which need not exist.
    #[must_use]
    pub fn new(root: PathBuf) -> Store {
        Store {
            root,
            private: false,
        }
    }

    /// The containers below `root`, which need not exist, in a place where
    /// others may make files as well: a directory there that is not the
    /// caller's own is used for nothing.
    #[must_use]
    pub fn private(root: PathBuf) -> Store {
        Store {
            root,
            private: true,
        }
    }

    /// Refuses a root directory that others have prepared. One that is the
    /// caller's cannot be replaced by others, where they may only make files
    /// of their own (the sticky bit of /tmp).
    fn check(&self) -> Result<(), Error> {
        if !self.private {
            return Ok(());
        }
        let found = match fs::symlink_metadata(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            result => result.map_err(|source| io_error("using", &self.root, source))?,
        };
        let uid = rustix::process::geteuid().as_raw();
        let refuse = |found: String| {
            Err(Error::NotPrivate {
                path: self.root.clone(),
                uid,
                found,
            })
        };
        if found.is_symlink() {
            return refuse("a symbolic link".to_owned());
        }
        if !found.is_dir() {
            return refuse("a file".to_owned());
        }
        if found.uid() != uid {
            return refuse(format!("one of user {}", found.uid()));
        }
        let mode = found.mode() & 0o7777;
        if mode & 0o022 != 0 {
            return refuse(format!("one of mode {mode:04o}"));
        }
        Ok(())
    }

    fn make_root(&self) -> Result<(), Error> {
        let failed = |source| io_error("making", &self.root, source);
        if !self.private {
            let mut builder = DirBuilder::new();
            builder.mode(0o711).recursive(true);
            return builder.create(&self.root).map_err(failed);
        }
        // The sticky bit keeps it from being cleared away as an old file (XDG
        // Base Directory Specification).
        match DirBuilder::new().mode(0o1700).create(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => result.map_err(failed)?,
        }
        self.check()
    }

    /// Claims an ID.
    ///
    /// # Errors
    /// [`Error::Exists`] when it is taken, also by a container being made.
    pub fn claim(&self, id: &str) -> Result<Entry, Error> {
        let path = self.path(id)?;
        if self.private {
            // Never in a directory that has not been looked at.
            self.make_root()?;
        }
        let make = |path: &Path| DirBuilder::new().mode(0o711).create(path);
        let made = match make(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_root()?;
                make(&path)
            }
            result => result,
        };
        match made {
            Ok(()) => Entry::open(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Error::Exists),
            Err(source) => Err(io_error("making", &path, source)),
        }
    }

    /// A container's directory.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is none.
    pub fn entry(&self, id: &str) -> Result<Entry, Error> {
        let path = self.path(id)?;
        self.check()?;
        Entry::open(path)
    }

    /// The IDs of all containers, and when and for whom they were claimed, in
    /// order.
    ///
    /// # Errors
    /// When the root directory exists and cannot be read.
    pub fn ids(&self) -> Result<Vec<(String, u32)>, Error> {
        self.check()?;
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            result => result.map_err(|source| io_error("reading", &self.root, source))?,
        };
        let mut ids: Vec<_> = entries
            .flatten()
            .filter_map(|entry| {
                let metadata = entry.metadata().ok().filter(fs::Metadata::is_dir)?;
                let id = entry.file_name().into_string().ok()?;
                check_id(&id).ok()?;
                Some((id, metadata.uid()))
            })
            .collect();
        ids.sort();
        Ok(ids)
    }

    /// The filters that have been compiled for containers of this root; none
    /// when they cannot be kept, which costs time alone.
    #[must_use]
    pub fn filters(&self) -> Option<Cache> {
        // No ID can be spelt like this.
        Cache::open(&self.root.join("@seccomp")).ok()
    }

    fn path(&self, id: &str) -> Result<PathBuf, Error> {
        check_id(id)?;
        Ok(self.root.join(id))
    }
}

fn check_id(id: &str) -> Result<(), Error> {
    if id.is_empty() {
        return Err(Error::EmptyId);
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-.".contains(&byte);
    if id.len() > MAXIMUM_ID || !id.bytes().all(allowed) || matches!(id, "." | "..") {
        return Err(Error::InvalidId(id.to_owned()));
    }
    Ok(())
}

impl Entry {
    fn open(path: PathBuf) -> Result<Entry, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::open(&path, flags, Mode::empty()) {
            Ok(directory) => Ok(Entry { path, directory }),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Err(Error::Missing),
            Err(error) => Err(io_error("opening", &path, error)),
        }
    }

    /// Keeps the configuration.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_config(&self, document: &[u8]) -> Result<(), Error> {
        self.write(CONFIG, document)
    }

    /// The configuration as it was at creation.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is none.
    pub fn read_config(&self) -> Result<Spec, Error> {
        self.read(CONFIG)
    }

    /// Replaces what is known.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_state(&self, state: &State) -> Result<(), Error> {
        let document = serde_json::to_vec(state).map_err(|source| Error::Damaged {
            path: self.path.join(STATE),
            source,
        })?;
        self.write(STATE, &document)
    }

    /// What is known.
    ///
    /// # Errors
    /// [`Error::Missing`] when the container is still, or was never, made.
    pub fn read_state(&self) -> Result<State, Error> {
        self.read(STATE)
    }

    /// Where the container is in its life.
    ///
    /// # Errors
    /// When /proc or its control groups cannot be read.
    pub fn status(&self, state: &State) -> Result<Status, crate::Error> {
        if state.saved.pid == 0 {
            return Ok(Status::Creating);
        }
        if state
            .saved
            .process()
            .map_err(crate::Error::Clone)?
            .is_none()
        {
            return Ok(Status::Stopped);
        }
        if state.saved.cgroup()?.is_frozen()? {
            return Ok(Status::Paused);
        }
        if gate::is_open(self.directory.as_fd(), GATE) {
            return Ok(Status::Created);
        }
        Ok(Status::Running)
    }

    /// Keeps other changes and removals of the container away until this value
    /// is dropped, or this process ends; waits for those under way.
    ///
    /// # Errors
    /// [`Error::Missing`] when it has been removed meanwhile; its ID may be
    /// another container's then.
    pub fn lock(&self) -> Result<(), Error> {
        let failed = |error| io_error("locking", &self.path, error);
        while let Err(error) =
            rustix::fs::flock(&self.directory, rustix::fs::FlockOperation::LockExclusive)
        {
            if error != rustix::io::Errno::INTR {
                return Err(failed(error));
            }
        }
        let own = rustix::fs::fstat(&self.directory).map_err(failed)?;
        match rustix::fs::lstat(&self.path) {
            Ok(named) if (named.st_dev, named.st_ino) == (own.st_dev, own.st_ino) => Ok(()),
            Ok(_) | Err(rustix::io::Errno::NOENT) => Err(Error::Missing),
            Err(error) => Err(failed(error)),
        }
    }

    /// Makes the gate at which the container will wait.
    ///
    /// # Errors
    /// When that fails.
    pub fn make_gate(&self) -> Result<OwnedFd, Error> {
        gate::make(self.directory.as_fd(), GATE)
            .map_err(|source| io_error("making", &self.path.join(GATE), source))
    }

    /// Connects to the waiting container; none when it does not wait.
    pub fn reach_gate(&self) -> Option<OwnedFd> {
        gate::reach(self.directory.as_fd(), GATE).ok()
    }

    /// Removes the directory. What is missing is as good as removed.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn remove(&self) -> Result<(), Error> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(io_error("removing", &self.path, error))
            }
            _ => Ok(()),
        }
    }

    /// Writes a file as a whole: a reader sees the old one or the new one.
    /// Nothing is synced, for nothing outlives the host's restart.
    fn write(&self, name: &str, document: &[u8]) -> Result<(), Error> {
        let failed = |error: io::Error| io_error("writing", &self.path.join(name), error);
        let temporary = format!(".{name}");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
        let file = rustix::fs::openat(
            &self.directory,
            temporary.as_str(),
            flags,
            Mode::from_raw_mode(0o600),
        )
        .map_err(|error| failed(error.into()))?;
        io::Write::write_all(&mut File::from(file), document).map_err(failed)?;
        rustix::fs::renameat(&self.directory, temporary.as_str(), &self.directory, name)
            .map_err(|error| failed(error.into()))
    }

    fn read<T: for<'a> Deserialize<'a>>(&self, name: &str) -> Result<T, Error> {
        let path = || self.path.join(name);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.directory, name, flags, Mode::empty()) {
            Err(rustix::io::Errno::NOENT) => return Err(Error::Missing),
            result => result.map_err(|error| io_error("opening", &path(), error))?,
        };
        let mut document = Vec::new();
        io::Read::read_to_end(&mut File::from(file), &mut document)
            .map_err(|source| io_error("reading", &path(), source))?;
        serde_json::from_slice(&document).map_err(|source| Error::Damaged {
            path: path(),
            source,
        })
    }
}

fn io_error(what: &'static str, path: &Path, source: impl Into<io::Error>) -> Error {
    Error::Io {
        what,
        path: path.to_owned(),
        source: source.into(),
    }
}

#[cfg(test)]
mod tests;
