//! Writing an image down once all its layers are in the store.

use std::io::Write as _;

use bytes::Bytes;
use tare_engine_api::time;
use tare_oci::image::ImageConfig;
use tare_oci::{Descriptor, Digest, Reference};
use tare_storage::{ImageLayer, NewImage, Store};

use super::from_store;
use crate::error::{Error, Result};

/// Everything of an image but its layers.
pub(super) struct Content {
    /// The configuration and its digest, the image's ID.
    pub(super) config: (Digest, Bytes),
    /// The manifest and its digest, if it came with one.
    pub(super) manifest: Option<(Digest, Bytes)>,
    /// The blobs of the layers, the lowest first, as far as there are any.
    pub(super) layers: Vec<Option<Digest>>,
    /// The configuration, read.
    pub(super) parsed: ImageConfig,
}

/// Records the image under these names and returns its ID. The caller holds a lease
/// from the moment it looked for layers.
pub(super) fn record(store: &Store, content: Content, names: &[Reference]) -> Result<Digest> {
    let Content {
        config: (id, config_bytes),
        manifest,
        layers,
        parsed,
    } = content;
    keep(store, &id, &config_bytes)?;
    if let Some((digest, bytes)) = &manifest {
        keep(store, digest, bytes)?;
    }
    let platform = parsed.platform();
    let layers = parsed.rootfs.diff_ids.into_iter().zip(layers);
    let image = NewImage {
        id: id.clone(),
        manifest: manifest.map(|(digest, _)| digest),
        layers: layers
            .map(|(diff_id, blob)| ImageLayer { diff_id, blob })
            .collect(),
        platform,
        created: parsed.created.as_deref().map_or(0, seconds),
        labels: parsed
            .config
            .and_then(|config| config.labels)
            .unwrap_or_default(),
    };
    store.put_image(&image, names).map_err(from_store)?;
    Ok(id)
}

/// Keeps bytes under the digest they were verified against, of whatever algorithm.
fn keep(store: &Store, digest: &Digest, bytes: &[u8]) -> Result<()> {
    let descriptor = Descriptor::new("", digest.clone(), bytes.len() as u64);
    let mut writer = store.blob_writer(&descriptor).map_err(Error::internal)?;
    writer.write_all(bytes)?;
    writer.finish().map_err(Error::internal)
}

/// Seconds since 1970 of a configuration's date; 0 for none and for what is before.
pub(super) fn seconds(created: &str) -> i64 {
    let nanoseconds = time::parse(created).unwrap_or(0);
    i64::try_from(nanoseconds / 1_000_000_000)
        .unwrap_or(0)
        .max(0)
}
