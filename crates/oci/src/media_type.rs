//! Media types of the two families of image documents, Docker's schema 2 and
//! the OCI's, and what one may conclude from them.

/// A Docker image manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// A Docker manifest list: several platforms under one name.
pub const DOCKER_MANIFEST_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// A Docker image configuration.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// A Docker layer: a tar archive.
pub const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";
/// A Docker layer, compressed with gzip.
pub const DOCKER_LAYER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
/// A Docker layer, compressed with Zstandard.
pub const DOCKER_LAYER_ZSTD: &str = "application/vnd.docker.image.rootfs.diff.tar.zstd";
/// A Docker layer that registries do not keep (Windows base layers).
pub const DOCKER_FOREIGN_LAYER: &str = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
/// An OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An OCI image index: several manifests under one name.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// An OCI image configuration.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// An OCI layer: a tar archive.
pub const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// An OCI layer, compressed with gzip.
pub const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// An OCI layer, compressed with Zstandard.
pub const OCI_LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
/// The empty JSON object that artifacts carry as configuration.
pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";

const OCI_FOREIGN_LAYER: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar";

/// What a client asks a registry for, in order of preference.
pub const ACCEPTED_MANIFESTS: [&str; 4] = [
    OCI_INDEX,
    DOCKER_MANIFEST_LIST,
    OCI_MANIFEST,
    DOCKER_MANIFEST,
];

/// The type without parameters, as a `Content-Type` header may carry them.
pub fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// One image's manifest.
pub fn is_manifest(media_type: &str) -> bool {
    matches!(essence(media_type), DOCKER_MANIFEST | OCI_MANIFEST)
}

/// An index or manifest list.
pub fn is_index(media_type: &str) -> bool {
    matches!(essence(media_type), DOCKER_MANIFEST_LIST | OCI_INDEX)
}

/// An image configuration (and not an artifact's).
pub fn is_image_config(media_type: &str) -> bool {
    matches!(essence(media_type), DOCKER_CONFIG | OCI_CONFIG)
}

/// A file system layer, of whatever compression, including foreign ones.
pub fn is_layer(media_type: &str) -> bool {
    layer_compression(media_type).is_some()
}

/// A layer that registries refer to elsewhere by URL.
pub fn is_foreign_layer(media_type: &str) -> bool {
    let media_type = essence(media_type);
    media_type == DOCKER_FOREIGN_LAYER || media_type.starts_with(OCI_FOREIGN_LAYER)
}

/// How a layer is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// A plain tar archive.
    None,
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Compression {
    /// What the first bytes of a blob say. Like Docker, the store believes
    /// these rather than the media type, which builders get wrong.
    pub fn of_content(first: &[u8]) -> Self {
        const SKIPPABLE_FRAME: [u8; 3] = [0x2a, 0x4d, 0x18];
        match first {
            [0x1f, 0x8b, 0x08, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            // zstd:chunked and seekable files may begin with a skippable frame.
            [0x50..=0x5f, rest @ ..] if rest.starts_with(&SKIPPABLE_FRAME) => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// The compression a layer's media type declares; none for what is no layer.
pub fn layer_compression(media_type: &str) -> Option<Compression> {
    let media_type = essence(media_type);
    let suffix = [
        OCI_LAYER,
        OCI_FOREIGN_LAYER,
        DOCKER_LAYER,
        "application/vnd.docker.image.rootfs.foreign.diff.tar",
    ]
    .iter()
    .find_map(|prefix| media_type.strip_prefix(prefix))?;
    match suffix {
        "" => Some(Compression::None),
        "+gzip" | ".gzip" => Some(Compression::Gzip),
        "+zstd" | ".zstd" => Some(Compression::Zstd),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
