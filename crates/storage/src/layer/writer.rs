//! One layer on its way in.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rusqlite::Transaction;
use rustix::fs::Mode;
use tare_oci::{Descriptor, Digest};

use super::pipeline::{Failure, Pipeline};
use super::{Error, Layer};
use crate::blob::{self, BlobFile, VerifiedBlob};
use crate::cause::words;
use crate::database::{self, Durability};
use crate::store::{Store, now};
use crate::tree;
use crate::unpack::Summary;

impl Store {
    /// Takes in a layer as the bytes of its blob arrive: they are verified,
    /// kept, decompressed, verified again and unpacked. A layer that is in the
    /// store already is not unpacked a second time, but its blob is kept.
    pub fn layer_writer(
        &self,
        descriptor: &Descriptor,
        diff_id: &Digest,
    ) -> Result<LayerWriter, Error> {
        let prepare = |source: io::Error| Error::Prepare {
            diff_id: diff_id.clone(),
            source,
        };
        let is_here = self.has_layer(diff_id)?;
        let ingest = Ingest::create(self.layout().unused_ingest()).map_err(prepare)?;
        let tree = ingest.tree();
        let directory = match is_here {
            true => None,
            false => {
                const MODE: Mode = Mode::from_raw_mode(0o755);
                let made =
                    rustix::fs::mkdir(&tree, MODE).and_then(|()| rustix::fs::chmod(&tree, MODE));
                made.map_err(|error| prepare(error.into()))?;
                Some(tree)
            }
        };
        Ok(LayerWriter {
            store: self.clone(),
            diff_id: diff_id.clone(),
            blob: BlobFile::create(ingest.0.join("blob"), descriptor)?,
            pipeline: Some(Pipeline::new(directory, diff_id.algorithm())),
            failure: None,
            ingest,
        })
    }
}

/// Takes a layer's compressed bytes. Writing blocks while unpacking is behind.
/// Dropped without [`Self::finish`], or failed, it leaves nothing.
pub struct LayerWriter {
    store: Store,
    diff_id: Digest,
    // Ended before the directory below is removed.
    pipeline: Option<Pipeline>,
    blob: BlobFile,
    /// Why an earlier write failed.
    failure: Option<Error>,
    ingest: Ingest,
}

impl LayerWriter {
    /// Waits for the unpacking, verifies size and digests, brings everything to
    /// the disk and makes layer and blob visible in one transaction.
    pub fn finish(mut self) -> Result<Layer, Error> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        // First, because a blob cut short also fails to decompress.
        let blob = self.blob.verify()?;
        let outcome = match self.pipeline.take() {
            Some(pipeline) => pipeline.finish(),
            None => Err(Failure::Neighbour),
        };
        let (found, summary) = outcome.map_err(|failure| explain(&self.diff_id, failure))?;
        if found != self.diff_id {
            return Err(Error::DiffId {
                expected: self.diff_id,
                found,
            });
        }
        let committed = Commit {
            store: &self.store,
            diff_id: &self.diff_id,
            tree: self.ingest.tree(),
        };
        committed.run(blob, summary)
    }

    fn fail(&mut self, failure: Error) -> io::Error {
        self.pipeline = None;
        let kind = match &failure {
            Error::Blob(blob::Error::Write { source, .. }) => source.kind(),
            _ => io::ErrorKind::InvalidData,
        };
        let error = io::Error::new(kind, failure.to_string());
        self.failure = Some(failure);
        error
    }
}

impl Write for LayerWriter {
    /// The error tells the cause; [`Self::finish`] then returns it typed.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(failure) = &self.failure {
            return Err(io::Error::other(failure.to_string()));
        }
        if let Err(error) = self.blob.write_all(bytes) {
            let path = self.blob.path().to_owned();
            let failure = match error.downcast::<blob::Error>() {
                Ok(failure) => failure,
                Err(source) => blob::Error::Write { path, source },
            };
            return Err(self.fail(failure.into()));
        }
        if let Some(pipeline) = &mut self.pipeline
            && let Err(failure) = pipeline.write(bytes)
        {
            let failure = explain(&self.diff_id, failure);
            return Err(self.fail(failure));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl std::fmt::Debug for LayerWriter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("LayerWriter")
            .field("diff_id", &self.diff_id)
            .finish_non_exhaustive()
    }
}

