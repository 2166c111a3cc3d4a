//! Content store, layers, images, snapshots and the engine's database.
//!
//! # On disk
//!
//! ```text
//! <data root>/              one engine at a time: it holds flock() on the directory
//!   tare.db, -wal, -shm     SQLite: what exists, and what refers to what
//!   blobs/<algorithm>/<hex> content as it was pulled, loaded or put: manifests,
//!                           configurations, compressed layers; never changed
//!   layers/<algorithm>/<hex>/
//!                           a layer unpacked, named by its diff ID (the digest of
//!                           its uncompressed archive); a lower directory of overlays,
//!                           with whiteouts in overlay's form; never changed
//!   layers/empty/           the lower directory of images without any layer
//!   containers/<id>/        a snapshot: upper/ and work/ of a container's overlay;
//!                           the engine keeps the container's other files beside them
//!   ingest/<n>/             what is being made or removed
//! ```
//!
//! # What keeps what alive
//!
//! A file or directory exists because a row of the database names it; anything
//! else is garbage. Rows are kept alive by other rows:
//!
//! ```text
//! image_references ─→ images ─→ image_layers ─→ layers
//!        snapshots ─→ images ─→ image_blobs  ─→ blobs
//! ```
//!
//! An image lives until it is removed, with or without references. Removed
//! while a snapshot stands on it, it becomes invisible and goes with the last
//! snapshot. A layer or blob goes with the last image that has it. Layers and
//! blobs that never got an image (an interrupted pull) stay for a day, so that
//! the pull can be repeated, and then go at the next open or prune. A [`Lease`]
//! holds off the removal of layers and blobs while someone is putting an image
//! together out of what is already there.
//!
//! # Locking
//!
//! Between processes: flock on the data root. Between threads: the database has
//! one writer at a time; moving content into place together with inserting its
//! row, and deleting a row together with moving its content away, happen under
//! one lock (`placement`). Nothing is ever changed in place.
//!
//! # Crashes
//!
//! Content is written below ingest/, synced as a whole (syncfs), renamed into
//! place, and only then gets its row; removal deletes the row first, then
//! renames the content into ingest/, then deletes it. So a crash at any moment
//! leaves at worst content without a row, and opening the store removes that:
//! everything in ingest/, and every blob, layer and container directory that no
//! row names. Rows written [`Durability::Relaxed`] survive a crash of the
//! engine but perhaps not of the machine.

mod blob;
mod cause;
pub mod database;
#[cfg(test)]
mod fixture;
pub mod image;
pub mod layer;
mod layout;
mod lease;
mod schema;
pub mod snapshot;
pub mod store;
mod tar;
mod trash;
mod tree;
mod unpack;

pub use blob::{BlobWriter, Error as BlobError};
pub use database::{Database, Durability};
pub use image::{Image, ImageLayer, NewImage};
pub use layer::{Layer, LayerWriter};
pub use lease::Lease;
pub use rusqlite;
pub use snapshot::Snapshot;
pub use store::Store;
