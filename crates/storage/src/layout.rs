//! Where everything lies below the data root. Only this file joins paths.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tare_oci::{Algorithm, Digest};

/// The algorithms that have a directory below blobs/ and layers/.
pub(crate) const ALGORITHMS: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Sha512];

/// The data root's paths.
#[derive(Debug)]
pub(crate) struct Layout {
    root: PathBuf,
    next: AtomicU64,
}

impl Layout {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            next: AtomicU64::new(0),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("tare.db")
    }

    pub(crate) fn blobs(&self, algorithm: Algorithm) -> PathBuf {
        self.root.join("blobs").join(algorithm.name())
    }

    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        self.blobs(digest.algorithm()).join(digest.hex())
    }

    pub(crate) fn layers(&self, algorithm: Algorithm) -> PathBuf {
        self.root.join("layers").join(algorithm.name())
    }

    pub(crate) fn layer(&self, diff_id: &Digest) -> PathBuf {
        self.layers(diff_id.algorithm()).join(diff_id.hex())
    }

    pub(crate) fn empty_layer(&self) -> PathBuf {
        self.root.join("layers/empty")
    }

    pub(crate) fn containers(&self) -> PathBuf {
        self.root.join("containers")
    }

    pub(crate) fn container(&self, id: &str) -> PathBuf {
        self.containers().join(id)
    }

    pub(crate) fn ingest(&self) -> PathBuf {
        self.root.join("ingest")
    }

    /// A path below ingest/ that nothing uses: open() starts the numbers above
    /// what an earlier engine left there.
    pub(crate) fn unused_ingest(&self) -> PathBuf {
        self.ingest()
            .join(self.next.fetch_add(1, Ordering::Relaxed).to_string())
    }

    pub(crate) fn reserve_ingest(&self, name: &str) {
        if let Ok(number) = name.parse::<u64>() {
            self.next
                .fetch_max(number.saturating_add(1), Ordering::Relaxed);
        }
    }
}
