//! Writing what `docker save` wrote until it became an OCI layout: a tar of
//! `manifest.json`, the configuration and the layers, uncompressed.

use super::image::Image;
use super::layer::LayerBuilder;
use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use serde_json::json;
use std::io::Read;
use std::path::Path;

/// Writes the archive of one image with one name.
pub(crate) fn write(path: &Path, reference: &str, image: &Image) -> Result<()> {
    let mut archive = LayerBuilder::new();
    let configuration = image.configuration();
    let configuration_name = format!("{}.json", configuration.file_name());
    archive.file(&configuration_name, 0o644, &configuration.bytes)?;
    let mut layers: Vec<String> = Vec::new();
    for layer in &image.layers {
        let directory = layer.diff_id.trim_start_matches("sha256:");
        let name = format!("{directory}/layer.tar");
        // An image may hold one layer twice (the empty one, usually).
        if !layers.contains(&name) {
            let mut tar = Vec::new();
            GzDecoder::new(layer.gzip.as_slice()).read_to_end(&mut tar)?;
            archive.directory(&format!("{directory}/"), 0o755)?;
            archive.file(&name, 0o644, &tar)?;
        }
        layers.push(name);
    }
    let manifest = json!([{
        "Config": configuration_name,
        "RepoTags": [reference],
        "Layers": layers,
    }]);
    archive.file("manifest.json", 0o644, manifest.to_string().as_bytes())?;
    std::fs::write(path, archive.into_tar()?)
        .with_context(|| format!("cannot write {}", path.display()))
}
