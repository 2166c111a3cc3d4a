use super::*;
use crate::media_type::{DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST};

const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
 "config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,
  "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
 "layers":[],"unknown":1 EXTRA}"#;

#[test]
fn refuses_documents_that_could_be_two_things() {
    let plain = MANIFEST.replace("EXTRA", "");
    assert!(Manifest::parse(plain.as_bytes(), OCI_MANIFEST).is_ok());
    let cases = [
        (plain.clone(), DOCKER_MANIFEST, "served as"),
        (
            MANIFEST.replace("EXTRA", r#","manifests":[]"#),
            OCI_MANIFEST,
            "\"manifests\"",
        ),
        (
            MANIFEST.replace("EXTRA", r#","fsLayers":[]"#),
            OCI_MANIFEST,
            "\"fsLayers\"",
        ),
        (
            plain.replace(r#"Version":2"#, r#"Version":1"#),
            OCI_MANIFEST,
            "schema version 1",
        ),
        (
            plain.replace(r#""size":2"#, r#""size":-2"#),
            OCI_MANIFEST,
            "invalid manifest",
        ),
        (
            plain.replace("44136fa3", "../../.."),
            OCI_MANIFEST,
            "invalid manifest",
        ),
        ("[]".to_owned(), OCI_MANIFEST, "schema version 0"),
    ];
    for (text, served_as, message) in cases {
        let error = Manifest::parse(text.as_bytes(), served_as)
            .expect_err(&text)
            .to_string();
        assert!(error.contains(message), "{error}");
    }
    let index = plain.replace("image.manifest.v1", "image.index.v1");
    assert!(
        Index::parse(index.as_bytes(), OCI_INDEX)
            .expect_err("layers")
            .to_string()
            .contains("\"config\"")
    );
}

#[test]
fn reads_what_go_and_old_builders_write() {
    let text = r#"{"architecture":"arm64","os":"linux","variant":"v8","config":{"Env":null,"Cmd":"sh",
      "Entrypoint":["/init"],"Labels":null,"ExposedPorts":{"80/tcp":{}},"Volumes":{},"OnBuild":null},
      "rootfs":{"type":"layers","diff_ids":null},"history":[{"empty_layer":true}],"container_config":{"Cmd":7}}"#;
    let config = ImageConfig::parse(text.as_bytes()).expect("valid");
    let defaults = config.config.clone().expect("present");
    assert_eq!(defaults.cmd, Some(vec!["sh".to_owned()]));
    assert_eq!(defaults.entrypoint, Some(vec!["/init".to_owned()]));
    assert_eq!(defaults.volumes.map(|volumes| volumes.len()), Some(0));
    assert_eq!(config.platform().to_string(), "linux/arm64/v8");
    assert!(config.rootfs.chain_ids().is_empty());
    assert_eq!(
        ImageConfig::parse(b"{}")
            .expect("valid")
            .platform()
            .to_string(),
        "linux/amd64"
    );
}

#[test]
fn chain_ids_depend_on_everything_below() {
    let diff_ids: Vec<_> = [b"a", b"b"]
        .map(|text| crate::Digest::sha256_of(text))
        .into();
    let rootfs = RootFs {
        kind: "layers".to_owned(),
        diff_ids: diff_ids.clone(),
    };
    let chain = rootfs.chain_ids();
    assert_eq!(chain[0], diff_ids[0]);
    assert_eq!(
        chain[1],
        crate::Digest::sha256_of(format!("{} {}", diff_ids[0], diff_ids[1]).as_bytes())
    );
}
