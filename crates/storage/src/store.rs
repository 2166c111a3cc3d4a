//! The store: one data root, opened by one engine.
//!
//! Opening takes the lock, brings the tables up to date and removes what a
//! crash left. The operations are in the files named after what they work on:
//! blob, layer, image, snapshot.

mod garbage;

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{CWD, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::cause::words;
use crate::database::{self, Database};
use crate::layout::{ALGORITHMS, Layout};
use crate::lease::{Content, Leases};
use crate::schema;
use crate::trash::Trash;
use crate::tree;

pub(crate) use garbage::delete_unused;

/// Layers and blobs without an image are kept this long for a pull to be
/// repeated, and then removed when the store is opened.
const UNUSED_KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a data root could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another engine has it.
    #[error("data root {} is in use by another engine: stop it, or choose another with --data-root", path.display())]
    InUse {
        /// The data root.
        path: PathBuf,
    },
    /// A directory could not be made, opened, locked or read.
    #[error("open data root: {operation} {}: {}", path.display(), words(source))]
    Prepare {
        /// What was tried: "create", "open", "lock", "read" or "remove".
        operation: &'static str,
        /// On which path.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The database could not be opened, brought up to date or read.
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// An open data root. Cheap to clone; the last clone to go unlocks it.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    layout: Layout,
    database: Database,
    /// Content and its row appear and disappear together under this lock.
    placement: Mutex<Leases>,
    trash: Trash,
    /// Last, so that nothing of ours touches the root once it is unlocked.
    _lock: OwnedFd,
}

impl Store {
    /// Opens a data root, creating it if need be, and removes garbage.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let layout = Layout::new(root);
        let directory = |path: PathBuf, mode: u32| {
            create_directory(&path, mode).map_err(|source| Error::Prepare {
                operation: "create",
                path,
                source,
            })
        };
        // Users in the group may pass through (Docker's mode), others may not.
        directory(root.to_owned(), 0o710)?;
        let lock = lock(root)?;
        for algorithm in ALGORITHMS {
            directory(layout.blobs(algorithm), 0o700)?;
            directory(layout.layers(algorithm), 0o711)?;
        }
        directory(layout.empty_layer(), 0o755)?;
        directory(layout.containers(), 0o711)?;
        directory(layout.ingest(), 0o700)?;
        let database = Database::open(&layout.database())?;
        database.migrate(schema::COMPONENT, schema::STEPS)?;
        let trash = Trash::start().map_err(|source| Error::Prepare {
            operation: "start the thread that cleans",
            path: layout.ingest(),
            source,
        })?;
        let inner = Inner {
            layout,
            database,
            placement: Mutex::default(),
            trash,
            _lock: lock,
        };
        let store = Self {
            inner: Arc::new(inner),
        };
        store.remove_garbage()?;
        store.remove_unused(UNUSED_KEPT_FOR)?;
        Ok(store)
    }

    /// The database, for the components above that keep their tables in it.
    pub fn database(&self) -> &Database {
        &self.inner.database
    }

    /// The data root.
    pub fn root(&self) -> &Path {
        self.inner.layout.root()
    }

    /// Waits until what was removed behind the callers' backs (snapshots,
    /// garbage found at the start) is gone from the disk.
    pub fn wait_for_removals(&self) {
        self.inner.trash.wait();
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.inner.layout
    }

    pub(crate) fn trash(&self) -> &Trash {
        &self.inner.trash
    }

    /// Locks the moving of content in and out of place.
    pub(crate) fn placement(&self) -> MutexGuard<'_, Leases> {
        self.inner
            .placement
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes those of the layers and blobs that no image has, now or after
    /// the last lease.
    pub(crate) fn release(&self, content: &Content) -> Result<(), database::Error> {
        let trash = {
            let mut leases = self.placement();
            if leases.any() {
                leases.defer(content.clone());
                return Ok(());
            }
            let unused = self
                .database()
                .write(database::Durability::Synced, |transaction| {
                    garbage::delete_unused(transaction, content)
                })?;
            self.throw_away(&unused)
        };
        self.delete(trash);
        Ok(())
    }

    /// Renames content whose rows are gone into ingest/. Called with the
    /// placement locked.
    pub(crate) fn throw_away(&self, content: &Content) -> Vec<PathBuf> {
        let layers = content
            .layers
            .iter()
            .map(|diff_id| self.layout().layer(diff_id));
        let blobs = content
            .blobs
            .iter()
            .map(|digest| self.layout().blob(digest));
        layers
            .chain(blobs)
            .filter_map(|path| self.move_to_ingest(&path))
            .collect()
    }

    /// Deletes what [`Self::throw_away`] returned, here and now, so that the
    /// space is free when the caller is told so.
    pub(crate) fn delete(&self, trash: Vec<PathBuf>) {
        for path in trash {
            if let Err(error) = tree::remove(&path) {
                tracing::warn!(
                    "remove {}: {}; the next start tries again",
                    path.display(),
                    words(&error)
                );
            }
        }
    }

    /// Takes something out of its place; it has no row any more, so when that
    /// fails the next open will find it.
    pub(crate) fn move_to_ingest(&self, path: &Path) -> Option<PathBuf> {
        let target = self.layout().unused_ingest();
        match rustix::fs::rename(path, &target) {
            Ok(()) => Some(target),
            Err(Errno::NOENT) => None,
            Err(error) => {
                tracing::warn!("move {} away: {error}", path.display());
                None
            }
        }
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Creates a directory with exactly this mode; one that is there is left as it is.
fn create_directory(path: &Path, mode: u32) -> io::Result<()> {
    if let Some(parent) = path.parent()
        && !parent.as_os_str().is_empty()
    {
        fs::create_dir_all(parent)?;
    }
    match rustix::fs::mkdir(path, Mode::from_raw_mode(mode)) {
        Ok(()) => Ok(rustix::fs::chmod(path, Mode::from_raw_mode(mode))?),
        Err(Errno::EXIST) if path.is_dir() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn lock(root: &Path) -> Result<OwnedFd, Error> {
    let failed = |operation| {
        move |error: Errno| Error::Prepare {
            operation,
            path: root.to_owned(),
            source: error.into(),
        }
    };
    let directory = rustix::fs::openat(
        CWD,
        root,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(failed("open"))?;
    match rustix::fs::flock(&directory, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(directory),
        Err(Errno::WOULDBLOCK) => Err(Error::InUse {
            path: root.to_owned(),
        }),
        Err(error) => Err(failed("lock")(error)),
    }
}

#[cfg(test)]
mod tests;
