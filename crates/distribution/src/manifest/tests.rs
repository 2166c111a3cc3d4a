use serde_json::json;
use tare_oci::Platform;
use tare_oci::media_type::{
    DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST,
};

use super::{Document, choose, parse};

const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

fn descriptor(media_type: &str) -> serde_json::Value {
    json!({"mediaType": media_type, "digest": DIGEST, "size": 2})
}

fn manifest(config: &str, layer: &str) -> serde_json::Value {
    json!({
        "schemaVersion": 2,
        "config": descriptor(config),
        "layers": [descriptor(layer)],
    })
}

#[test]
fn documents_are_read_by_their_header_and_refused_in_words() {
    let image = manifest(OCI_CONFIG, OCI_LAYER_GZIP);
    let mut claims_index = image.clone();
    claims_index["mediaType"] = OCI_INDEX.into();
    let mut both = image.clone();
    both["manifests"] = json!([]);
    let index = json!({"schemaVersion": 2, "manifests": []});
    let foreign = manifest(
        OCI_CONFIG,
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    );
    let cases = [
        (
            "application/vnd.oci.image.manifest.v1+json; charset=utf-8",
            &image,
            OCI_MANIFEST,
        ),
        ("application/json", &image, OCI_MANIFEST),
        ("", &index, OCI_INDEX),
        (DOCKER_MANIFEST_LIST, &index, DOCKER_MANIFEST_LIST),
        (OCI_MANIFEST, &claims_index, "error: ambiguous manifest"),
        ("application/json", &claims_index, "error: ambiguous index"),
        (OCI_MANIFEST, &both, "error: ambiguous manifest"),
        (OCI_INDEX, &both, "error: ambiguous index"),
        (
            DOCKER_MANIFEST,
            &foreign,
            "error: layer sha256:44136fa355b3678a",
        ),
        (
            "text/html",
            &image,
            "error: unsupported media type text/html",
        ),
        (
            "application/vnd.docker.distribution.manifest.v1+prettyjws",
            &json!({"schemaVersion": 1, "fsLayers": []}),
            "error: Docker image manifest version 2, schema 1 is not supported",
        ),
        (
            OCI_MANIFEST,
            &manifest("application/vnd.cncf.helm.config.v1+json", OCI_LAYER_GZIP),
            "error: not a container image: its configuration is of type application/vnd.cncf",
        ),
        (
            OCI_MANIFEST,
            &manifest(OCI_CONFIG, "application/octet-stream"),
            "error: layer sha256:44136fa355b3678a",
        ),
    ];
    for (content_type, document, expected) in cases {
        let found = match parse(content_type, document.to_string().as_bytes()) {
            Ok((kind, _)) => kind,
            Err(error) => format!("error: {error}"),
        };
        assert!(
            found.starts_with(expected),
            "{content_type} {document}: {found}"
        );
    }
}

#[test]
fn the_best_platform_is_chosen() {
    let entry = |number: u32, platform: &str, annotation: bool| {
        let platform: Vec<&str> = platform.split('/').collect();
        let mut entry = json!({
            "mediaType": OCI_MANIFEST,
            "digest": format!("sha256:{number:064x}"),
            "size": 2,
            "platform": {"os": platform[0], "architecture": platform[1]},
        });
        if let Some(variant) = platform.get(2) {
            entry["platform"]["variant"] = (*variant).into();
        }
        if annotation {
            entry["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
        }
        entry
    };
    let mut unnamed = entry(9, "linux/amd64", false);
    unnamed
        .as_object_mut()
        .expect("an object")
        .remove("platform");
    let index = json!({"schemaVersion": 2, "manifests": [
        unnamed,
        entry(1, "linux/amd64", true),
        entry(2, "linux/386", false),
        entry(3, "linux/amd64", false),
        entry(4, "linux/arm/v6", false),
        entry(5, "linux/arm/v7", false),
        entry(6, "linux/arm64/v8", false),
        entry(7, "windows/amd64", false),
        entry(8, "linux/amd64", false),
    ]});
    let Ok((_, Document::Index(index))) = parse(OCI_INDEX, index.to_string().as_bytes()) else {
        panic!("an index");
    };
    for (platform, expected) in [
        ("linux/amd64", Some(3)),
        ("linux/386", Some(2)),
        ("linux/arm64", Some(6)),
        ("linux/arm/v7", Some(5)),
        ("linux/arm/v8", Some(5)),
        ("linux/arm/v5", None),
        ("linux/s390x", None),
        ("windows/amd64", Some(7)),
    ] {
        let platform: Platform = platform.parse().expect("a platform");
        let found = choose(&index, &platform)
            .map(|entry| u64::from_str_radix(entry.digest.hex(), 16).expect("a small number"));
        assert_eq!(found, expected, "{platform}");
    }
}
