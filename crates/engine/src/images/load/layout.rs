//! A layout of the image specification: `index.json` points at manifests, and
//! everything lies in `blobs/`.

use tare_oci::Hasher;

use super::*;

/// Names of an image, in the order they are believed: what `save` and BuildKit write,
/// then the specification's own.
const NAMES: [&str; 2] = [
    "io.containerd.image.name",
    "org.opencontainers.image.ref.name",
];

/// Indexes within one another.
const DEPTH_MAXIMUM: usize = 3;

/// The images of a layout that this host can run, in its order.
pub(super) fn images(archive: &Archive) -> Result<Vec<Found<'_>>> {
    let bytes = archive.bytes("index.json", DOCUMENT_MAXIMUM)?;
    let index = Index::parse(&bytes, OCI_INDEX).map_err(invalid)?;
    let mut images = Vec::new();
    let mut foreign = None;
    for entry in &index.manifests {
        match find(archive, entry, &Platform::host(), 0)? {
            Some(manifest) => images.push(image(archive, manifest, names(entry))?),
            None => foreign = Some(entry),
        }
    }
    match foreign {
        Some(_) if images.is_empty() => Err(Error::not_found(format!(
            "no matching manifest for {} in the manifest list entries",
            Platform::host()
        ))),
        _ => Ok(images),
    }
}

/// The manifest that an entry leads to on this platform.
fn find(
    archive: &Archive,
    entry: &Descriptor,
    platform: &Platform,
    depth: usize,
) -> Result<Option<Descriptor>> {
    if media_type::is_manifest(&entry.media_type) {
        let fits = entry
            .platform
            .as_ref()
            .is_none_or(|found| platform.rank(found).is_some());
        return Ok((fits && !entry.is_attestation()).then(|| entry.clone()));
    }
    if !media_type::is_index(&entry.media_type) || depth == DEPTH_MAXIMUM {
        let text = format!(
            "invalid archive: unsupported media type {:?}",
            entry.media_type
        );
        return Err(Error::invalid(text));
    }
    let index = Index::parse(&verified(archive, entry)?, &entry.media_type).map_err(invalid)?;
    let mut best = None;
    for candidate in &index.manifests {
        let rank = match &candidate.platform {
            Some(found) => platform.rank(found),
            None => Some(u32::MAX),
        };
        // Layouts may hold some of an index's platforms only.
        let Some(rank) = rank.filter(|_| archive.contains(&path(&candidate.digest))) else {
            continue;
        };
        if best.as_ref().is_none_or(|(least, _)| rank < *least)
            && let Some(manifest) = find(archive, candidate, platform, depth + 1)?
        {
            best = Some((rank, manifest));
        }
    }
    Ok(best.map(|(_, manifest)| manifest))
}

fn image(archive: &Archive, entry: Descriptor, names: Vec<Reference>) -> Result<Found<'_>> {
    let bytes = verified(archive, &entry)?;
    let manifest = Manifest::parse(&bytes, &entry.media_type).map_err(invalid)?;
    if !media_type::is_image_config(&manifest.config.media_type) {
        return Err(Error::invalid(format!(
            "invalid archive: {} is not a container image: its configuration is of type {:?}",
            entry.digest, manifest.config.media_type
        )));
    }
    let config = verified(archive, &manifest.config)?;
    let layers = manifest.layers.iter().map(|layer| {
        if media_type::is_foreign_layer(&layer.media_type)
            || !media_type::is_layer(&layer.media_type)
        {
            let kind = &layer.media_type;
            return Err(Error::invalid(format!(
                "invalid archive: unsupported layer type {kind:?}"
            )));
        }
        archive.file(&path(&layer.digest))
    });
    Ok(Found {
        layers: layers.collect::<Result<_>>()?,
        config: (manifest.config.digest, config),
        manifest: Some((entry.digest, bytes)),
        names,
    })
}

/// The names an entry is to go by. A lone tag (`latest`) names no repository and is
/// no name.
fn names(entry: &Descriptor) -> Vec<Reference> {
    let annotations = entry.annotations.iter().flatten();
    let texts: Vec<(&String, &String)> = annotations.collect();
    let name = NAMES.iter().find_map(|wanted| {
        let (_, text) = texts.iter().find(|(key, _)| key == wanted)?;
        let is_whole = text.contains([':', '/']);
        let reference = Reference::parse_normalized(text)
            .ok()
            .filter(|_| is_whole)?;
        (reference.digest().is_none()).then(|| reference.with_default_tag())
    });
    name.into_iter().collect()
}

fn path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}

/// A document's bytes, checked against the digest it is called by.
fn verified(archive: &Archive, descriptor: &Descriptor) -> Result<Vec<u8>> {
    let bytes = archive.bytes(&path(&descriptor.digest), DOCUMENT_MAXIMUM)?;
    let mut hasher = Hasher::new(descriptor.digest.algorithm());
    hasher.update(&bytes);
    if hasher.finish() != descriptor.digest {
        let digest = &descriptor.digest;
        return Err(Error::invalid(format!(
            "invalid archive: blob {digest} is damaged"
        )));
    }
    Ok(bytes)
}

fn invalid(error: tare_oci::image::Error) -> Error {
    Error::invalid(format!("invalid archive: {error}"))
}
