//! Documents that a registry serves and that are refused, each by name.

use serde_json::json;
use tare_distribution::Kind;
use tare_oci::Digest;
use tare_oci::media_type::{OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST};

use crate::proxy::{Fault, Proxy};
use crate::pull::resolve;
use crate::registry::client;

/// A server with one document as every manifest.
async fn serving(content_type: &str, document: Vec<u8>) -> Proxy {
    let headers = format!("content-type: {content_type}\r\n");
    Proxy::start(None, move |seen| match seen.path.as_str() {
        "/v2/" => Fault::answer(200, "{}"),
        _ => Fault::Answer {
            status: 200,
            headers: headers.clone(),
            body: document.clone(),
        },
    })
    .await
}

#[tokio::test]
async fn documents_that_are_not_taken() {
    let descriptor = |media_type: &str| json!({"mediaType": media_type, "digest": Digest::sha256_of(b"{}"), "size": 2});
    let mut entry = descriptor(OCI_MANIFEST);
    entry["platform"] = json!({"os": "linux", "architecture": "amd64"});
    let confused = json!({
        "schemaVersion": 2,
        "config": descriptor(OCI_CONFIG),
        "layers": [descriptor(OCI_LAYER_GZIP)],
        "manifests": [entry],
    });
    let first_schema = json!({"schemaVersion": 1, "name": "x", "fsLayers": [], "history": []});
    let cases = [
        (
            "application/vnd.docker.distribution.manifest.v1+prettyjws",
            first_schema.to_string(),
            "schema 1 is not supported",
        ),
        (OCI_MANIFEST, confused.to_string(), "ambiguous manifest"),
        (OCI_INDEX, confused.to_string(), "ambiguous index"),
        (OCI_MANIFEST, "{".to_owned(), "invalid manifest"),
        ("text/html", "<html>".to_owned(), "invalid manifest"),
    ];
    for (content_type, document, expected) in cases {
        let server = serving(content_type, document.into_bytes()).await;
        let name = format!("{}/x:tag", server.name());
        let error = resolve(&client(|_| {}), &name).await.expect_err(expected);
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("{name}: ")) && text.contains(expected),
            "{text}"
        );
        assert_eq!(error.kind(), Kind::Invalid);
    }
}

#[tokio::test]
async fn a_manifest_beyond_its_bound_is_not_read() {
    let server = serving(OCI_MANIFEST, vec![b' '; (4 << 20) + 1]).await;
    let error = resolve(&client(|_| {}), &format!("{}/x", server.name())).await;
    assert_eq!(
        error.expect_err("too large").to_string(),
        format!(
            "manifest of http://{}/v2/x/manifests/latest is larger than 4194304 bytes",
            server.name()
        )
    );
}

#[tokio::test]
async fn an_index_within_an_index_is_refused() {
    // The entry is a manifest by its own account and an index when fetched.
    let inner = json!({"schemaVersion": 2, "manifests": []}).to_string();
    let outer = json!({"schemaVersion": 2, "manifests": [{
        "mediaType": OCI_MANIFEST,
        "digest": Digest::sha256_of(inner.as_bytes()),
        "size": inner.len(),
        "platform": {"os": "linux", "architecture": "amd64"},
    }]})
    .to_string();
    let server = Proxy::start(None, move |seen| {
        if seen.path == "/v2/" {
            return Fault::answer(200, "{}");
        }
        let body = if seen.path.ends_with("/latest") {
            &outer
        } else {
            &inner
        };
        let headers = format!("content-type: {OCI_INDEX}\r\n");
        Fault::Answer {
            status: 200,
            headers,
            body: body.clone().into_bytes(),
        }
    })
    .await;
    let error = resolve(&client(|_| {}), &format!("{}/x", server.name())).await;
    let text = error.expect_err("nested").to_string();
    assert!(text.ends_with("an index within an index"), "{text}");
}
