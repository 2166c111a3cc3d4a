use super::*;

#[test]
fn layers_and_their_compression() {
    let cases = [
        (DOCKER_LAYER, Some(Compression::None), false),
        (DOCKER_LAYER_GZIP, Some(Compression::Gzip), false),
        (DOCKER_LAYER_ZSTD, Some(Compression::Zstd), false),
        (DOCKER_FOREIGN_LAYER, Some(Compression::Gzip), true),
        (OCI_LAYER, Some(Compression::None), false),
        (OCI_LAYER_GZIP, Some(Compression::Gzip), false),
        (OCI_LAYER_ZSTD, Some(Compression::Zstd), false),
        (
            "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
            Some(Compression::Zstd),
            true,
        ),
        ("application/vnd.oci.image.layer.v1.tar+bzip2", None, false),
        (OCI_CONFIG, None, false),
        ("text/plain", None, false),
    ];
    for (media_type, compression, foreign) in cases {
        assert_eq!(layer_compression(media_type), compression, "{media_type}");
        assert_eq!(is_foreign_layer(media_type), foreign, "{media_type}");
    }
}

#[test]
fn parameters_do_not_matter() {
    assert!(is_manifest(
        "application/vnd.oci.image.manifest.v1+json; charset=utf-8"
    ));
    assert!(is_index(
        "application/vnd.docker.distribution.manifest.list.v2+json ;q=1"
    ));
    assert!(!is_index(""));
}

#[test]
fn content_decides() {
    let cases: [(&[u8], Compression); 6] = [
        (&[0x1f, 0x8b, 8, 0], Compression::Gzip),
        (&[0x28, 0xb5, 0x2f, 0xfd, 0], Compression::Zstd),
        (&[0x50, 0x2a, 0x4d, 0x18, 0], Compression::Zstd),
        (&[0x60, 0x2a, 0x4d, 0x18, 0], Compression::None),
        (b"etc/passwd\0", Compression::None),
        (&[], Compression::None),
    ];
    for (first, compression) in cases {
        assert_eq!(Compression::of_content(first), compression, "{first:x?}");
    }
}
