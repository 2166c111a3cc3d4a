//! Writing an OCI image layout.

use super::image::{Blob, Image};
use anyhow::{Context, Result};
use serde_json::json;
use std::path::Path;

/// Writes the layout. One image is named by `index.json` itself, several by an
/// index blob of their platforms, as registries serve them.
pub(crate) fn write(directory: &Path, tag: &str, images: &[Image]) -> Result<()> {
    let blobs = directory.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).with_context(|| format!("cannot make {}", blobs.display()))?;
    let save = |name: &str, bytes: &[u8]| {
        let path = blobs.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    };
    let mut manifests = Vec::new();
    for image in images {
        for layer in &image.layers {
            save(layer.digest.trim_start_matches("sha256:"), &layer.gzip)?;
        }
        let configuration = image.configuration();
        save(&configuration.file_name(), &configuration.bytes)?;
        let manifest = image.manifest();
        save(&manifest.file_name(), &manifest.bytes)?;
        let mut descriptor = manifest.descriptor;
        descriptor["platform"] = json!({"architecture": image.architecture, "os": "linux"});
        manifests.push(descriptor);
    }
    if manifests.len() > 1 {
        let index = Blob::json(
            "application/vnd.oci.image.index.v1+json",
            &json!({
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.index.v1+json",
                "manifests": manifests,
            }),
        );
        save(&index.file_name(), &index.bytes)?;
        manifests = vec![index.descriptor];
    }
    for descriptor in &mut manifests {
        descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": manifests,
    });
    std::fs::write(directory.join("index.json"), index.to_string())?;
    std::fs::write(
        directory.join("oci-layout"),
        json!({"imageLayoutVersion": "1.0.0"}).to_string(),
    )?;
    Ok(())
}
