//! Images: recorded, listed, found by name, tagged and removed.
//!
//! Owns the tables `images`, `image_layers`, `image_blobs` and
//! `image_references`. An image's ID is the digest of its configuration.
//! References are canonical (`docker.io/library/busybox:latest`) and carry a
//! tag or a digest, never both and never neither.

mod put;
mod query;
mod remove;
mod resolve;
mod tag;

use std::collections::BTreeMap;

use tare_oci::{Digest, Platform, Reference};

use crate::database;

pub(crate) use query::digest;
pub(crate) use remove::delete_row;
pub use remove::{ImageUser, RemoveError, Removed};

/// A layer of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageLayer {
    /// The digest of the uncompressed archive.
    pub diff_id: Digest,
    /// The blob the manifest names for it, if there is a manifest.
    pub blob: Option<Digest>,
}

/// What is needed to record an image whose layers and blobs are in the store.
#[derive(Clone, Debug)]
pub struct NewImage {
    /// The digest of the configuration, a blob of the store.
    pub id: Digest,
    /// The digest of the manifest it was pulled or loaded by, a blob of the store.
    pub manifest: Option<Digest>,
    /// The layers, the lowest first.
    pub layers: Vec<ImageLayer>,
    /// What it was built for.
    pub platform: Platform,
    /// When it was built, in seconds since 1970; 0 when unsaid.
    pub created: i64,
    /// The configuration's labels, for filters.
    pub labels: BTreeMap<String, String>,
}

/// A recorded image.
#[derive(Clone, Debug)]
pub struct Image {
    /// The digest of the configuration.
    pub id: Digest,
    /// The digest of the manifest it was pulled or loaded by.
    pub manifest: Option<Digest>,
    /// What it was built for.
    pub platform: Platform,
    /// When it was built, in seconds since 1970; 0 when unsaid.
    pub created: i64,
    /// The configuration's labels.
    pub labels: BTreeMap<String, String>,
    /// The sum of its layers' files in bytes.
    pub size: u64,
    /// The layers, the lowest first.
    pub layers: Vec<ImageLayer>,
    /// Its names with tags and its names with digests, sorted; none when it is
    /// dangling.
    pub references: Vec<Reference>,
    /// When a reference was last given to it, in seconds since 1970; 0 when never.
    pub last_tagged: i64,
}

/// A failed operation on images.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing goes by this name. Docker's words.
    #[error("No such image: {name}")]
    NotFound {
        /// What was asked for, with the default tag.
        name: String,
    },
    /// The beginning of an ID that several images share.
    #[error("image ID {prefix:?} is ambiguous: {count} images begin with it, give more characters")]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// How many there are.
        count: usize,
    },
    /// Neither a reference nor an ID.
    #[error(transparent)]
    Reference(#[from] tare_oci::reference::Error),
    /// The record names a layer or blob that is not in the store.
    #[error("image {id}: {missing} is not in the store")]
    Incomplete {
        /// The image.
        id: Digest,
        /// The layer or blob.
        missing: Digest,
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

#[cfg(test)]
mod tests;
