//! Blobs: content named by its digest, kept exactly as it came.
//!
//! Owns `blobs/` and the rows of the table `blobs`.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension, Transaction};
use rustix::fs::{CWD, Mode, OFlags};
use tare_oci::{Descriptor, Digest, Hasher};

use crate::cause::words;
use crate::database::{self, Durability};
use crate::store::{Store, now};

/// A failed operation on a blob.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such blob.
    #[error("blob {digest} is not in the store")]
    NotFound {
        /// The blob.
        digest: Digest,
    },
    /// A blob is larger than the reader wants to have in memory.
    #[error("blob {digest} has {size} bytes, more than the {limit} allowed here")]
    TooLarge {
        /// The blob.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// The caller's limit.
        limit: u64,
    },
    /// The content is not what its name says.
    #[error("blob {expected} is damaged: its content has the digest {found}")]
    Digest {
        /// The name.
        expected: Digest,
        /// The content's digest.
        found: Digest,
    },
    /// There were more or fewer bytes than announced.
    #[error("blob {digest} has {found} bytes instead of {expected}")]
    Size {
        /// The blob.
        digest: Digest,
        /// The announced size.
        expected: u64,
        /// The bytes that came.
        found: u64,
    },
    /// Reading failed.
    #[error("read blob {}: {}", path.display(), words(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// Writing, syncing or moving into place failed.
    #[error("write blob {}: {}", path.display(), words(source))]
    Write {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The row could not be read or written.
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Store {
    /// Whether the blob is here, complete and verified.
    pub fn has_blob(&self, digest: &Digest) -> Result<bool, database::Error> {
        Ok(self.blob_size(digest)?.is_some())
    }

    /// The blob's size in bytes, if it is here.
    pub fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, database::Error> {
        self.database().read(|connection| {
            let size: Option<i64> = connection
                .prepare_cached("SELECT size FROM blobs WHERE digest = ?1")?
                .query_row([digest.as_str()], |row| row.get(0))
                .optional()?;
            Ok(size.and_then(|size| u64::try_from(size).ok()))
        })
    }

    /// The file that holds the blob, if it is here. Open it while a lease is
    /// held or an image has it.
    pub fn blob_path(&self, digest: &Digest) -> Result<PathBuf, Error> {
        match self.has_blob(digest)? {
            true => Ok(self.layout().blob(digest)),
            false => Err(Error::NotFound {
                digest: digest.clone(),
            }),
        }
    }

    /// Reads a blob of at most `limit` bytes and verifies it.
    pub fn read_blob(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
        let size = self.blob_size(digest)?.ok_or_else(|| Error::NotFound {
            digest: digest.clone(),
        })?;
        if size > limit {
            return Err(Error::TooLarge {
                digest: digest.clone(),
                size,
                limit,
            });
        }
        let path = self.layout().blob(digest);
        let mut bytes = Vec::new();
        let read = File::open(&path)
            .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes));
        read.map_err(|source| Error::Read { path, source })?;
        let mut hasher = Hasher::new(digest.algorithm());
        hasher.update(&bytes);
        let found = hasher.finish();
        if found == *digest {
            Ok(bytes)
        } else {
            Err(Error::Digest {
                expected: digest.clone(),
                found,
            })
        }
    }

    /// Keeps bytes at hand, such as a manifest or a configuration.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::sha256_of(bytes);
        let mut writer =
            self.blob_writer(&Descriptor::new("", digest.clone(), bytes.len() as u64))?;
        let written = writer.write_all(bytes);
        written.map_err(|source| Error::Write {
            path: writer.file.path.clone(),
            source,
        })?;
        writer.finish()?;
        Ok(digest)
    }

    /// Takes a blob in as its bytes arrive, without unpacking it.
    pub fn blob_writer(&self, descriptor: &Descriptor) -> Result<BlobWriter, Error> {
        let path = self.layout().unused_ingest();
        let file = BlobFile::create(path, descriptor)?;
        Ok(BlobWriter {
            store: self.clone(),
            file,
        })
    }
}

/// A blob on its way in. Dropped without [`Self::finish`], it leaves nothing.
#[derive(Debug)]
pub struct BlobWriter {
    store: Store,
    file: BlobFile,
}

