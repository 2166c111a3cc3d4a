//! Docker's archive: `manifest.json` names a configuration, layers and names for
//! each image.

use serde::Deserialize;
use tare_oci::{Digest, Reference};

use super::{Archive, DOCUMENT_MAXIMUM, Found};
use crate::error::{Error, Result};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Option<Vec<String>>,
}

/// The images of an archive, in its order.
pub(super) fn images(archive: &Archive) -> Result<Vec<Found<'_>>> {
    let bytes = archive.bytes("manifest.json", DOCUMENT_MAXIMUM)?;
    let entries: Vec<Entry> = serde_json::from_slice(&bytes)
        .map_err(|error| Error::invalid(format!("invalid archive: manifest.json: {error}")))?;
    entries
        .into_iter()
        .map(|entry| image(archive, entry))
        .collect()
}

fn image(archive: &Archive, entry: Entry) -> Result<Found<'_>> {
    let config = archive.bytes(&entry.config, DOCUMENT_MAXIMUM)?;
    let layers = entry.layers.unwrap_or_default();
    let names = entry.repo_tags.unwrap_or_default();
    let names = names.iter().map(|name| {
        let reference = Reference::parse_normalized(name);
        let reference = reference.map_err(|error| format!("{error}: {name}"));
        reference.map(Reference::with_default_tag)
    });
    let names: Result<Vec<Reference>, String> = names.collect();
    Ok(Found {
        config: (Digest::sha256_of(&config), config),
        manifest: None,
        layers: layers
            .iter()
            .map(|layer| archive.file(layer))
            .collect::<Result<_>>()?,
        names: names.map_err(|error| Error::invalid(format!("invalid archive: {error}")))?,
    })
}
