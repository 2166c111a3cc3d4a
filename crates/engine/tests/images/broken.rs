//! Pulls that fail: told in one line, and nothing is left.

use std::process::Command;

use tare_engine::Kind;
use tare_oci::Digest;

use crate::image::Image;
use crate::proxy::Fault;
use crate::registry::Directory;
use crate::stage::{Stage, compressed, failure, layer, noise, two_layers};

/// Neither an image nor anything under way.
async fn assert_nothing(stage: &Stage) {
    stage.assert_nothing_under_way().await;
    let listed = stage
        .images
        .list(tare_engine_api::Filters::default())
        .await
        .expect("a list");
    assert!(listed.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_an_error_of_the_call() {
    let stage = Stage::new(|_| Fault::Pass).await;
    let error = stage.begin().await.expect_err("no such image");
    assert_eq!(error.kind(), Kind::NotFound);
    let name = stage.name();
    assert!(
        error
            .to_string()
            .starts_with(&format!("manifest for {name}:latest not found: "))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_bytes_in_a_layer() {
    let image = two_layers();
    let big = Digest::sha256_of(&image.layers[1]);
    let path = big.clone();
    let stage = Stage::new(move |seen| {
        if seen.path.ends_with(path.hex()) {
            Fault::Corrupt
        } else {
            Fault::Pass
        }
    })
    .await;
    stage
        .registry
        .push_tagged("some/image", "latest", &image)
        .await;
    let messages = stage.pull().await.expect("a beginning");
    assert_eq!(
        failure(&messages),
        format!("filesystem layer verification failed for digest {big}")
    );
    assert_nothing(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_goes_away_half_way() {
    let image = two_layers();
    let big = Digest::sha256_of(&image.layers[1]);
    let stage = Stage::new(move |seen| match seen.path.ends_with(big.hex()) {
        true if seen.nth == 0 => Fault::CutAfter(120_000),
        true => Fault::CutAfter(0),
        false => Fault::Pass,
    })
    .await;
    stage
        .registry
        .push_tagged("some/image", "latest", &image)
        .await;
    let messages = stage.pull().await.expect("a beginning");
    let text = failure(&messages);
    assert!(
        text.starts_with("Get \"http://") && text.ends_with("unexpected EOF"),
        "{text}"
    );
    assert_nothing(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_that_are_not_what_they_should_be() {
    let whole = layer(&[("big", &noise(100_000))]);
    let mut truncated = whole.clone();
    truncated.1.truncate(50_000);
    let another = (Digest::sha256_of(b"another"), whole.1.clone());
    let no_archive = (Digest::sha256_of(b"text"), compressed(b"text"));
    for (layer, expected) in [
        (truncated, "decompress layer "),
        (another, "is not what its image says"),
        (no_archive, "layer "),
    ] {
        let stage = Stage::new(|_| Fault::Pass).await;
        let image = Image::of_layers("linux/amd64", vec![layer]);
        stage
            .registry
            .push_tagged("some/image", "latest", &image)
            .await;
        let messages = stage.pull().await.expect("a beginning");
        let text = failure(&messages);
        assert!(text.contains(expected), "{text}");
        assert_nothing(&stage).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_for_another_system() {
    let stage = Stage::new(|_| Fault::Pass).await;
    let image = Image::of_layers("windows/amd64", vec![layer(&[("a", b"a")])]);
    stage
        .registry
        .push_tagged("some/image", "latest", &image)
        .await;
    let error = stage.begin().await.expect_err("not for Linux");
    assert_eq!(
        error.to_string(),
        "image operating system \"windows\" cannot be used on this platform"
    );
}

/// A file system of this size, unmounted with its owner.
struct Small(std::path::PathBuf);

impl Drop for Small {
    fn drop(&mut self) {
        // A store that is still open keeps it busy; --lazy does not wait for that.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk() {
    let directory = Directory::new();
    let root = directory.0.join("root");
    std::fs::create_dir(&root).expect("a directory");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
        .arg(&root)
        .status()
        .expect("the mount command");
    assert!(mounted.success(), "this test needs root");
    let stage = Stage::with_root(directory, root.clone(), |_| Fault::Pass).await;
    // Dropped before the stage, which could not remove what is mounted on.
    let _small = Small(root);
    let image = Image::of_layers("linux/amd64", vec![layer(&[("big", &noise(6 << 20))])]);
    stage
        .registry
        .push_tagged("some/image", "latest", &image)
        .await;
    let messages = stage.pull().await.expect("a beginning");
    let text = failure(&messages).to_lowercase();
    assert!(text.contains("no space left on device"), "{text}");
    assert_nothing(&stage).await;
}
