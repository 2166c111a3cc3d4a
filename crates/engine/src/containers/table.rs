//! The table of all containers: found by ID, name, or the beginning of an ID.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use tare_storage::image::ImageUser;

use super::{Container, Record};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// All containers of an engine.
#[derive(Default)]
pub(crate) struct Containers {
    table: RwLock<Table>,
}

#[derive(Default)]
struct Table {
    by_id: BTreeMap<String, Arc<Container>>,
    /// Name to ID. A name is here from its reservation on, before its
    /// container is.
    names: HashMap<String, String>,
}

impl Containers {
    /// Adds a container whose name was reserved, or that was restored.
    pub(crate) fn insert(&self, record: Record) -> Arc<Container> {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.names.insert(record.name.clone(), record.id.clone());
        let container = Container::new(record);
        table
            .by_id
            .insert(container.id.clone(), Arc::clone(&container));
        container
    }

    /// Takes `name` for the container `id`; refused when it is taken.
    pub(crate) fn reserve_name(&self, name: &str, id: &str) -> Result<()> {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(holder) = table.names.get(name) {
            return Err(Error::conflict(format!(
                "Conflict. The container name \"/{name}\" is already in use by container \"{holder}\". \
                 You have to remove (or rename) that container to be able to reuse that name."
            )));
        }
        table.names.insert(name.to_owned(), id.to_owned());
        Ok(())
    }

    /// Gives a reserved name back.
    pub(crate) fn release_name(&self, name: &str, id: &str) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if table.names.get(name).is_some_and(|holder| holder == id) {
            table.names.remove(name);
        }
    }

    /// Forgets a container and its name.
    pub(crate) fn remove(&self, id: &str, name: &str) {
        self.release_name(name, id);
        self.table
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .by_id
            .remove(id);
    }

    /// The container with this whole ID.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Container>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.by_id.get(id).map(Arc::clone)
    }

    /// The container that `reference` names: a whole ID, else a name, else the
    /// beginning of exactly one ID.
    pub(crate) fn find(&self, reference: &str) -> Result<Arc<Container>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let missing = || Error::not_found(format!("No such container: {reference}"));
        if let Some(container) = table.by_id.get(reference) {
            return Ok(Arc::clone(container));
        }
        let name = reference.strip_prefix('/').unwrap_or(reference);
        if let Some(id) = table.names.get(name) {
            return table.by_id.get(id).map(Arc::clone).ok_or_else(missing);
        }
        if reference.is_empty() {
            return Err(missing());
        }
        let mut matches = table
            .by_id
            .range(reference.to_owned()..)
            .take_while(|(id, _)| id.starts_with(reference))
            .map(|(_, container)| container);
        match (matches.next(), matches.next()) {
            (Some(container), None) => Ok(Arc::clone(container)),
            (Some(_), Some(_)) => Err(Error::invalid(format!(
                "multiple IDs found with provided prefix: {reference}"
            ))),
            (None, _) => Err(missing()),
        }
    }

    /// All of them, in no particular order.
    pub(crate) fn all(&self) -> Vec<Arc<Container>> {
        self.table
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .by_id
            .values()
            .map(Arc::clone)
            .collect()
    }
}

impl Engine {
    /// The containers of an image, which keep it from being removed.
    pub(crate) fn containers_using(&self, image: &tare_oci::Digest) -> Vec<ImageUser> {
        self.inner
            .containers
            .all()
            .iter()
            .filter(|container| container.live().record.image_id == image.as_str())
            .map(|container| ImageUser {
                container: container.id.clone(),
                running: container.is_running(),
            })
            .collect()
    }
}