fn explain(diff_id: &Digest, failure: Failure) -> Error {
    let diff_id = diff_id.clone();
    match failure {
        Failure::Start(source) => Error::Prepare { diff_id, source },
        Failure::Decode(source) => Error::Decompress { diff_id, source },
        Failure::Unpack(source) => Error::Unpack { diff_id, source },
        Failure::Neighbour => Error::Prepare {
            diff_id,
            source: io::Error::other("a thread that unpacks ended unexpectedly"),
        },
    }
}

/// The way of verified content into its place.
struct Commit<'writer> {
    store: &'writer Store,
    diff_id: &'writer Digest,
    tree: PathBuf,
}

impl Commit<'_> {
    fn run(self, blob: VerifiedBlob, summary: Option<Summary>) -> Result<Layer, Error> {
        match summary {
            // Once for the blob and all files, and outside the lock.
            Some(_) => self.sync(&self.tree)?,
            None => blob.sync()?,
        }
        let leases = self.store.placement();
        // Another writer of the same layer may have been faster.
        if summary.is_some() && !self.store.has_layer(self.diff_id)? {
            self.place_tree()?;
        }
        let blob = blob.place(self.store)?;
        self.store.database().write(
            Durability::Synced,
            |transaction| -> Result<_, database::Error> {
                blob.record(transaction)?;
                if let Some(summary) = &summary {
                    self.record(transaction, summary)?;
                }
                Ok(())
            },
        )?;
        drop(leases);
        let gone = || io::Error::other("it was removed while it was being stored");
        self.store
            .layer(self.diff_id)?
            .ok_or_else(|| self.failed(gone()))
    }

    fn place_tree(&self) -> Result<(), Error> {
        let target = self.store.layout().layer(self.diff_id);
        // What a failed removal left there.
        if let Some(path) = self.store.move_to_ingest(&target) {
            self.store.trash().remove(path);
        }
        rustix::fs::rename(&self.tree, &target).map_err(|error| self.failed(error.into()))?;
        let parent = self.store.layout().layers(self.diff_id.algorithm());
        let sync = || -> io::Result<()> { Ok(rustix::fs::fsync(File::open(&parent)?)?) };
        sync().map_err(|source| self.failed(source))
    }

    fn record(
        &self,
        transaction: &Transaction<'_>,
        summary: &Summary,
    ) -> Result<(), database::Error> {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        transaction
            .prepare_cached(
                "INSERT INTO layers VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (diff_id) DO UPDATE SET stored = excluded.stored",
            )?
            .execute((
                self.diff_id.as_str(),
                number(summary.size),
                number(summary.entries),
                summary.opaque,
                now(),
            ))?;
        Ok(())
    }

    fn sync(&self, directory: &Path) -> Result<(), Error> {
        let sync = || -> io::Result<()> { Ok(rustix::fs::syncfs(File::open(directory)?)?) };
        sync().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Store {
            diff_id: self.diff_id.clone(),
            source,
        }
    }
}

/// A directory below ingest/ that is removed with everything in it when the
/// work is done or given up.
struct Ingest(PathBuf);

impl Ingest {
    fn create(path: PathBuf) -> io::Result<Self> {
        rustix::fs::mkdir(&path, Mode::from_raw_mode(0o700))?;
        Ok(Self(path))
    }

    fn tree(&self) -> PathBuf {
        self.0.join("tree")
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        if let Err(error) = tree::remove(&self.0) {
            tracing::warn!(
                "remove {}: {}; the next start tries again",
                self.0.display(),
                words(&error)
            );
        }
    }
}
