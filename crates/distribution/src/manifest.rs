//! Which kind of document a registry sent: an index, a manifest, or something we
//! refuse.

use serde_json::Value;
use tare_oci::image::{Descriptor, Index, Manifest};
use tare_oci::{Platform, media_type};

/// A document that a reference may name.
#[derive(Debug)]
pub(crate) enum Document {
    /// Several manifests, one for each platform.
    Index(Box<Index>),
    /// One image.
    Manifest(Box<Manifest>),
}

/// Reads a document that was served as `content_type`, and says as what it was
/// read. Errors are one line that follows the reference.
pub(crate) fn parse(content_type: &str, bytes: &[u8]) -> Result<(String, Document), String> {
    let kind = kind(content_type, bytes)?;
    let document = if media_type::is_index(&kind) {
        Document::Index(Box::new(
            Index::parse(bytes, &kind).map_err(|error| error.to_string())?,
        ))
    } else {
        let manifest = Manifest::parse(bytes, &kind).map_err(|error| error.to_string())?;
        accept(&manifest)?;
        Document::Manifest(Box::new(manifest))
    };
    Ok((kind, document))
}

/// The media type to read the document by. The header decides; only a server that
/// does not know manifests (a plain web server as mirror) leaves it to the content.
fn kind(content_type: &str, bytes: &[u8]) -> Result<String, String> {
    let served_as = media_type::essence(content_type);
    if media_type::is_index(served_as) || media_type::is_manifest(served_as) {
        return Ok(served_as.to_owned());
    }
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| format!("invalid manifest: {error}"))?;
    let is_first_schema = value.get("schemaVersion").and_then(Value::as_i64) == Some(1);
    if is_first_schema || served_as.starts_with("application/vnd.docker.distribution.manifest.v1") {
        return Err(
            "Docker image manifest version 2, schema 1 is not supported: \
                    push the image again with a current client"
                .to_owned(),
        );
    }
    if !matches!(
        served_as,
        "" | "application/json" | "application/octet-stream" | "text/plain"
    ) {
        return Err(format!("unsupported media type {served_as}"));
    }
    let said = value
        .get("mediaType")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let kind = match said {
        "" if value.get("manifests").is_some() => media_type::OCI_INDEX,
        "" => media_type::OCI_MANIFEST,
        said => said,
    };
    if !media_type::is_index(kind) && !media_type::is_manifest(kind) {
        return Err(format!(
            "unsupported media type {}",
            crate::answer::printable(kind)
        ));
    }
    Ok(kind.to_owned())
}

/// Refuses what is not a container image that we could store.
fn accept(manifest: &Manifest) -> Result<(), String> {
    let shown = |text: &str| crate::answer::printable(text);
    if !media_type::is_image_config(&manifest.config.media_type) {
        let kind = shown(&manifest.config.media_type);
        return Err(format!(
            "not a container image: its configuration is of type {kind}"
        ));
    }
    for layer in &manifest.layers {
        let kind = shown(&layer.media_type);
        if media_type::is_foreign_layer(&layer.media_type) {
            return Err(format!(
                "layer {} is kept elsewhere ({kind}), which is not supported",
                layer.digest
            ));
        }
        if !media_type::is_layer(&layer.media_type) {
            return Err(format!(
                "layer {} is of unsupported type {kind}",
                layer.digest
            ));
        }
    }
    Ok(())
}

/// The entry of an index that suits `platform` best, the first of equals.
pub(crate) fn choose<'a>(index: &'a Index, platform: &Platform) -> Option<&'a Descriptor> {
    let candidates = index
        .manifests
        .iter()
        .filter(|entry| !entry.is_attestation() && media_type::is_manifest(&entry.media_type));
    candidates
        .filter_map(|entry| Some((platform.rank(entry.platform.as_ref()?)?, entry)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, entry)| entry)
}

#[cfg(test)]
mod tests;
