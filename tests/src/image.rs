//! Images: the ones `cargo xtask images` made, and small ones made on the spot.

use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::PathBuf;

/// The docker-archive of a test image.
pub fn image_archive(name: &str) -> PathBuf {
    existing(name, "docker.tar")
}

/// The OCI layout of a test image.
pub fn image_layout(name: &str) -> PathBuf {
    existing(name, "oci")
}

fn existing(name: &str, file: &str) -> PathBuf {
    let directory = std::env::var_os("TARE_TEST_IMAGES")
        .map(PathBuf::from)
        .unwrap_or_else(|| {
            let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
            let root = package.parent().expect("the repository");
            match std::env::var_os("CARGO_TARGET_DIR") {
                Some(target) => root.join(target).join("test-images"),
                None => root.join("target/test-images"),
            }
        });
    let path = directory.join(name).join(file);
    assert!(
        path.exists(),
        "{} is missing: run `cargo xtask images`",
        path.display()
    );
    path
}

/// An image of one layer whose every part can be made wrong before it is
/// served.
#[derive(Debug)]
pub struct ImageBuilder {
    /// The compressed layer.
    pub layer: Vec<u8>,
    /// The digest of the layer in the manifest.
    pub layer_digest: String,
    /// The digest of the uncompressed layer in the configuration.
    pub diff_id: String,
    /// The configuration's architecture.
    pub architecture: String,
}

impl ImageBuilder {
    /// A layer with these files, and nothing wrong with it.
    pub fn new(files: &[(&str, &[u8])]) -> Self {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o755);
            header.set_size(content.len() as u64);
            builder
                .append_data(&mut header, name, *content)
                .expect("an entry");
        }
        let tar = builder.into_inner().expect("a layer");
        let mut encoder = GzBuilder::new().write(Vec::new(), Compression::default());
        encoder.write_all(&tar).expect("compression");
        let layer = encoder.finish().expect("compression");
        Self {
            layer_digest: digest(&layer),
            diff_id: digest(&tar),
            layer,
            architecture: "amd64".to_owned(),
        }
    }

    /// Other bytes for the layer, and their digest in the manifest.
    pub fn with_layer(mut self, layer: Vec<u8>) -> Self {
        self.layer_digest = digest(&layer);
        self.layer = layer;
        self
    }

    /// The configuration.
    pub fn configuration(&self) -> Vec<u8> {
        let value = json!({
            "architecture": self.architecture,
            "os": "linux",
            "config": {"Cmd": ["/bin/true"]},
            "rootfs": {"type": "layers", "diff_ids": [self.diff_id]},
        });
        value.to_string().into_bytes()
    }

    /// The manifest.
    pub fn manifest(&self) -> Vec<u8> {
        let configuration = self.configuration();
        let value: Value = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "digest": digest(&configuration),
                "size": configuration.len(),
            },
            "layers": [{
                "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                "digest": self.layer_digest,
                "size": self.layer.len(),
            }],
        });
        value.to_string().into_bytes()
    }
}

/// `sha256:` and the hexadecimal digest.
pub fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}
