//! Load: images out of an archive, whether Docker's (`manifest.json`) or a layout of
//! the image specification (`index.json`).

use std::io::{self, Read, Write as _};
use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes, BytesMut};
use tare_engine_api::JsonMessage;
use tare_oci::image::{ImageConfig, Index, Manifest};
use tare_oci::media_type::{self, OCI_INDEX};
use tare_oci::{Descriptor, Digest, Platform, Reference};
use tare_storage::Store;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc;

use super::Images;
use super::archive::{Archive, Spooled};
use super::download::from_layer;
use super::progress::{Reporter, layer_progress};
use super::record::{Content, record};
use crate::engine::Engine;
use crate::error::{Error, Result};

mod docker;
mod layout;

/// Pieces between the client and the thread that reads the archive.
const PIECES: usize = 16;

/// Bytes read from the client, or written to the store, at once.
const PIECE: usize = 64 << 10;

/// Largest document of an archive, in bytes.
const DOCUMENT_MAXIMUM: u64 = 8 << 20;

/// Between two messages about one layer.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

impl Engine {
    /// Loads the images of an archive, told message by message; the last one is the
    /// error if there is one. With `quiet` only results are told. The load ends early
    /// when the receiver is dropped.
    pub async fn image_load(
        &self,
        archive: impl AsyncRead + Send + Unpin + 'static,
        quiet: bool,
    ) -> Result<mpsc::Receiver<JsonMessage>> {
        Ok(self.images().load(archive, quiet))
    }
}

impl Images {
    /// See [`Engine::image_load`].
    pub fn load(
        &self,
        archive: impl AsyncRead + Send + Unpin + 'static,
        quiet: bool,
    ) -> mpsc::Receiver<JsonMessage> {
        let (reporter, receiver) = Reporter::new();
        let (pieces, input) = mpsc::channel(PIECES);
        tokio::spawn(pump(archive, pieces));
        let store = std::sync::Arc::clone(&self.store);
        tokio::task::spawn_blocking(move || {
            let loading = Loading {
                store: &store,
                reporter: &reporter,
                quiet,
            };
            if let Err(error) = loading.run(Input {
                pieces: input,
                piece: Bytes::new(),
            }) {
                tracing::info!(%error, "load failed");
                reporter.send_blocking(JsonMessage::error(error.to_string()));
            }
        });
        receiver
    }
}

/// Brings the client's bytes to the thread that reads them.
async fn pump(mut archive: impl AsyncRead + Unpin, pieces: mpsc::Sender<io::Result<Bytes>>) {
    loop {
        let mut piece = BytesMut::with_capacity(PIECE);
        let piece = match archive.read_buf(&mut piece).await {
            Ok(0) => return,
            Ok(_) => Ok(piece.freeze()),
            Err(error) => Err(error),
        };
        let failed = piece.is_err();
        if pieces.send(piece).await.is_err() || failed {
            return;
        }
    }
}

/// The client's bytes, for a thread that may block.
struct Input {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    piece: Bytes,
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                None => return Ok(0),
                Some(piece) => self.piece = piece?,
            }
        }
        let length = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

/// One load.
struct Loading<'a> {
    store: &'a Store,
    reporter: &'a Reporter,
    quiet: bool,
}

/// An image found in an archive.
struct Found<'a> {
    config: (Digest, Vec<u8>),
    manifest: Option<(Digest, Vec<u8>)>,
    /// The lowest first.
    layers: Vec<&'a Spooled>,
    names: Vec<Reference>,
}

impl Loading<'_> {
    fn run(&self, input: impl Read) -> Result<()> {
        let archive = Archive::read(input, &self.store.root().join("ingest"))?;
        let images = if archive.contains("manifest.json") {
            docker::images(&archive)?
        } else if archive.contains("index.json") {
            layout::images(&archive)?
        } else {
            return Err(Error::invalid(
                "invalid archive: it has neither a manifest.json (as `save` writes it) nor an \
                 index.json (of an OCI image layout)",
            ));
        };
        for image in images {
            self.install(image)?;
        }
        Ok(())
    }

    fn install(&self, image: Found<'_>) -> Result<()> {
        let (id, config) = image.config;
        let parsed = ImageConfig::parse(&config)
            .map_err(|error| Error::invalid(format!("invalid archive: {error}")))?;
        let diff_ids = parsed.rootfs.diff_ids.clone();
        if diff_ids.len() != image.layers.len() {
            return Err(Error::invalid(format!(
                "invalid archive: image {id} has {} layers, but {} diff IDs in its configuration",
                image.layers.len(),
                diff_ids.len()
            )));
        }
        let os = parsed.platform().os;
        if os != "linux" {
            let message =
                format!("image operating system \"{os}\" cannot be used on this platform");
            return Err(Error::invalid(message));
        }
        let lease = self.store.lease();
        for (layer, diff_id) in image.layers.iter().zip(&diff_ids) {
            self.layer(layer, diff_id)?;
        }
        let content = Content {
            config: (id.clone(), config.into()),
            manifest: image.manifest.map(|(digest, bytes)| (digest, bytes.into())),
            layers: image
                .layers
                .iter()
                .map(|layer| Some(layer.digest.clone()))
                .collect(),
            parsed,
        };
        record(self.store, content, &image.names)?;
        drop(lease);
        if image.names.is_empty() {
            self.tell(format!("Loaded image ID: {id}\n"));
        }
        for name in &image.names {
            self.tell(format!("Loaded image: {}\n", name.familiar()));
        }
        Ok(())
    }

    fn layer(&self, layer: &Spooled, diff_id: &Digest) -> Result<()> {
        if self.store.has_layer(diff_id).map_err(Error::internal)? {
            return Ok(());
        }
        let descriptor = Descriptor::new("", layer.digest.clone(), layer.size);
        let mut writer = self
            .store
            .layer_writer(&descriptor, diff_id)
            .map_err(from_layer)?;
        let mut file = layer.open()?;
        let mut piece = vec![0; PIECE];
        let mut written = 0;
        let mut told = Instant::now();
        loop {
            if self.reporter.is_closed() {
                return Err(Error::internal("load cancelled"));
            }
            let length = file.read(&mut piece)?;
            // After a failed write `finish` says what failed.
            if length == 0 || writer.write_all(&piece[..length]).is_err() {
                break;
            }
            written += length as u64;
            if !self.quiet && told.elapsed() >= PROGRESS_EVERY {
                told = Instant::now();
                self.progress(diff_id, written, layer.size);
            }
        }
        writer.finish().map_err(from_layer)?;
        if !self.quiet {
            self.progress(diff_id, layer.size, layer.size);
        }
        Ok(())
    }

    fn progress(&self, diff_id: &Digest, current: u64, total: u64) {
        let message = layer_progress(diff_id.short(), "Loading layer", current, total);
        self.reporter.send_blocking(message);
    }

    fn tell(&self, text: String) {
        self.reporter.send_blocking(JsonMessage::stream(text));
    }
}
