//! A layer on its way from a registry into the store: one download, whoever waits
//! for it.
//!
//! The network is read by a task, the store is written by a thread, and a bounded
//! channel is between them. When nobody waits for a layer any more, its task is
//! aborted; the thread sees the channel end too early and drops the store's writer,
//! which leaves nothing behind.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use tare_distribution::{Event, Source};
use tare_oci::{Descriptor, Digest};
use tare_storage::{BlobError, Store};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::AbortHandle;

use super::{Images, from_registry};
use crate::error::{Error, Result};

/// Layers fetched and unpacked at once, by all pulls together.
const AT_ONCE: usize = 4;

/// Pieces between the network and the store. One may have some hundred kilobytes, so
/// this decides how much memory a pull takes.
const PIECES: usize = 8;

/// Where a download is.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// Others are before it.
    Waiting,
    /// So many bytes have come.
    Downloading(u64),
    /// The connection broke; it goes on after a pause.
    Retrying(Duration),
    /// All bytes have come; the store verifies and unpacks the rest.
    Extracting,
    /// The layer is in the store.
    Done,
    /// It is not going to be.
    Failed(Error),
}

/// A download that somebody waits for.
#[derive(Debug)]
pub(super) struct Download {
    stage: watch::Receiver<Stage>,
    task: AbortHandle,
}

impl Download {
    /// Its stages; only the last one is kept for a reader that is slow.
    pub(super) fn stages(&self) -> watch::Receiver<Stage> {
        self.stage.clone()
    }

    fn has_ended(&self) -> bool {
        matches!(*self.stage.borrow(), Stage::Done | Stage::Failed(_))
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The downloads under way, by the layer's diff ID.
#[derive(Clone, Debug)]
pub(super) struct Downloads {
    under_way: Arc<Mutex<HashMap<Digest, Weak<Download>>>>,
    slots: Arc<Semaphore>,
}

impl Default for Downloads {
    fn default() -> Self {
        Self {
            under_way: Arc::default(),
            slots: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Images {
    /// The download of a layer: the one under way, or a new one. Says whether it is
    /// new, and so from `source`.
    pub(super) fn download(
        &self,
        source: &Source,
        descriptor: &Descriptor,
        diff_id: &Digest,
    ) -> (Arc<Download>, bool) {
        let downloads = &self.pulls.downloads;
        let mut under_way = downloads
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        under_way.retain(|_, download| download.strong_count() > 0);
        let known = under_way.get(diff_id).and_then(Weak::upgrade);
        if let Some(download) = known.filter(|download| !download.has_ended()) {
            return (download, false);
        }
        let (sender, stage) = watch::channel(Stage::Waiting);
        let job = Job {
            images: self.clone(),
            source: source.clone(),
            descriptor: descriptor.clone(),
            diff_id: diff_id.clone(),
            slots: Arc::clone(&downloads.slots),
        };
        let task = tokio::spawn(async move {
            let stage = match job.run(&sender).await {
                Ok(()) => Stage::Done,
                Err(error) => Stage::Failed(error),
            };
            sender.send_replace(stage);
        });
        let download = Arc::new(Download {
            stage,
            task: task.abort_handle(),
        });
        under_way.insert(diff_id.clone(), Arc::downgrade(&download));
        (download, true)
    }
}

/// One layer to be brought.
struct Job {
    images: Images,
    source: Source,
    descriptor: Descriptor,
    diff_id: Digest,
    slots: Arc<Semaphore>,
}

/// What goes to the thread that writes.
enum Piece {
    Bytes(Bytes),
    End,
}

impl Job {
    async fn run(self, stage: &watch::Sender<Stage>) -> Result<()> {
        let _slot = self.slots.acquire().await.map_err(Error::internal)?;
        stage.send_replace(Stage::Downloading(0));
        let (pieces, receiver) = mpsc::channel(PIECES);
        let (store, descriptor, diff_id) = (
            Arc::clone(&self.images.store),
            self.descriptor.clone(),
            self.diff_id.clone(),
        );
        let writer =
            tokio::task::spawn_blocking(move || write(&store, &descriptor, &diff_id, receiver));
        let fetched = self.fetch(&pieces, stage).await;
        if fetched.is_ok() && pieces.send(Piece::End).await.is_ok() {
            stage.send_replace(Stage::Extracting);
        }
        drop(pieces);
        let written = writer.await?;
        // What the network says explains why the store got too little.
        fetched.and(written)
    }

    async fn fetch(
        &self,
        pieces: &mpsc::Sender<Piece>,
        stage: &watch::Sender<Stage>,
    ) -> Result<()> {
        let mut blob = self.images.registry.blob(&self.source, &self.descriptor);
        while let Some(event) = blob.next().await.map_err(from_registry)? {
            let piece = match event {
                Event::Bytes(piece) => piece,
                Event::Retry(pause) => {
                    stage.send_replace(Stage::Retrying(pause));
                    continue;
                }
            };
            if pieces.send(Piece::Bytes(piece)).await.is_err() {
                // The writer has failed; its own error says why.
                return Ok(());
            }
            stage.send_replace(Stage::Downloading(blob.offset()));
        }
        Ok(())
    }
}

fn write(
    store: &Store,
    descriptor: &Descriptor,
    diff_id: &Digest,
    mut pieces: mpsc::Receiver<Piece>,
) -> Result<()> {
    let mut writer = store
        .layer_writer(descriptor, diff_id)
        .map_err(from_layer)?;
    while let Some(piece) = pieces.blocking_recv() {
        // After a failed write `finish` says what failed.
        let is_over = match &piece {
            Piece::Bytes(bytes) => writer.write_all(bytes).is_err(),
            Piece::End => true,
        };
        if is_over {
            return writer.finish().map(|_| ()).map_err(from_layer);
        }
    }
    Err(Error::internal("download cancelled"))
}

/// Docker's words for a layer that is not what its digest says; the store's for
/// everything else.
pub(super) fn from_layer(error: tare_storage::layer::Error) -> Error {
    match error {
        tare_storage::layer::Error::Blob(BlobError::Digest { expected, .. }) => Error::internal(
            format!("filesystem layer verification failed for digest {expected}"),
        ),
        other => Error::internal(other),
    }
}
