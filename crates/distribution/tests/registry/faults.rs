//! Bad networks: what is cut is resumed, what stalls is left, what is wrong is
//! refused, and a client that is asked to wait waits, within reason.

use std::time::{Duration, Instant};

use tare_distribution::{Credentials, Error, Resolved};
use tare_oci::Digest;

use crate::image::Image;
use crate::proxy::{Fault, Proxy, Seen};
use crate::pull::{read, resolve};
use crate::registry::{Directory, Protection, Registry, client};

const LAYER: usize = 400_000;

/// One image behind a proxy that spoils the requests for its layer.
struct Stage {
    image: Image,
    proxy: Proxy,
    client: tare_distribution::Client,
    resolved: Resolved,
    _registry: Registry,
    _directory: Directory,
}

impl Stage {
    async fn new(rule: impl Fn(&Seen) -> Fault + Send + Sync + 'static) -> Self {
        let directory = Directory::new();
        let registry = Registry::start(&directory, Protection::None);
        let image = Image::new("linux/amd64", &[LAYER]);
        registry.push_tagged("x", "latest", &image).await;
        let layer = Digest::sha256_of(&image.layers[0]);
        let proxy = Proxy::start(Some(registry.address), move |seen| {
            if seen.path.ends_with(layer.hex()) {
                rule(seen)
            } else {
                Fault::Pass
            }
        })
        .await;
        let client = client(|_| {});
        let name = format!("{}/x", proxy.name());
        let resolved = resolve(&client, &name).await.expect("an image");
        Self {
            image,
            proxy,
            client,
            resolved,
            _registry: registry,
            _directory: directory,
        }
    }

    async fn read(&self) -> Result<Vec<u8>, Error> {
        read(
            &self.client,
            &self.resolved,
            &self.resolved.manifest.layers[0],
        )
        .await
    }

    /// The ranges asked for, in order.
    fn ranges(&self) -> Vec<Option<String>> {
        let seen = self.proxy.seen();
        let layer = seen.iter().filter(|seen| seen.is_blob()).skip(1);
        layer
            .map(|seen| seen.header("range").map(str::to_owned))
            .collect()
    }
}

fn range(start: usize) -> Option<String> {
    Some(format!("bytes={start}-"))
}

#[tokio::test]
async fn what_is_cut_goes_on_where_it_was_cut() {
    let stage = Stage::new(|seen| match seen.nth {
        0 => Fault::CutAfter(100_000),
        1 => Fault::CutAfter(50_000),
        2 => Fault::CutAfter(0),
        _ => Fault::Pass,
    })
    .await;
    assert!(stage.read().await.expect("the layer") == stage.image.layers[0]);
    assert_eq!(
        stage.ranges(),
        [None, range(100_000), range(150_000), range(150_000)]
    );
}

#[tokio::test]
async fn many_cuts_are_survived_while_there_is_progress() {
    let stage = Stage::new(|_| Fault::CutAfter(70_000)).await;
    assert!(stage.read().await.expect("the layer") == stage.image.layers[0]);
    assert_eq!(stage.ranges().len(), LAYER.div_ceil(70_000));
}

#[tokio::test]
async fn a_trickle_is_given_up_after_the_tries() {
    let stage = Stage::new(|_| Fault::CutAfter(100)).await;
    let error = stage.read().await.expect_err("too little at a time");
    assert!(error.to_string().contains("unexpected EOF"), "{error}");
    assert_eq!(stage.ranges().len(), 4);
}

#[tokio::test]
async fn a_stall_is_left_and_resumed() {
    let stage = Stage::new(|seen| match seen.nth {
        0 => Fault::StallAfter(120_000),
        _ => Fault::Pass,
    })
    .await;
    assert!(stage.read().await.expect("the layer") == stage.image.layers[0]);
    assert_eq!(stage.ranges(), [None, range(120_000)]);
}

#[tokio::test]
async fn a_server_without_ranges_sends_again_what_is_skipped() {
    let stage = Stage::new(|seen| match seen.nth {
        0 => Fault::CutAfter(100_000),
        _ => Fault::IgnoreRange,
    })
    .await;
    assert!(stage.read().await.expect("the layer") == stage.image.layers[0]);
    assert_eq!(stage.ranges(), [None, range(100_000)]);
}

#[tokio::test]
async fn a_pause_asked_for_is_made() {
    let stage = Stage::new(|seen| match seen.nth {
        0 => Fault::Answer {
            status: 429,
            headers: "retry-after: 1\r\n".to_owned(),
            body: Vec::new(),
        },
        1 => Fault::answer(503, "busy"),
        _ => Fault::Pass,
    })
    .await;
    let start = Instant::now();
    assert!(stage.read().await.expect("the layer") == stage.image.layers[0]);
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(stage.ranges().len(), 3);
}

#[tokio::test]
async fn an_endless_outage_is_given_up() {
    let stage = Stage::new(|_| Fault::answer(503, "busy")).await;
    let error = stage.read().await.expect_err("never there");
    assert!(
        error
            .to_string()
            .ends_with("unexpected status: 503 Service Unavailable"),
        "{error}"
    );
    assert_eq!(stage.ranges().len(), 4);
}

