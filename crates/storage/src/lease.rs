//! Leases: what is there now will still be there when the image is recorded.
//!
//! A pull that finds a layer present skips it, and would fail at the end if
//! someone removed that layer's last image in the meantime. While any lease is
//! held, removals delete images and references at once but only note down the
//! layers and blobs; the last lease to go releases those that are still unused.

use tare_oci::Digest;

use crate::store::Store;

/// Layers and blobs that have lost an image and may have no other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) layers: Vec<Digest>,
    pub(crate) blobs: Vec<Digest>,
}

/// How many leases are held and what waits for them. The store's lock on
/// moving content in and out of place guards it.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    held: usize,
    deferred: Content,
}

impl Leases {
    /// Whether content without an image must stay for now.
    pub(crate) fn any(&self) -> bool {
        self.held > 0
    }

    /// Notes content down for the last lease to release.
    pub(crate) fn defer(&mut self, content: Content) {
        self.deferred.layers.extend(content.layers);
        self.deferred.blobs.extend(content.blobs);
    }
}

/// Held while an image is put together; see [`Store::lease`].
#[derive(Debug)]
#[must_use = "a lease protects nothing once it is dropped"]
pub struct Lease {
    store: Store,
}

impl Store {
    /// Keeps layers and blobs from being removed until the lease is dropped.
    /// Take it before asking what is present, drop it after
    /// [`Store::put_image`].
    pub fn lease(&self) -> Lease {
        self.placement().held += 1;
        Lease {
            store: self.clone(),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let deferred = {
            let mut leases = self.store.placement();
            leases.held -= 1;
            if leases.any() {
                Content::default()
            } else {
                std::mem::take(&mut leases.deferred)
            }
        };
        if deferred == Content::default() {
            return;
        }
        if let Err(error) = self.store.release(&deferred) {
            // The rows are still there, so the next prune or open removes it.
            tracing::warn!("release layers after a lease: {error}");
        }
    }
}
