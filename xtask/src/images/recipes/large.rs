//! `large`: about 500 MB in eight layers, out of this machine's own /usr; for
//! measuring a pull, never for a test.

use super::busybox;
use crate::images::image::Image;
use crate::images::layer::{Layer, LayerBuilder};
use anyhow::{Context, Result, ensure};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const LAYERS: usize = 8;
const LAYER_SIZE: usize = 71_000_000;
/// Programs, libraries, headers, texts: sizes and ratios as images have them.
const DIRECTORIES: &[&str] = &["/usr/lib", "/usr/include", "/usr/bin", "/usr/share"];

/// The image: its first layer is also a `busybox`, so that it can run.
pub(crate) fn make() -> Result<Vec<Image>> {
    let mut files = Vec::new();
    for directory in DIRECTORIES {
        walk(Path::new(directory), &mut files)?;
    }
    let mut files = files.into_iter();
    let mut layers = vec![busybox::layer()?];
    while layers.len() < LAYERS {
        layers.push(Arc::new(layer(&mut files)?));
    }
    Ok(vec![Image {
        architecture: "amd64",
        layers,
        config: busybox::config(),
    }])
}

fn layer(files: &mut impl Iterator<Item = PathBuf>) -> Result<Layer> {
    let mut layer = LayerBuilder::new();
    let mut size = 0;
    for path in files {
        let content =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mode = std::fs::metadata(&path)?.permissions().mode() & 0o777;
        let name = path.strip_prefix("/").unwrap_or(&path);
        layer.file(&name.to_string_lossy(), mode, &content)?;
        size += content.len();
        if size >= LAYER_SIZE {
            return layer.finish();
        }
    }
    ensure!(size > 0, "/usr has too few files for eight layers");
    layer.finish()
}

/// Every regular file below, by name, but no single one that would be a layer.
fn walk(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(directory)
        .with_context(|| format!("cannot read {}", directory.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()?;
    entries.sort();
    for path in entries {
        let metadata = path.symlink_metadata()?;
        if metadata.is_dir() {
            walk(&path, files)?;
        } else if metadata.is_file() && metadata.len() < 40_000_000 && path.to_str().is_some() {
            files.push(path);
        }
    }
    Ok(())
}
