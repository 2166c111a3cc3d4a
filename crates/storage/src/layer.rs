//! Layers: taken in, verified, unpacked, kept.
//!
//! Owns `layers/` and the table `layers`. A layer is named by its diff ID, the
//! digest of its uncompressed archive, so the same content in two compressions
//! is one layer.

mod decode;
mod pipe;
mod pipeline;
mod writer;

use std::io;
use std::path::PathBuf;

use rusqlite::OptionalExtension;
use tare_oci::Digest;

use crate::blob;
use crate::cause::words;
use crate::database;
use crate::image::digest;
use crate::store::Store;
use crate::unpack;

pub use crate::tar::Error as ArchiveError;
pub use crate::unpack::Error as UnpackError;
pub use writer::LayerWriter;

/// A layer in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The digest of the uncompressed archive.
    pub diff_id: Digest,
    /// The bytes in its regular files.
    pub size: u64,
    /// How many files, directories and other entries its archive has.
    pub entries: u64,
}

/// Why a layer could not be taken in. Whichever it is, nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A directory or thread for the work could not be made.
    #[error("prepare to unpack layer {diff_id}: {}", words(source))]
    Prepare {
        /// The layer.
        diff_id: Digest,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The blob is not what was announced, or could not be written.
    #[error(transparent)]
    Blob(#[from] blob::Error),
    /// The blob is no valid gzip or Zstandard stream.
    #[error("decompress layer {diff_id}: {}", words(source))]
    Decompress {
        /// The layer.
        diff_id: Digest,
        /// What the decoder found.
        source: io::Error,
    },
    /// The archive was refused, or a file of it could not be made.
    #[error("unpack layer {diff_id}: {source}")]
    Unpack {
        /// The layer.
        diff_id: Digest,
        /// What happened.
        source: unpack::Error,
    },
    /// The blob is as announced, but its content is another layer's.
    #[error("layer {expected} is not what its image says: its content has the digest {found}")]
    DiffId {
        /// What the image's configuration says.
        expected: Digest,
        /// What the content is.
        found: Digest,
    },
    /// The files could not be brought to the disk or moved into place.
    #[error("store layer {diff_id}: {}", words(source))]
    Store {
        /// The layer.
        diff_id: Digest,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Store {
    /// Whether the layer is here, complete and verified.
    pub fn has_layer(&self, diff_id: &Digest) -> Result<bool, database::Error> {
        Ok(self.layer(diff_id)?.is_some())
    }

    /// A layer's record, if it is here.
    pub fn layer(&self, diff_id: &Digest) -> Result<Option<Layer>, database::Error> {
        self.database().read(|connection| {
            let layer = connection
                .prepare_cached("SELECT diff_id, size, entries FROM layers WHERE diff_id = ?1")?
                .query_row([diff_id.as_str()], |row| {
                    let number = |value: i64| u64::try_from(value).unwrap_or(0);
                    Ok(Layer {
                        diff_id: digest(row, 0)?,
                        size: number(row.get(1)?),
                        entries: number(row.get(2)?),
                    })
                })
                .optional()?;
            Ok(layer)
        })
    }

    /// Where a layer lies unpacked, whether or not it is here.
    pub fn layer_path(&self, diff_id: &Digest) -> PathBuf {
        self.layout().layer(diff_id)
    }
}

#[cfg(test)]
mod tests;