impl BlobWriter {
    /// Verifies size and digest and makes the blob visible. The row survives a
    /// power cut together with the image that is recorded after it.
    pub fn finish(self) -> Result<(), Error> {
        let blob = self.file.verify()?;
        blob.sync()?;
        let leases = self.store.placement();
        let blob = blob.place(&self.store)?;
        self.store
            .database()
            .write(Durability::Relaxed, |transaction| blob.record(transaction))?;
        drop(leases);
        Ok(())
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file below ingest/ that becomes a blob; removed when dropped too early.
#[derive(Debug)]
pub(crate) struct BlobFile {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    written: u64,
    digest: Digest,
    size: u64,
    placed: bool,
}

impl BlobFile {
    pub(crate) fn create(path: PathBuf, descriptor: &Descriptor) -> Result<Self, Error> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = match rustix::fs::openat(CWD, &path, flags, Mode::from_raw_mode(0o600)) {
            Ok(file) => File::from(file),
            Err(error) => {
                return Err(Error::Write {
                    path,
                    source: error.into(),
                });
            }
        };
        Ok(Self {
            path,
            file,
            hasher: Hasher::new(descriptor.digest.algorithm()),
            written: 0,
            digest: descriptor.digest.clone(),
            size: descriptor.size,
            placed: false,
        })
    }

    /// Checks that exactly the announced bytes came.
    pub(crate) fn verify(self) -> Result<VerifiedBlob, Error> {
        if self.written != self.size {
            return Err(Error::Size {
                digest: self.digest.clone(),
                expected: self.size,
                found: self.written,
            });
        }
        let found = self.hasher.clone().finish();
        if found != self.digest {
            return Err(Error::Digest {
                expected: self.digest.clone(),
                found,
            });
        }
        Ok(VerifiedBlob(self))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Write for BlobFile {
    /// Refuses more bytes than announced: an endless answer must not fill the disk.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.written.saturating_add(bytes.len() as u64);
        if length > self.size {
            let error = Error::Size {
                digest: self.digest.clone(),
                expected: self.size,
                found: length,
            };
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.written = length;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for BlobFile {
    fn drop(&mut self) {
        if !self.placed {
            // A file that stays is removed with all of ingest/ at the next open.
            let _ = rustix::fs::unlink(&self.path);
        }
    }
}

/// A complete blob, not yet in its place.
#[derive(Debug)]
pub(crate) struct VerifiedBlob(BlobFile);

impl VerifiedBlob {
    pub(crate) fn sync(&self) -> Result<(), Error> {
        let sync = rustix::fs::fdatasync(&self.0.file);
        sync.map_err(|error| Error::Write {
            path: self.0.path.clone(),
            source: error.into(),
        })
    }

    /// Moves it into place, with the placement locked. The same content there
    /// already is replaced, which also mends a damaged one.
    pub(crate) fn place(mut self, store: &Store) -> Result<PlacedBlob, Error> {
        let path = store.layout().blob(&self.0.digest);
        let parent = store.layout().blobs(self.0.digest.algorithm());
        let place = || -> io::Result<()> {
            rustix::fs::rename(&self.0.path, &path)?;
            Ok(rustix::fs::fsync(File::open(&parent)?)?)
        };
        place().map_err(|source| Error::Write { path, source })?;
        self.0.placed = true;
        Ok(PlacedBlob {
            digest: self.0.digest.clone(),
            size: self.0.size,
        })
    }
}

/// A blob in its place that still lacks its row.
#[derive(Debug)]
pub(crate) struct PlacedBlob {
    digest: Digest,
    size: u64,
}

impl PlacedBlob {
    pub(crate) fn record(&self, transaction: &Transaction<'_>) -> Result<(), database::Error> {
        transaction
            .prepare_cached(
                "INSERT INTO blobs VALUES (?1, ?2, ?3) ON CONFLICT (digest) DO UPDATE SET stored = excluded.stored",
            )?
            .execute((self.digest.as_str(), i64::try_from(self.size).unwrap_or(i64::MAX), now()))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
