//! Certificates of a registry's own.

use std::fs;
use std::path::Path;

use crate::certificates::Certificates;
use crate::image::Image;
use crate::pull::resolve;
use crate::registry::{Directory, Protection, Registry, client};

/// Puts files up for a registry.
fn put_up(directory: &Directory, name: &str, registry: &Registry, files: &[(&Path, &str)]) {
    let place = directory.0.join(name).join(registry.name());
    fs::create_dir_all(&place).expect("a directory");
    for (file, name) in files {
        fs::copy(file, place.join(name)).expect("a copy");
    }
}

#[tokio::test]
async fn an_authority_put_up_for_a_registry_is_the_one_that_counts() {
    let directory = Directory::new();
    let image = Image::new("linux/amd64", &[1000]);
    Registry::start(&directory, Protection::None)
        .push_tagged("x", "latest", &image)
        .await;
    let right = Certificates::new(&directory, "right");
    let wrong = Certificates::new(&directory, "wrong");
    let registry = Registry::start(
        &directory,
        Protection::Tls {
            certificate: &right.server,
            key: &right.server_key,
            clients: None,
        },
    );
    put_up(
        &directory,
        "good.d",
        &registry,
        &[(&right.authority, "ca.crt")],
    );
    put_up(
        &directory,
        "bad.d",
        &registry,
        &[(&wrong.authority, "ca.crt")],
    );
    let name = format!("{}/x", registry.name());
    let with = |certificates: &str| {
        client(|config| config.certificate_directories = vec![directory.0.join(certificates)])
    };

    let resolved = resolve(&with("good.d"), &name).await.expect("an image");
    assert_eq!(resolved.digest, image.digest());

    let error = resolve(&with("bad.d"), &name)
        .await
        .expect_err("another authority's");
    assert_eq!(
        error.to_string(),
        format!(
            "Get \"https://{}/v2/\": tls: failed to verify certificate: \
             x509: certificate signed by unknown authority",
            registry.name()
        )
    );

    // Nothing put up: a loopback address is insecure, TLS without proof will do.
    resolve(&with("none.d"), &name).await.expect("an image");

    // A file that is no certificate is named.
    let place = directory.0.join("broken.d").join(registry.name());
    fs::create_dir_all(&place).expect("a directory");
    fs::write(
        place.join("ca.crt"),
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
    )
    .expect("a file");
    let error = resolve(&with("broken.d"), &name)
        .await
        .expect_err("no certificate");
    assert!(
        error
            .to_string()
            .starts_with(&place.join("ca.crt").display().to_string()),
        "{error}"
    );
}

#[tokio::test]
async fn a_client_certificate_is_shown() {
    let directory = Directory::new();
    let image = Image::new("linux/amd64", &[1000]);
    Registry::start(&directory, Protection::None)
        .push_tagged("x", "latest", &image)
        .await;
    let certificates = Certificates::new(&directory, "tls");
    let registry = Registry::start(
        &directory,
        Protection::Tls {
            certificate: &certificates.server,
            key: &certificates.server_key,
            clients: Some(&certificates.authority),
        },
    );
    let authority: (&Path, &str) = (&certificates.authority, "ca.crt");
    put_up(&directory, "without.d", &registry, &[authority]);
    let client_files: [(&Path, &str); 3] = [
        authority,
        (&certificates.client, "client.cert"),
        (&certificates.client_key, "client.key"),
    ];
    put_up(&directory, "with.d", &registry, &client_files);
    let name = format!("{}/x", registry.name());
    let with = |certificates: &str| {
        client(|config| config.certificate_directories = vec![directory.0.join(certificates)])
    };
    resolve(&with("with.d"), &name).await.expect("an image");
    let error = resolve(&with("without.d"), &name)
        .await
        .expect_err("no certificate shown");
    assert!(
        error
            .to_string()
            .contains("the registry wants a client certificate"),
        "{error}"
    );
}
