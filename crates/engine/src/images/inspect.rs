//! Everything about one image.

use std::collections::BTreeMap;

use serde_json::Value;
use tare_engine_api::{DriverData, ImageConfig, ImageInspect, ImageMetadata, RootFs, time};
use tare_oci::image::ImageConfig as Stored;
use tare_storage::{Image, Store};

use super::list::names;
use super::{Images, from_store};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Largest configuration read, in bytes; a pull takes none that is larger.
const CONFIG_MAXIMUM: u64 = 8 << 20;

impl Engine {
    /// Everything about the image of this name or ID.
    pub async fn image_inspect(&self, name: &str) -> Result<ImageInspect> {
        self.images().inspect(name).await
    }
}

impl Images {
    /// See [`Engine::image_inspect`].
    pub async fn inspect(&self, name: &str) -> Result<ImageInspect> {
        let name = name.to_owned();
        self.with_store(move |store| {
            let (image, config) = read(store, &name)?;
            inspect(store, image, config)
        })
        .await
    }
}

/// An image's record and its configuration.
pub(super) fn read(store: &Store, name: &str) -> Result<(Image, Stored)> {
    let id = store.resolve(name).map_err(from_store)?;
    let image = store.image(&id).map_err(from_store)?;
    let bytes = store
        .read_blob(&id, CONFIG_MAXIMUM)
        .map_err(Error::internal)?;
    let config = Stored::parse(&bytes).map_err(Error::internal)?;
    Ok((image, config))
}

fn inspect(store: &Store, image: Image, stored: Stored) -> Result<ImageInspect> {
    let (repo_tags, repo_digests) = names(&image.references);
    let platform = stored.platform();
    let last_tagged = match image.last_tagged {
        0 => time::ZERO.to_owned(),
        seconds => time::format_nanoseconds(i128::from(seconds) * 1_000_000_000),
    };
    Ok(ImageInspect {
        id: image.id.to_string(),
        repo_tags,
        repo_digests,
        parent: String::new(),
        comment: stored.comment.unwrap_or_default(),
        created: stored.created.unwrap_or_default(),
        docker_version: stored.docker_version.unwrap_or_default(),
        author: stored.author.unwrap_or_default(),
        config: Some(config(stored.config.unwrap_or_default())?),
        architecture: platform.architecture,
        variant: platform.variant.unwrap_or_default(),
        os: platform.os,
        os_version: platform.os_version.unwrap_or_default(),
        size: i64::try_from(image.size).unwrap_or(i64::MAX),
        graph_driver: graph_driver(store, &image),
        root_fs: RootFs {
            kind: "layers".to_owned(),
            layers: image
                .layers
                .iter()
                .map(|layer| layer.diff_id.to_string())
                .collect(),
        },
        metadata: ImageMetadata {
            last_tag_time: last_tagged,
        },
        ..ImageInspect::default()
    })
}

/// The same fields by the same names: what one type writes the other reads.
fn config(stored: tare_oci::image::ContainerConfig) -> Result<ImageConfig> {
    let value: Value = serde_json::to_value(stored).map_err(Error::internal)?;
    serde_json::from_value(value).map_err(Error::internal)
}

/// Where the layers lie, in the form of Docker's overlay driver. Nothing is mounted,
/// so there is no merged directory.
fn graph_driver(store: &Store, image: &Image) -> DriverData {
    let mut layers: Vec<String> = image
        .layers
        .iter()
        .rev()
        .map(|layer| store.layer_path(&layer.diff_id).display().to_string())
        .collect();
    let mut data = BTreeMap::new();
    if !layers.is_empty() {
        data.insert("UpperDir".to_owned(), layers.remove(0));
    }
    if !layers.is_empty() {
        data.insert("LowerDir".to_owned(), layers.join(":"));
    }
    DriverData {
        data: Some(data),
        name: "overlay2".to_owned(),
    }
}
