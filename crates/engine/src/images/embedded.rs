//! The image `hello`, which needs no registry: it is part of the engine.
//!
//! It is installed like an image that was pulled, when its name is used and not in
//! the store; from then on it is an image like any other and can be removed.

use std::io::Write as _;

use serde_json::json;
use tare_oci::image::ImageConfig;
use tare_oci::media_type::{OCI_CONFIG, OCI_LAYER, OCI_MANIFEST};
use tare_oci::{Descriptor, Digest, Platform, Reference};
use tare_storage::Store;

use super::Images;
use super::download::from_layer;
use super::record::{Content, record};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// The only name it goes by.
const NAME: &str = "docker.io/library/hello:latest";

/// When its text was last changed; the building machine's clock would give every
/// build another image.
const CREATED: &str = "2026-11-22T00:00:00Z";

/// Its only layer, made by the build script: a plain archive of `/hello`.
static LAYER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hello.tar"));

impl Engine {
    /// Installs the embedded image if `reference` means it and nothing goes by that
    /// name. Says whether it did. Blocks for some milliseconds.
    pub(crate) fn install_embedded(&self, reference: &Reference) -> Result<bool> {
        let store = &self.inner.store;
        if reference.to_string() != NAME || store.resolve(NAME).is_ok() {
            return Ok(false);
        }
        Ok(install(store)?.1)
    }
}

impl Images {
    /// Pulls the embedded image if `reference` means it: the digest it goes by, and
    /// whether the name stood for something else, such as an older engine's.
    pub(super) async fn pull_embedded(
        &self,
        reference: &Reference,
    ) -> Result<Option<(Digest, bool)>> {
        if reference.to_string() != NAME {
            return Ok(None);
        }
        self.with_store(|store| install(store).map(Some)).await
    }
}

/// Gives the embedded image its name, unless it has it. Returns its manifest's digest
/// and whether anything had to be done.
fn install(store: &Store) -> Result<(Digest, bool)> {
    let reference = Reference::parse_normalized(NAME).map_err(Error::internal)?;
    let layer = Descriptor::of(OCI_LAYER, LAYER);
    let config = config(&layer.digest);
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": Descriptor::of(OCI_CONFIG, &config),
        "layers": [&layer],
    });
    let manifest = manifest.to_string().into_bytes();
    let (id, digest) = (Digest::sha256_of(&config), Digest::sha256_of(&manifest));
    if store.resolve(NAME).is_ok_and(|found| found == id) {
        return Ok((digest, false));
    }
    let lease = store.lease();
    if !store.has_layer(&layer.digest).map_err(Error::internal)? {
        let mut writer = store
            .layer_writer(&layer, &layer.digest)
            .map_err(from_layer)?;
        writer.write_all(LAYER)?;
        writer.finish().map_err(from_layer)?;
    }
    let parsed = ImageConfig::parse(&config).map_err(Error::internal)?;
    let content = Content {
        config: (id, config.into()),
        manifest: Some((digest.clone(), manifest.into())),
        layers: vec![Some(layer.digest)],
        parsed,
    };
    record(
        store,
        content,
        &[reference.clone(), reference.with_digest(digest.clone())],
    )?;
    drop(lease);
    Ok((digest, true))
}

fn config(diff_id: &Digest) -> Vec<u8> {
    let platform = Platform::host();
    let config = json!({
        "created": CREATED,
        "architecture": platform.architecture,
        "os": platform.os,
        "config": {
            "Cmd": ["/hello"],
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        },
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created": CREATED, "created_by": "part of the engine"}],
    });
    config.to_string().into_bytes()
}
