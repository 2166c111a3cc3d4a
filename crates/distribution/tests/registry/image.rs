//! Images made of noise: as far as a registry and its client are concerned, layers
//! are bytes.

use serde_json::{Value, json};
use tare_oci::Digest;
use tare_oci::media_type::{OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST};

/// An image that has not been pushed yet.
pub(crate) struct Image {
    pub(crate) config: Vec<u8>,
    pub(crate) layers: Vec<Vec<u8>>,
    pub(crate) manifest: Vec<u8>,
}

impl Image {
    /// For `platform`, with layers of these sizes.
    pub(crate) fn new(platform: &str, sizes: &[usize]) -> Self {
        let layers = sizes.iter().enumerate().map(|(seed, &size)| {
            let layer = noise(seed as u64 + 1, size);
            (Digest::sha256_of(&layer), layer)
        });
        Self::of_layers(platform, layers.collect())
    }

    /// For `platform`, with these layers and their diff IDs.
    pub(crate) fn of_layers(platform: &str, layers: Vec<(Digest, Vec<u8>)>) -> Self {
        let (diff_ids, layers): (Vec<Digest>, Vec<Vec<u8>>) = layers.into_iter().unzip();
        let (os, architecture) = platform.split_once('/').expect("os/architecture");
        let config = json!({
            "created": "2024-05-01T10:00:00Z",
            "os": os,
            "architecture": architecture,
            "config": {"Cmd": ["/hello"], "Labels": {"purpose": "test"}},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": diff_ids.iter().map(|_| json!({"created_by": "test"})).collect::<Vec<_>>(),
        });
        let config = config.to_string().into_bytes();
        let layer_descriptors: Vec<Value> = layers
            .iter()
            .map(|layer| descriptor(OCI_LAYER_GZIP, layer))
            .collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": descriptor(OCI_CONFIG, &config),
            "layers": layer_descriptors,
        });
        Self {
            config,
            layers,
            manifest: manifest.to_string().into_bytes(),
        }
    }

    /// The manifest's digest.
    pub(crate) fn digest(&self) -> Digest {
        Digest::sha256_of(&self.manifest)
    }
}

/// An index over images and their platforms.
pub(crate) fn index(entries: &[(&str, &Image)]) -> Vec<u8> {
    let manifests: Vec<Value> = entries
        .iter()
        .map(|(platform, image)| {
            let (os, architecture) = platform.split_once('/').expect("os/architecture");
            let mut entry = descriptor(OCI_MANIFEST, &image.manifest);
            entry["platform"] = json!({"os": os, "architecture": architecture});
            entry
        })
        .collect();
    json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})
        .to_string()
        .into_bytes()
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": Digest::sha256_of(bytes), "size": bytes.len()})
}

/// The same bytes for the same seed (xorshift).
fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}
