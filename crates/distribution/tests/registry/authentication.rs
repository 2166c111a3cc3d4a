//! Passwords and tokens, at a registry that really checks them.

use tare_distribution::{Credentials, Error, Kind, Resolved};
use tare_oci::Platform;

use crate::image::Image;
use crate::proxy::{Fault, Proxy};
use crate::pull::{read, reference};
use crate::registry::{Directory, Protection, Registry, client};
use crate::token_server::{IDENTITY_TOKEN, TokenServer};

fn ann(password: &str) -> Credentials {
    Credentials::Basic {
        username: "ann".to_owned(),
        password: password.to_owned(),
    }
}

async fn resolve(
    client: &tare_distribution::Client,
    name: &str,
    credentials: &Credentials,
) -> Result<Resolved, Error> {
    client
        .resolve(
            &reference(name),
            &Platform::new("linux", "amd64", None),
            credentials,
        )
        .await
}

#[tokio::test]
async fn a_password() {
    let directory = Directory::new();
    let image = Image::new("linux/amd64", &[1000]);
    Registry::start(&directory, Protection::None)
        .push_tagged("x", "latest", &image)
        .await;
    let registry = Registry::start(&directory, Protection::Password);
    let client = client(|_| {});
    let name = format!("{}/x", registry.name());

    let resolved = resolve(&client, &name, &ann("secret"))
        .await
        .expect("an image");
    assert!(
        read(&client, &resolved, &resolved.manifest.layers[0])
            .await
            .expect("a layer")
            == image.layers[0]
    );

    let error = resolve(&client, &name, &Credentials::Anonymous)
        .await
        .expect_err("refused");
    assert_eq!(
        error.to_string(),
        format!(
            "Get \"http://{}/v2/x/manifests/latest\": no basic auth credentials",
            registry.name()
        )
    );
    assert_eq!(error.kind(), Kind::Unauthorized);

    let error = resolve(&client, &name, &ann("wrong"))
        .await
        .expect_err("refused");
    assert_eq!(error.to_string(), "unauthorized: authentication required");
    assert_eq!(error.kind(), Kind::Unauthorized);
}

#[tokio::test]
async fn tokens() {
    let directory = Directory::new();
    let image = Image::new("linux/amd64", &[1000, 2000, 3000]);
    let plain = Registry::start(&directory, Protection::None);
    plain.push_tagged("public/x", "latest", &image).await;
    plain.push_tagged("private/x", "latest", &image).await;
    drop(plain);
    let tokens = TokenServer::start(&directory).await;
    let protection = Protection::Token {
        realm: &tokens.realm(),
        certificate: &tokens.certificate,
    };
    let registry = Registry::start(&directory, protection);
    let client = client(|_| {});
    let public = format!("{}/public/x", registry.name());
    let private = format!("{}/private/x", registry.name());

    // One token serves the manifest, the configuration and all layers.
    let resolved = resolve(&client, &public, &Credentials::Anonymous)
        .await
        .expect("an image");
    for (descriptor, layer) in resolved.manifest.layers.iter().zip(&image.layers) {
        assert!(read(&client, &resolved, descriptor).await.expect("a layer") == *layer);
    }
    assert_eq!(tokens.seen().len(), 1);

    let error = resolve(&client, &private, &Credentials::Anonymous)
        .await
        .expect_err("refused");
    assert_eq!(
        error.to_string(),
        format!(
            "pull access denied for {private}, repository does not exist or may require \
             'docker login': denied: requested access to the resource is denied"
        )
    );
    assert_eq!(error.kind(), Kind::NotFound);

    resolve(&client, &private, &ann("secret"))
        .await
        .expect("ann may");
    let identity = Credentials::IdentityToken(IDENTITY_TOKEN.to_owned());
    resolve(&client, &private, &identity)
        .await
        .expect("ann may by her identity token");

    let error = resolve(&client, &private, &ann("wrong"))
        .await
        .expect_err("refused");
    assert_eq!(
        error.to_string(),
        format!(
            "Get \"http://{}/v2/private/x/manifests/latest\": \
             unauthorized: incorrect username or password",
            registry.name()
        )
    );
}

#[tokio::test]
async fn a_token_that_is_no_longer_taken_is_renewed_once() {
    let directory = Directory::new();
    let image = Image::new("linux/amd64", &[1000]);
    Registry::start(&directory, Protection::None)
        .push_tagged("public/x", "latest", &image)
        .await;
    let tokens = TokenServer::start(&directory).await;
    let realm = tokens.realm();
    let registry = Registry::start(
        &directory,
        Protection::Token {
            realm: &realm,
            certificate: &tokens.certificate,
        },
    );
    let layer = tare_oci::Digest::sha256_of(&image.layers[0]);
    let revoked = format!(
        "www-authenticate: Bearer realm=\"{realm}\",service=\"test-registry\",\
         scope=\"repository:public/x:pull\",error=\"invalid_token\"\r\n"
    );
    let proxy = Proxy::start(Some(registry.address), move |seen| {
        if seen.path.ends_with(layer.hex()) && seen.nth == 0 {
            return Fault::Answer {
                status: 401,
                headers: revoked.clone(),
                body: Vec::new(),
            };
        }
        Fault::Pass
    })
    .await;
    let client = client(|_| {});
    let name = format!("{}/public/x", proxy.name());
    let resolved = resolve(&client, &name, &Credentials::Anonymous)
        .await
        .expect("an image");
    let bytes = read(&client, &resolved, &resolved.manifest.layers[0])
        .await
        .expect("a layer");
    assert!(bytes == image.layers[0]);
    assert_eq!(tokens.seen().len(), 2);
}
