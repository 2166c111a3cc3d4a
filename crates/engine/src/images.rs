//! Images: pulled, loaded, embedded, listed, inspected, tagged and removed.
//!
//! # What it owns
//!
//! On disk nothing but `<data root>/ingest/load-*`, where an archive's files lie
//! while it is loaded; opening the store removes what a crash leaves of them.
//! Everything else belongs to `tare-storage`. In memory: the downloads under way
//! ([`Pulls`]), which all pulls share.
//!
//! # What a crash leaves behind
//!
//! Whole layers, which the next pull finds. An image appears at once, with its
//! names, when all of it is there.

mod archive;
mod download;
mod embedded;
mod history;
mod inspect;
mod list;
mod load;
mod pattern;
mod progress;
mod pull;
mod record;
mod remove;

use std::sync::Arc;

use tare_distribution::Client;
use tare_storage::Store;

pub use pull::PullRequest;

use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use download::Downloads;

/// Downloads under way, shared by all pulls of an engine.
#[derive(Clone, Debug, Default)]
pub struct Pulls {
    downloads: Downloads,
}

/// The image side of an engine. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Images {
    store: Arc<Store>,
    registry: Client,
    pulls: Pulls,
}

impl Images {
    /// Images of `store`, pulled by `registry`.
    pub fn new(store: Arc<Store>, registry: Client, pulls: Pulls) -> Self {
        Self {
            store,
            registry,
            pulls,
        }
    }

    /// Runs `work` on the store where it may block.
    async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = Arc::clone(&self.store);
        tokio::task::spawn_blocking(move || work(&store)).await?
    }
}

impl Engine {
    /// The image side.
    pub(crate) fn images(&self) -> Images {
        let inner = &self.inner;
        Images::new(
            Arc::clone(&inner.store),
            inner.registry.clone(),
            inner.pulls.clone(),
        )
    }
}

/// What the store says of an image, with the kind a client can act on.
pub(crate) fn from_store(error: tare_storage::image::Error) -> Error {
    use tare_storage::image::Error as Store;
    let kind = match &error {
        Store::NotFound { .. } => Kind::NotFound,
        Store::Ambiguous { .. } | Store::Reference(_) => Kind::InvalidParameter,
        Store::Incomplete { .. } | Store::Database(_) => Kind::Internal,
    };
    Error::new(kind, error.to_string())
}

/// What a registry says. Docker's client asks for a password in the middle of a
/// script when it sees 401, so refused credentials are an internal error, as with
/// Docker.
fn from_registry(error: tare_distribution::Error) -> Error {
    use tare_distribution::Kind as Registry;
    let kind = match error.kind() {
        Registry::NotFound => Kind::NotFound,
        Registry::Invalid => Kind::InvalidParameter,
        Registry::Unauthorized | Registry::Failed => Kind::Internal,
    };
    Error::new(kind, error.to_string())
}
