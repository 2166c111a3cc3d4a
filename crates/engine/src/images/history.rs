//! How an image came about, step by step.

use tare_engine_api::ImageHistoryResponseItem;
use tare_oci::image::History;
use tare_storage::{ImageLayer, Store};

use super::Images;
use super::inspect::read;
use super::list::names;
use super::record::seconds;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// What Docker shows for the ID of a step that no image of its own stands for.
const MISSING: &str = "<missing>";

impl Engine {
    /// The steps an image was built in, the last first.
    pub async fn image_history(&self, name: &str) -> Result<Vec<ImageHistoryResponseItem>> {
        self.images().history(name).await
    }
}

impl Images {
    /// See [`Engine::image_history`].
    pub async fn history(&self, name: &str) -> Result<Vec<ImageHistoryResponseItem>> {
        let name = name.to_owned();
        self.with_store(move |store| history(store, &name)).await
    }
}

fn history(store: &Store, name: &str) -> Result<Vec<ImageHistoryResponseItem>> {
    let (image, config) = read(store, name)?;
    let mut layers = image.layers.iter();
    let mut items = Vec::new();
    for step in config.history.unwrap_or_default() {
        let layer = if step.empty_layer.unwrap_or(false) {
            None
        } else {
            layers.next()
        };
        items.push(item(step, size(store, layer)?));
    }
    // An image without a history still has layers.
    for layer in layers {
        items.push(item(History::default(), size(store, Some(layer))?));
    }
    items.reverse();
    if let Some(last) = items.first_mut() {
        last.id = image.id.to_string();
        let tags = names(&image.references).0;
        last.tags = (!tags.is_empty()).then_some(tags);
    }
    Ok(items)
}

/// Bytes in the files of a layer; of no layer, none.
fn size(store: &Store, layer: Option<&ImageLayer>) -> Result<u64> {
    let Some(layer) = layer else { return Ok(0) };
    let stored = store.layer(&layer.diff_id).map_err(Error::internal)?;
    Ok(stored.map_or(0, |stored| stored.size))
}

fn item(step: History, size: u64) -> ImageHistoryResponseItem {
    ImageHistoryResponseItem {
        comment: step.comment.unwrap_or_default(),
        created: step.created.as_deref().map_or(0, seconds),
        created_by: step.created_by.unwrap_or_default(),
        id: MISSING.to_owned(),
        size: i64::try_from(size).unwrap_or(i64::MAX),
        tags: None,
    }
}
