//! Pulls that succeed, alone and together, and pulls that are given up.

use tare_engine::Kind;
use tare_engine::images::PullRequest;
use tare_oci::Digest;
use tare_oci::media_type::OCI_INDEX;

use crate::image::{Image, index};
use crate::proxy::Fault;
use crate::stage::{Stage, all, layer, two_layers};

/// Status lines as `id: status`, progress without numbers and repetitions.
fn lines(messages: &[tare_engine_api::JsonMessage]) -> Vec<String> {
    let mut lines = Vec::new();
    for message in messages {
        assert_eq!(message.error, None);
        let status = message.status.clone().unwrap_or_default();
        let line = match &message.id {
            Some(id) => format!("{id}: {status}"),
            None => status,
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_comes_and_is_not_brought_again() {
    let stage = Stage::new(|_| Fault::Pass).await;
    let image = two_layers();
    stage
        .registry
        .push_tagged("some/image", "latest", &image)
        .await;
    let messages = stage.pull().await.expect("a pull");

    let told = lines(&messages);
    assert_eq!(told[0], "latest: Pulling from some/image");
    for layer in &image.layers {
        let digest = Digest::sha256_of(layer);
        let about = |line: &&String| line.starts_with(&format!("{}: ", digest.short()));
        let mut steps: Vec<&str> = told
            .iter()
            .filter(about)
            .map(|line| &line[digest.short().len() + 2..])
            .collect();
        steps.retain(|step| !matches!(*step, "Waiting" | "Downloading" | "Extracting"));
        assert_eq!(
            steps,
            [
                "Pulling fs layer",
                "Verifying Checksum",
                "Download complete",
                "Pull complete"
            ]
        );
    }
    let end = [
        format!("Digest: {}", image.digest()),
        format!("Status: Downloaded newer image for {}:latest", stage.name()),
    ];
    assert_eq!(told[told.len() - 2..], end);

    // What the store has.
    let listed = stage
        .images
        .list(tare_engine_api::Filters::default())
        .await
        .expect("a list");
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].id, Digest::sha256_of(&image.config).to_string());
    assert_eq!(listed[0].repo_tags, [format!("{}:latest", stage.name())]);
    assert_eq!(
        listed[0].repo_digests,
        [format!("{}@{}", stage.name(), image.digest())]
    );
    assert_eq!((listed[0].containers, listed[0].shared_size), (-1, -1));
    assert_eq!(listed[0].created, 1_714_557_600);
    let inspected = stage.images.inspect(&stage.name()).await.expect("an image");
    let config = inspected.config.expect("a configuration");
    assert_eq!(config.cmd.expect("a command"), ["/hello"]);
    let data = inspected.graph_driver.data.expect("directories");
    let upper = std::path::Path::new(&data["UpperDir"]);
    assert_eq!(
        std::fs::read(upper.join("etc/other")).expect("a file"),
        b"2"
    );
    let lower = std::path::Path::new(&data["LowerDir"]);
    assert_eq!(
        std::fs::read(lower.join("etc/small")).expect("a file"),
        b"small\n"
    );
    for blob in image.layers.iter().chain([&image.config, &image.manifest]) {
        assert!(
            stage
                .store
                .has_blob(&Digest::sha256_of(blob))
                .expect("an answer")
        );
    }

    // Once more: one request, nothing fetched.
    let before = stage.proxy.seen().len();
    let again = lines(&stage.pull().await.expect("a pull"));
    assert_eq!(
        again,
        [
            "latest: Pulling from some/image".to_owned(),
            format!("Digest: {}", image.digest()),
            format!("Status: Image is up to date for {}:latest", stage.name()),
        ]
    );
    let seen = stage.proxy.seen();
    assert_eq!(
        seen[before..]
            .iter()
            .map(|seen| seen.method.as_str())
            .collect::<Vec<_>>(),
        ["HEAD"]
    );
    stage.assert_nothing_under_way().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_image_takes_the_tag_and_shares_what_it_can() {
    let stage = Stage::new(|_| Fault::Pass).await;
    let first = two_layers();
    stage
        .registry
        .push_tagged("some/image", "latest", &first)
        .await;
    stage.pull().await.expect("a pull");
    let shared = layer(&[("etc/small", b"small\n")]);
    let second = Image::of_layers(
        "linux/amd64",
        vec![shared.clone(), layer(&[("new", b"new")])],
    );
    stage
        .registry
        .push_tagged("some/image", "latest", &second)
        .await;
    let told = lines(&stage.pull().await.expect("a pull"));
    let id = Digest::sha256_of(&shared.1);
    assert!(
        told.contains(&format!("{}: Already exists", id.short())),
        "{told:#?}"
    );
    assert_eq!(stage.requests_for(&shared.1), 1);

    // The old one lost its tag and kept its digest.
    let old = stage
        .images
        .inspect(&Digest::sha256_of(&first.config).to_string())
        .await;
    let old = old.expect("the old image");
    assert!(old.repo_tags.is_empty());
    assert_eq!(
        old.repo_digests,
        [format!("{}@{}", stage.name(), first.digest())]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_that_comes_twice_in_an_image_is_brought_once() {
    let stage = Stage::new(|_| Fault::Pass).await;
    let twice = layer(&[("a", b"a")]);
    let image = Image::of_layers(
        "linux/amd64",
        vec![twice.clone(), layer(&[("b", b"b")]), twice.clone()],
    );
    stage
        .registry
        .push_tagged("some/image", "latest", &image)
        .await;
    stage.pull().await.expect("a pull");
    assert_eq!(stage.requests_for(&twice.1), 1);
    let inspected = stage.images.inspect(&stage.name()).await.expect("an image");
    assert_eq!(inspected.root_fs.layers.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn pulls_at_the_same_time_share_their_downloads() {
    let stage = Stage::new(|_| Fault::Pass).await;
    let image = two_layers();
    stage
        .registry
        .push_tagged("some/image", "latest", &image)
        .await;
    let pulls = (0..4).map(|_| stage.pull());
    let outcomes = futures_util::future::join_all(pulls).await;
    for messages in outcomes {
        let last = messages.expect("a pull").pop().expect("a message");
        assert!(
            last.status
                .is_some_and(|status| status.starts_with("Status: "))
        );
    }
    for layer in &image.layers {
        assert_eq!(stage.requests_for(layer), 1);
    }
    stage.assert_nothing_under_way().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_is_given_up_leaves_nothing_and_disturbs_nobody() {
    let image = two_layers();
    let big = Digest::sha256_of(&image.layers[1]);
    let stage = Stage::new(move |seen| {
        // The first request hangs until the client loses patience and resumes.
        if seen.path.ends_with(big.hex()) && seen.nth == 0 {
            return Fault::StallAfter(100_000);
        }
        Fault::Pass
    })
    .await;
    stage
        .registry
        .push_tagged("some/image", "latest", &image)
        .await;

    // Alone: given up as soon as bytes flow.
    let mut only = stage.begin().await.expect("a pull");
    while let Some(message) = only.recv().await {
        let current = message.progress_detail.map_or(0, |detail| detail.current);
        if message.status.as_deref() == Some("Downloading") && current > 0 {
            break;
        }
    }
    drop(only);
    stage.assert_nothing_under_way().await;
    assert!(stage.images.inspect(&stage.name()).await.is_err());

    // Two, and one of them gives up.
    let first = stage.begin().await.expect("a pull");
    let second = stage.begin().await.expect("a pull");
    drop(first);
    let last = all(second).await.pop().expect("a message");
    assert!(
        last.status
            .is_some_and(|status| status.starts_with("Status: Downloaded"))
    );
    stage.assert_nothing_under_way().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_is_picked_out_of_an_index() {
    let stage = Stage::new(|_| Fault::Pass).await;
    let amd64 = two_layers();
    let arm64 = Image::of_layers("linux/arm64", vec![layer(&[("arm", b"arm")])]);
    stage.registry.push("some/image", &amd64).await;
    stage.registry.push("some/image", &arm64).await;
    let both = index(&[("linux/amd64", &amd64), ("linux/arm64", &arm64)]);
    stage
        .registry
        .put_manifest("some/image", "latest", OCI_INDEX, &both)
        .await;
    let platform = |platform: &str| PullRequest {
        image: stage.name(),
        platform: Some(platform.to_owned()),
        ..PullRequest::default()
    };
    all(stage
        .images
        .pull(platform("linux/arm64"))
        .await
        .expect("a pull"))
    .await;
    let inspected = stage.images.inspect(&stage.name()).await.expect("an image");
    assert_eq!(inspected.architecture, "arm64");
    assert_eq!(
        inspected.repo_digests,
        [format!("{}@{}", stage.name(), Digest::sha256_of(&both))]
    );
    // The same name for another platform is not up to date.
    all(stage
        .images
        .pull(platform("linux/amd64"))
        .await
        .expect("a pull"))
    .await;
    let inspected = stage.images.inspect(&stage.name()).await.expect("an image");
    assert_eq!(inspected.architecture, "amd64");

    let error = stage
        .images
        .pull(platform("linux/s390x"))
        .await
        .expect_err("none");
    assert_eq!(error.kind(), Kind::NotFound);
    assert_eq!(
        error.to_string(),
        "no matching manifest for linux/s390x in the manifest list entries"
    );
    let error = stage
        .images
        .pull(platform("a/b/c/d"))
        .await
        .expect_err("malformed");
    assert_eq!(error.kind(), Kind::InvalidParameter);
}
