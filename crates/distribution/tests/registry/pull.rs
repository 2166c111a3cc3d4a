//! What a pull needs when everything works, and what it says when nothing is there.

use tare_distribution::{Client, Credentials, Error, Event, Kind, Resolved};
use tare_oci::image::Descriptor;
use tare_oci::media_type::{OCI_INDEX, OCI_MANIFEST};
use tare_oci::{Digest, Platform, Reference};

use crate::image::{Image, index};
use crate::proxy::{Fault, Proxy};
use crate::registry::{Directory, Protection, Registry, client};

/// Reads a reference.
pub(crate) fn reference(text: &str) -> Reference {
    Reference::parse_normalized(text).expect("a reference")
}

/// Resolves for amd64 without credentials.
pub(crate) async fn resolve(client: &Client, name: &str) -> Result<Resolved, Error> {
    let platform = Platform::new("linux", "amd64", None);
    client
        .resolve(&reference(name), &platform, &Credentials::Anonymous)
        .await
}

/// All bytes of a blob.
pub(crate) async fn read(
    client: &Client,
    resolved: &Resolved,
    descriptor: &Descriptor,
) -> Result<Vec<u8>, Error> {
    let mut blob = client.blob(&resolved.source, descriptor);
    let mut bytes = Vec::new();
    while let Some(event) = blob.next().await? {
        if let Event::Bytes(piece) = event {
            bytes.extend_from_slice(&piece);
        }
    }
    Ok(bytes)
}

#[tokio::test]
async fn an_image_by_tag_by_digest_and_out_of_an_index() {
    let directory = Directory::new();
    let registry = Registry::start(&directory, Protection::None);
    let amd64 = Image::new("linux/amd64", &[300_000, 0, 70_000]);
    let arm64 = Image::new("linux/arm64", &[500]);
    registry.push_tagged("some/image", "one", &amd64).await;
    registry.push("some/image", &arm64).await;
    let both = index(&[("linux/amd64", &amd64), ("linux/arm64", &arm64)]);
    registry
        .put_manifest("some/image", "both", OCI_INDEX, &both)
        .await;
    let client = client(|_| {});
    let name = format!("{}/some/image", registry.name());

    let by_tag = resolve(&client, &format!("{name}:one"))
        .await
        .expect("an image");
    assert_eq!(by_tag.digest, amd64.digest());
    assert_eq!(by_tag.manifest_bytes, amd64.manifest);
    assert_eq!(by_tag.config_bytes, amd64.config);
    assert_eq!(by_tag.media_type, OCI_MANIFEST);
    assert!(by_tag.index.is_none());
    for (descriptor, layer) in by_tag.manifest.layers.iter().zip(&amd64.layers) {
        assert!(read(&client, &by_tag, descriptor).await.expect("a layer") == *layer);
    }

    let by_digest = format!("{name}@{}", amd64.digest());
    let by_digest = resolve(&client, &by_digest).await.expect("an image");
    assert_eq!(by_digest.manifest_digest, amd64.digest());

    let tagged = reference(&format!("{name}:both"));
    let arm = Platform::new("linux", "arm64", Some("v8"));
    let found = client
        .resolve(&tagged, &arm, &Credentials::Anonymous)
        .await
        .expect("an image");
    assert_eq!(
        found.digest,
        Digest::sha256_of(&both),
        "the name stands for the index"
    );
    assert_eq!(found.manifest_digest, arm64.digest());
    assert_eq!(
        found.index,
        Some((OCI_INDEX.to_owned(), both.clone().into()))
    );

    let head = client
        .digest(&tagged, &Credentials::Anonymous)
        .await
        .expect("a digest");
    assert_eq!(head, Some(Digest::sha256_of(&both)));

    let other = Platform::new("linux", "s390x", None);
    let error = client
        .resolve(&tagged, &other, &Credentials::Anonymous)
        .await
        .expect_err("none");
    assert_eq!(
        error.to_string(),
        "no matching manifest for linux/s390x in the manifest list entries"
    );
    assert_eq!(error.kind(), Kind::NotFound);
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let directory = Directory::new();
    let registry = Registry::start(&directory, Protection::None);
    let image = Image::new("linux/amd64", &[10]);
    registry.push_tagged("some/image", "one", &image).await;
    let client = client(|_| {});
    let name = format!("{}/some/image", registry.name());

    let error = resolve(&client, &format!("{name}:two"))
        .await
        .expect_err("no such tag");
    assert_eq!(
        error.to_string(),
        format!("manifest for {name}:two not found: manifest unknown: manifest unknown")
    );
    assert_eq!(error.kind(), Kind::NotFound);

    let absent = format!("{name}@{}", Digest::sha256_of(b"absent"));
    let error = resolve(&client, &absent).await.expect_err("no such digest");
    assert_eq!(
        error.to_string(),
        format!("manifest for {absent} not found: manifest unknown: manifest unknown")
    );
}

#[tokio::test]
async fn a_registry_that_is_down_is_named_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let error = resolve(&client(|_| {}), &format!("{address}/x"))
        .await
        .expect_err("nobody there");
    assert_eq!(
        error.to_string(),
        format!("Get \"http://{address}/v2/\": dial tcp {address}: connect: connection refused")
    );
    assert_eq!(error.kind(), Kind::Failed);
}

#[tokio::test]
async fn a_host_without_address_is_named() {
    let error = resolve(&client(|_| {}), "registry.invalid/x")
        .await
        .expect_err("no such host");
    assert_eq!(
        error.to_string(),
        "Get \"https://registry.invalid/v2/\": dial tcp: lookup registry.invalid: no such host"
    );
}

#[tokio::test]
async fn a_mirror_of_docker_hub_is_asked_first_and_gets_no_credentials() {
    let directory = Directory::new();
    let registry = Registry::start(&directory, Protection::None);
    let image = Image::new("linux/amd64", &[1000]);
    registry
        .push_tagged("library/thing", "latest", &image)
        .await;
    let empty = Proxy::start(None, |_| Fault::answer(404, "nothing here")).await;
    let mirror = Proxy::start(Some(registry.address), |_| Fault::Pass).await;
    let client = client(|config| {
        config.registry_mirrors = vec![
            format!("http://{}/", empty.address),
            format!("http://{}", mirror.address),
        ];
    });
    let platform = Platform::new("linux", "amd64", None);
    let credentials = Credentials::Basic {
        username: "ann".to_owned(),
        password: "secret".to_owned(),
    };
    let resolved = client
        .resolve(&reference("thing"), &platform, &credentials)
        .await
        .expect("an image");
    assert_eq!(resolved.digest, image.digest());
    let layer = read(&client, &resolved, &resolved.manifest.layers[0])
        .await
        .expect("a layer");
    assert!(layer == image.layers[0]);
    assert_eq!(empty.seen().len(), 1);
    let seen = mirror.seen();
    assert_eq!(seen.len(), 3, "manifest, configuration, layer");
    assert!(
        seen.iter()
            .all(|request| request.header("authorization").is_none())
    );
}
