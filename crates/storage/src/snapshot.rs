//! Snapshots: a container's writable directory over an image's layers.
//!
//! Owns `containers/<id>/upper`, `containers/<id>/work` and the table
//! `snapshots`. The rest of `containers/<id>/` is the engine's, but goes with
//! the snapshot. Nothing is mounted here: the runtime mounts the overlay inside
//! the container's own mount namespace.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};
use rustix::fs::{Gid, Mode, Uid};
use rustix::io::Errno;
use tare_oci::Digest;

use crate::cause::words;
use crate::database::{self, Durability};
use crate::image::{delete_row, digest};
use crate::store::Store;
use crate::tree;

/// Everything an overlay of a container is mounted from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// `containers/<id>`, where the engine also keeps the container's files.
    pub directory: PathBuf,
    /// The layers, the topmost first; never empty.
    pub lower: Vec<PathBuf>,
    /// What the container wrote.
    pub upper: PathBuf,
    /// The overlay's own working directory.
    pub work: PathBuf,
}

/// A failed operation on a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The container has none.
    #[error("container {container} has no snapshot")]
    NotFound {
        /// The container's ID.
        container: String,
    },
    /// The container has one already.
    #[error("container {container} has a snapshot already")]
    Exists {
        /// The container's ID.
        container: String,
    },
    /// The image was removed in the meantime.
    #[error("No such image: {image}")]
    NoSuchImage {
        /// The image.
        image: Digest,
    },
    /// Not usable as a directory's name.
    #[error("invalid container ID {container:?}")]
    InvalidId {
        /// What was given.
        container: String,
    },
    /// A directory could not be made or measured.
    #[error("snapshot of container {container}: {}: {}", path.display(), words(source))]
    Directory {
        /// The container's ID.
        container: String,
        /// The directory.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Store {
    /// Makes a container's snapshot of an image. Relaxed is right for containers
    /// that are removed when they end.
    pub fn create_snapshot(
        &self,
        container: &str,
        image: &Digest,
        durability: Durability,
    ) -> Result<Snapshot, Error> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if container.is_empty() || container.len() > 128 || !container.bytes().all(is_word) {
            return Err(Error::InvalidId {
                container: container.to_owned(),
            });
        }
        let snapshot = self.database().read(|connection| -> Result<_, Error> {
            let exists = connection
                .prepare_cached("SELECT 1 FROM images WHERE id = ?1 AND removed = 0")?
                .exists([image.as_str()])?;
            match exists {
                true => self.describe(connection, container, image),
                false => Err(Error::NoSuchImage {
                    image: image.clone(),
                }),
            }
        })?;
        match rustix::fs::mkdir(&snapshot.directory, Mode::from_raw_mode(0o711)) {
            Ok(()) => {}
            Err(Errno::EXIST) => {
                return Err(Error::Exists {
                    container: container.to_owned(),
                });
            }
            Err(error) => {
                return Err(directory_error(
                    container,
                    &snapshot.directory,
                    error.into(),
                ));
            }
        }
        let made = make_directories(container, &snapshot).and_then(|()| {
            // The image may have gone since it was read.
            self.database().write(durability, |transaction| {
                let inserted = transaction
                    .prepare_cached("INSERT INTO snapshots SELECT ?1, id FROM images WHERE id = ?2 AND removed = 0")?
                    .execute((container, image.as_str()))?;
                match inserted {
                    0 => Err(Error::NoSuchImage { image: image.clone() }),
                    _ => Ok(()),
                }
            })
        });
        if let Err(error) = made {
            self.throw_directory_away(&snapshot.directory);
            return Err(error);
        }
        Ok(snapshot)
    }

    /// A container's snapshot. Directories that a power cut took (a new record
    /// is synced, empty directories are not) are made again.
    pub fn snapshot(&self, container: &str) -> Result<Snapshot, Error> {
        let snapshot = self.database().read(|connection| -> Result<_, Error> {
            match image_of(connection, container)? {
                Some(image) => self.describe(connection, container, &image),
                None => Err(Error::NotFound {
                    container: container.to_owned(),
                }),
            }
        })?;
        if !snapshot.work.is_dir() || !snapshot.upper.is_dir() {
            make_directories(container, &snapshot)?;
        }
        Ok(snapshot)
    }

    /// The containers that have a snapshot.
    pub fn snapshots(&self) -> Result<Vec<String>, Error> {
        self.database().read(|connection| {
            let mut statement = connection.prepare("SELECT container FROM snapshots")?;
            let containers = statement.query_map([], |row| row.get(0))?;
            Ok(containers.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Removes a container's snapshot with the whole of `containers/<id>`. Says
    /// whether there was one. The directory is out of the way when this returns
    /// and deleted in the background; nothing may have it mounted any more.
    pub fn remove_snapshot(&self, container: &str, durability: Durability) -> Result<bool, Error> {
        let released = self
            .database()
            .write(durability, |transaction| -> Result<_, Error> {
                let Some(image) = image_of(transaction, container)? else {
                    return Ok(None);
                };
                transaction
                    .prepare_cached("DELETE FROM snapshots WHERE container = ?1")?
                    .execute([container])?;
                let was_last = transaction
                    .prepare_cached(
                        "SELECT 1 FROM images WHERE id = ?1 AND removed = 1
                     AND NOT EXISTS (SELECT 1 FROM snapshots WHERE image = ?1)",
                    )?
                    .exists([image.as_str()])?;
                match was_last {
                    true => Ok(Some(Some(delete_row(transaction, &image)?.0))),
                    false => Ok(Some(None)),
                }
            })?;
        let Some(content) = released else {
            return Ok(false);
        };
        self.throw_directory_away(&self.layout().container(container));
        if let Some(content) = content {
            self.release(&content)?;
        }
        Ok(true)
    }

    /// The bytes in the files a container wrote (Docker's SizeRw).
    pub fn snapshot_size(&self, container: &str) -> Result<u64, Error> {
        let upper = self.snapshot(container)?.upper;
        tree::size(&upper).map_err(|source| directory_error(container, &upper, source))
    }

    fn throw_directory_away(&self, directory: &Path) {
        if let Some(path) = self.move_to_ingest(directory) {
            self.trash().remove(path);
        }
    }

    fn describe(
        &self,
        connection: &Connection,
        container: &str,
        image: &Digest,
    ) -> Result<Snapshot, Error> {
        let directory = self.layout().container(container);
        let mut statement = connection.prepare_cached(
            "SELECT diff_id, opaque FROM image_layers JOIN layers USING (diff_id)
             WHERE image = ?1 ORDER BY position DESC",
        )?;
        let mut rows = statement.query([image.as_str()])?;
        let mut lower = Vec::new();
        while let Some(row) = rows.next()? {
            lower.push(self.layout().layer(&digest(row, 0)?));
            // The kernel ignores the mark on a lower layer's root.
            if row.get(1)? {
                break;
            }
        }
        if lower.is_empty() {
            // An overlay needs a lower directory.
            lower.push(self.layout().empty_layer());
        }
        Ok(Snapshot {
            upper: directory.join("upper"),
            work: directory.join("work"),
            directory,
            lower,
        })
    }
}

/// The upper directory is the container's `/`: it takes mode and owner from the
/// image's. The work directory is for the kernel only.
fn make_directories(container: &str, snapshot: &Snapshot) -> Result<(), Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| directory_error(container, &path, source)
    };
    let make = |path: &Path, mode: u32, user: u32, group: u32| -> io::Result<()> {
        match rustix::fs::mkdir(path, Mode::from_raw_mode(mode)) {
            Ok(()) => {}
            Err(Errno::EXIST) if path.is_dir() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        if (user, group) != (0, 0) {
            rustix::fs::chown(path, Some(Uid::from_raw(user)), Some(Gid::from_raw(group)))?;
        }
        // Whatever the umask made of it.
        Ok(rustix::fs::chmod(path, Mode::from_raw_mode(mode))?)
    };
    let root = &snapshot.lower[0];
    let image = std::fs::metadata(root).map_err(failed(root))?;
    make(&snapshot.directory, 0o711, 0, 0).map_err(failed(&snapshot.directory))?;
    make(
        &snapshot.upper,
        image.mode() & 0o7777,
        image.uid(),
        image.gid(),
    )
    .map_err(failed(&snapshot.upper))?;
    make(&snapshot.work, 0o700, 0, 0).map_err(failed(&snapshot.work))
}

fn image_of(connection: &Connection, container: &str) -> Result<Option<Digest>, Error> {
    let mut statement =
        connection.prepare_cached("SELECT image FROM snapshots WHERE container = ?1")?;
    Ok(statement
        .query_row([container], |row| digest(row, 0))
        .optional()?)
}

fn directory_error(container: &str, path: &Path, source: io::Error) -> Error {
    Error::Directory {
        container: container.to_owned(),
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
