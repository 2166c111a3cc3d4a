//! One image of one platform: its layers and its configuration.

use super::layer::Layer;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::Arc;

/// The time an image says it was made.
const CREATED: &str = "2023-11-14T22:13:20Z";

/// An image as it is written into a layout or an archive.
pub(crate) struct Image {
    /// `amd64` or `arm64`.
    pub(crate) architecture: &'static str,
    /// Lowest first. Images made on top of others share them.
    pub(crate) layers: Vec<Arc<Layer>>,
    /// What a container of it runs with (`Env`, `Cmd`, `User`, …).
    pub(crate) config: Value,
}

/// A blob with its place in a manifest.
pub(crate) struct Blob {
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// Media type, digest and size.
    pub(crate) descriptor: Value,
}

impl Blob {
    /// A blob of JSON.
    pub(crate) fn json(media_type: &str, value: &Value) -> Self {
        let bytes = value.to_string().into_bytes();
        let descriptor = descriptor(media_type, &digest(&bytes), bytes.len());
        Self { bytes, descriptor }
    }

    /// The digest's part after the colon, which names the blob's file.
    pub(crate) fn file_name(&self) -> String {
        let digest = self.descriptor["digest"].as_str().unwrap_or_default();
        digest.trim_start_matches("sha256:").to_owned()
    }
}

impl Image {
    /// The configuration blob; its digest is the image's ID.
    pub(crate) fn configuration(&self) -> Blob {
        let history: Vec<Value> = self
            .layers
            .iter()
            .enumerate()
            .map(|(index, _)| json!({"created": CREATED, "created_by": format!("layer {index}")}))
            .collect();
        let diff_ids: Vec<&str> = self
            .layers
            .iter()
            .map(|layer| layer.diff_id.as_str())
            .collect();
        Blob::json(
            "application/vnd.oci.image.config.v1+json",
            &json!({
                "created": CREATED,
                "architecture": self.architecture,
                "os": "linux",
                "config": self.config,
                "rootfs": {"type": "layers", "diff_ids": diff_ids},
                "history": history,
            }),
        )
    }

    /// The manifest that names the configuration and the layers.
    pub(crate) fn manifest(&self) -> Blob {
        let layers: Vec<Value> = self
            .layers
            .iter()
            .map(|layer| {
                descriptor(
                    "application/vnd.oci.image.layer.v1.tar+gzip",
                    &layer.digest,
                    layer.gzip.len(),
                )
            })
            .collect();
        Blob::json(
            "application/vnd.oci.image.manifest.v1+json",
            &json!({
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": self.configuration().descriptor,
                "layers": layers,
            }),
        )
    }
}

/// `sha256:` and the hexadecimal digest of the bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hexadecimal(&Sha256::digest(bytes)))
}

/// Lower-case hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn descriptor(media_type: &str, digest: &str, size: usize) -> Value {
    json!({"mediaType": media_type, "digest": digest, "size": size})
}
