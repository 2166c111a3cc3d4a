//! Removal and naming of images, by Docker's rules (which the store applies).

use tare_engine_api::ImageDeleteResponseItem;
use tare_oci::Reference;
use tare_storage::image::{ImageUser, RemoveError, Removed};

use super::{Images, from_store};
use crate::engine::Engine;
use crate::error::{Error, Result};

impl Engine {
    /// Removes a name or an image. Images have no untagged parents here, so there is
    /// nothing for `prune` to keep or to remove.
    pub async fn image_remove(
        &self,
        name: &str,
        force: bool,
        prune: bool,
    ) -> Result<Vec<ImageDeleteResponseItem>> {
        let _ = prune;
        let engine = self.clone();
        self.images()
            .remove(name, force, move |id| engine.containers_using(id))
            .await
    }

    /// Gives an image one more name.
    pub async fn image_tag(&self, name: &str, repository: &str, tag: &str) -> Result<()> {
        self.images().tag(name, repository, tag).await
    }
}

impl Images {
    /// See [`Engine::image_remove`]; `users` says which containers use an image.
    pub async fn remove(
        &self,
        name: &str,
        force: bool,
        users: impl FnOnce(&tare_oci::Digest) -> Vec<ImageUser> + Send + 'static,
    ) -> Result<Vec<ImageDeleteResponseItem>> {
        let name = name.to_owned();
        self.with_store(move |store| {
            let removed = store
                .remove_image(&name, force, users)
                .map_err(from_removal)?;
            Ok(removed.into_iter().map(item).collect())
        })
        .await
    }

    /// See [`Engine::image_tag`].
    pub async fn tag(&self, name: &str, repository: &str, tag: &str) -> Result<()> {
        let reference = Reference::parse_normalized(repository)
            .and_then(|reference| {
                if tag.is_empty() {
                    Ok(reference)
                } else {
                    reference.with_tag(tag)
                }
            })
            .map_err(|error| Error::invalid(error.to_string()))?;
        if reference.digest().is_some() {
            return Err(Error::invalid(
                "refusing to create a tag with a digest reference",
            ));
        }
        let name = name.to_owned();
        self.with_store(move |store| {
            let id = store.resolve(&name).map_err(from_store)?;
            store
                .tag(&id, &reference.with_default_tag())
                .map_err(from_store)
        })
        .await
    }
}

fn from_removal(error: RemoveError) -> Error {
    match error {
        RemoveError::Image(error) => from_store(error),
        conflict => Error::conflict(conflict.to_string()),
    }
}

fn item(removed: Removed) -> ImageDeleteResponseItem {
    match removed {
        Removed::Untagged(name) => ImageDeleteResponseItem {
            untagged: name,
            ..ImageDeleteResponseItem::default()
        },
        Removed::Deleted(digest) => ImageDeleteResponseItem {
            deleted: digest.to_string(),
            ..ImageDeleteResponseItem::default()
        },
    }
}