#[tokio::test]
async fn a_used_up_allowance_is_shown_at_once() {
    let body = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}"#;
    let limit = Proxy::start(None, move |seen| match seen.path.as_str() {
        "/v2/" => Fault::answer(200, "{}"),
        _ => Fault::Answer {
            status: 429,
            headers: "ratelimit-remaining: 0;w=21600\r\nretry-after: 600\r\n".to_owned(),
            body: body.as_bytes().to_vec(),
        },
    })
    .await;
    let name = format!("{}/x", limit.name());
    let error = resolve(&client(|_| {}), &name).await.expect_err("limited");
    assert_eq!(
        error.to_string(),
        "toomanyrequests: You have reached your pull rate limit. (try again in 600 s)"
    );
    assert_eq!(limit.seen().len(), 1);
}

#[tokio::test]
async fn no_more_bytes_than_announced() {
    let stage = Stage::new(|_| Fault::Extend(1)).await;
    let error = stage.read().await.expect_err("too long");
    assert!(matches!(error, Error::Size { .. }), "{error}");
    assert_eq!(stage.ranges().len(), 1, "a lie is not asked for again");
}

#[tokio::test]
async fn another_length_is_refused_before_its_first_byte() {
    let stage = Stage::new(|_| Fault::answer(200, "short")).await;
    let error = stage.read().await.expect_err("too short");
    let Error::Size {
        expected, found, ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!((expected, found), (LAYER as u64, 5));
}

#[tokio::test]
async fn a_wrong_manifest_is_refused() {
    let directory = Directory::new();
    let registry = Registry::start(&directory, Protection::None);
    let image = Image::new("linux/amd64", &[10]);
    registry.push_tagged("x", "latest", &image).await;
    let proxy = Proxy::start(Some(registry.address), |seen| {
        if seen.path.contains("/manifests/") {
            Fault::Corrupt
        } else {
            Fault::Pass
        }
    })
    .await;
    let client = client(|_| {});
    for suffix in [":latest".to_owned(), format!("@{}", image.digest())] {
        let error = resolve(&client, &format!("{}/x{suffix}", proxy.name())).await;
        assert_eq!(
            error.expect_err("wrong bytes").to_string(),
            format!("manifest verification failed for digest {}", image.digest())
        );
    }
}

#[tokio::test]
async fn a_wrong_configuration_is_refused() {
    let directory = Directory::new();
    let registry = Registry::start(&directory, Protection::None);
    let image = Image::new("linux/amd64", &[10]);
    registry.push_tagged("x", "latest", &image).await;
    let proxy = Proxy::start(Some(registry.address), |seen| {
        if seen.is_blob() {
            Fault::Corrupt
        } else {
            Fault::Pass
        }
    })
    .await;
    let error = resolve(&client(|_| {}), &format!("{}/x", proxy.name())).await;
    assert_eq!(
        error.expect_err("wrong bytes").to_string(),
        format!(
            "image configuration verification failed for digest {}",
            Digest::sha256_of(&image.config)
        )
    );
}

#[tokio::test]
async fn a_redirect_leads_elsewhere_without_the_password() {
    let directory = Directory::new();
    let image = Image::new("linux/amd64", &[LAYER]);
    Registry::start(&directory, Protection::None)
        .push_tagged("x", "latest", &image)
        .await;
    let registry = Registry::start(&directory, Protection::Password);
    let layer = image.layers[0].clone();
    let elsewhere = Proxy::start(None, move |_| Fault::Answer {
        status: 200,
        headers: String::new(),
        body: layer.clone(),
    })
    .await;
    let location = format!("location: http://{}/signed?x=1\r\n", elsewhere.address);
    let digest = Digest::sha256_of(&image.layers[0]);
    let proxy = Proxy::start(Some(registry.address), move |seen| {
        if seen.path.ends_with(digest.hex()) {
            return Fault::Answer {
                status: 307,
                headers: location.clone(),
                body: Vec::new(),
            };
        }
        Fault::Pass
    })
    .await;
    let client = client(|_| {});
    let credentials = Credentials::Basic {
        username: "ann".to_owned(),
        password: "secret".to_owned(),
    };
    let name = crate::pull::reference(&format!("{}/x", proxy.name()));
    let platform = tare_oci::Platform::new("linux", "amd64", None);
    let resolved = client
        .resolve(&name, &platform, &credentials)
        .await
        .expect("an image");
    let bytes = read(&client, &resolved, &resolved.manifest.layers[0])
        .await
        .expect("a layer");
    assert!(bytes == image.layers[0]);
    let at_registry = proxy.seen();
    assert!(
        at_registry
            .iter()
            .all(|seen| seen.header("authorization").is_some())
    );
    let led = elsewhere.seen();
    assert_eq!(led.len(), 1);
    assert_eq!(led[0].path, "/signed?x=1");
    assert!(
        led[0].header("authorization").is_none(),
        "the password stays with its registry"
    );
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let stage = Stage::new(|seen| Fault::Answer {
        status: 302,
        headers: format!("location: {}\r\n", seen.path),
        body: Vec::new(),
    })
    .await;
    let error = stage.read().await.expect_err("a circle");
    assert!(
        error
            .to_string()
            .ends_with("refused: it is one of too many"),
        "{error}"
    );
}
