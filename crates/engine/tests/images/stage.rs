//! A store, a registry, a proxy between them, and images of real layers.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use tare_engine::Error;
use tare_engine::images::{Images, PullRequest, Pulls};
use tare_engine_api::JsonMessage;
use tare_oci::Digest;
use tare_storage::Store;
use tokio::sync::mpsc::Receiver;

use crate::image::Image;
use crate::proxy::{Fault, Proxy, Seen};
use crate::registry::{Directory, Protection, Registry, client};

/// An engine's image side with a registry behind a proxy.
pub(crate) struct Stage {
    pub(crate) images: Images,
    pub(crate) store: Arc<Store>,
    pub(crate) registry: Registry,
    pub(crate) proxy: Proxy,
    pub(crate) directory: Directory,
}

impl Stage {
    pub(crate) async fn new(rule: impl Fn(&Seen) -> Fault + Send + Sync + 'static) -> Self {
        let directory = Directory::new();
        let root = directory.0.join("root");
        Self::with_root(directory, root, rule).await
    }

    /// With the store at a place of the test's choice.
    pub(crate) async fn with_root(
        directory: Directory,
        root: PathBuf,
        rule: impl Fn(&Seen) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let registry = Registry::start(&directory, Protection::None);
        let proxy = Proxy::start(Some(registry.address), rule).await;
        let store = Arc::new(Store::open(&root).expect("a store"));
        let images = Images::new(Arc::clone(&store), client(|_| {}), Pulls::default());
        Self {
            images,
            store,
            registry,
            proxy,
            directory,
        }
    }

    /// The name of the only repository, behind the proxy.
    pub(crate) fn name(&self) -> String {
        format!("{}/some/image", self.proxy.name())
    }

    /// Pulls `:latest` and returns the messages.
    pub(crate) async fn pull(&self) -> Result<Vec<JsonMessage>, Error> {
        Ok(all(self.begin().await?).await)
    }

    /// Begins to pull `:latest`.
    pub(crate) async fn begin(&self) -> Result<Receiver<JsonMessage>, Error> {
        self.images
            .pull(PullRequest {
                image: self.name(),
                ..PullRequest::default()
            })
            .await
    }

    /// Waits until nothing is left below ingest/: what ends early cleans up behind
    /// its caller's back.
    pub(crate) async fn assert_nothing_under_way(&self) {
        let ingest = self.store.root().join("ingest");
        let since = Instant::now();
        loop {
            let left: Vec<_> = std::fs::read_dir(&ingest)
                .expect("a directory")
                .flatten()
                .collect();
            if left.is_empty() {
                return;
            }
            assert!(
                since.elapsed() < Duration::from_secs(5),
                "left behind: {left:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How often a blob was asked for at the proxy.
    pub(crate) fn requests_for(&self, blob: &[u8]) -> usize {
        let digest = Digest::sha256_of(blob);
        let seen = self.proxy.seen();
        seen.iter()
            .filter(|seen| seen.path.ends_with(digest.hex()))
            .count()
    }
}

/// All messages up to the end.
pub(crate) async fn all(mut receiver: Receiver<JsonMessage>) -> Vec<JsonMessage> {
    let mut messages = Vec::new();
    while let Some(message) = receiver.recv().await {
        messages.push(message);
    }
    messages
}

/// The error that ended the messages.
pub(crate) fn failure(messages: &[JsonMessage]) -> String {
    let last = messages.last().expect("a message");
    last.error
        .clone()
        .unwrap_or_else(|| panic!("no error: {messages:#?}"))
}

/// A gzip layer with these files, and its diff ID.
pub(crate) fn layer(files: &[(&str, &[u8])]) -> (Digest, Vec<u8>) {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        archive
            .append_data(&mut header, name, *content)
            .expect("memory");
    }
    let archive = archive.into_inner().expect("memory");
    (Digest::sha256_of(&archive), compressed(&archive))
}

/// gzip.
pub(crate) fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Bytes that gzip cannot make smaller.
pub(crate) fn noise(size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size + 32);
    let mut digest = Digest::sha256_of(b"noise");
    while bytes.len() < size {
        for pair in digest.hex().as_bytes().chunks(2) {
            let text = std::str::from_utf8(pair).expect("hexadecimal");
            bytes.push(u8::from_str_radix(text, 16).expect("hexadecimal"));
        }
        digest = Digest::sha256_of(digest.hex().as_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// An image of two layers, the second one large enough to be cut.
pub(crate) fn two_layers() -> Image {
    let big = noise(300_000);
    Image::of_layers(
        "linux/amd64",
        vec![
            layer(&[("etc/small", b"small\n")]),
            layer(&[("big", &big), ("etc/other", b"2")]),
        ],
    )
}
