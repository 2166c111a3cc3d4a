//! Archives as skopeo writes them, and archives that are none.

use std::fs::{self, File};
use std::io::Cursor;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use tare_engine_api::JsonMessage;
use tare_oci::Digest;

use crate::image::Image;
use crate::proxy::Fault;
use crate::stage::{Stage, all, compressed, failure, layer, two_layers};

/// Copies the pushed image to `target`.
fn skopeo(stage: &Stage, target: &str) {
    let status = Command::new("skopeo")
        .args(["copy", "--quiet", "--src-tls-verify=false"])
        .arg(format!(
            "docker://{}/some/image:latest",
            stage.registry.name()
        ))
        .arg(target)
        .status()
        .expect("the skopeo command");
    assert!(status.success());
}

async fn load(stage: &Stage, archive: Vec<u8>) -> Vec<JsonMessage> {
    all(stage.images.load(Cursor::new(archive), false)).await
}

fn results(messages: &[JsonMessage]) -> Vec<&str> {
    messages
        .iter()
        .filter_map(|message| message.stream.as_deref())
        .collect()
}

async fn assert_loaded(stage: &Stage, image: &Image, name: &str) {
    let inspected = stage.images.inspect(name).await.expect("an image");
    assert_eq!(inspected.id, Digest::sha256_of(&image.config).to_string());
    let upper = &inspected.graph_driver.data.expect("directories")["UpperDir"];
    assert_eq!(
        fs::read(Path::new(upper).join("etc/other")).expect("a file"),
        b"2"
    );
    stage.assert_nothing_under_way().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dockers_archive_plain_and_compressed() {
    let stage = Stage::new(|_| Fault::Pass).await;
    let image = two_layers();
    stage
        .registry
        .push_tagged("some/image", "latest", &image)
        .await;
    let file = stage.directory.0.join("image.tar");
    skopeo(
        &stage,
        &format!("docker-archive:{}:loaded/image:1.0", file.display()),
    );
    let archive = fs::read(&file).expect("an archive");
    for archive in [archive.clone(), compressed(&archive)] {
        let messages = load(&stage, archive).await;
        assert_eq!(
            results(&messages),
            ["Loaded image: loaded/image:1.0\n"],
            "{messages:#?}"
        );
        assert_loaded(&stage, &image, "loaded/image:1.0").await;
        stage
            .images
            .remove("loaded/image:1.0", false, |_| Vec::new())
            .await
            .expect("removed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oci_layout_keeps_its_manifest() {
    let stage = Stage::new(|_| Fault::Pass).await;
    let image = two_layers();
    stage
        .registry
        .push_tagged("some/image", "latest", &image)
        .await;
    let file = stage.directory.0.join("image.tar");
    skopeo(
        &stage,
        &format!("oci-archive:{}:loaded/image:1.0", file.display()),
    );
    let messages = load(&stage, fs::read(&file).expect("an archive")).await;
    assert_eq!(
        results(&messages),
        ["Loaded image: loaded/image:1.0\n"],
        "{messages:#?}"
    );
    assert_loaded(&stage, &image, "loaded/image:1.0").await;
    assert!(stage.store.has_blob(&image.digest()).expect("an answer"));

    // Without a name it is called by its ID.
    let unnamed = stage.directory.0.join("unnamed.tar");
    skopeo(&stage, &format!("oci-archive:{}", unnamed.display()));
    let messages = load(&stage, fs::read(&unnamed).expect("an archive")).await;
    let id = Digest::sha256_of(&image.config);
    assert_eq!(results(&messages), [format!("Loaded image ID: {id}\n")]);
}

/// An archive of these members; a member `name -> target` is a symbolic link.
fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        if let Some((name, target)) = name.split_once(" -> ") {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            archive
                .append_link(&mut header, name, target)
                .expect("memory");
            continue;
        }
        header.set_size(content.len() as u64);
        archive
            .append_data(&mut header, name, *content)
            .expect("memory");
    }
    archive.into_inner().expect("memory")
}

#[tokio::test(flavor = "multi_thread")]
async fn several_images_and_links_between_their_layers() {
    let stage = Stage::new(|_| Fault::Pass).await;
    let (diff_id, blob) = layer(&[("etc/other", b"2")]);
    let first = Image::of_layers("linux/amd64", vec![(diff_id.clone(), blob.clone())]);
    let second = Image::of_layers("linux/arm64", vec![(diff_id, blob.clone())]);
    let manifest = json!([
        {"Config": "1.json", "RepoTags": ["one:1", "one:2"], "Layers": ["a/layer.tar"]},
        {"Config": "2.json", "RepoTags": null, "Layers": ["b/layer.tar"]},
    ])
    .to_string();
    let messages = load(
        &stage,
        archive(&[
            ("./a/layer.tar", &blob),
            ("b/layer.tar -> ../a/layer.tar", b""),
            ("1.json", &first.config),
            ("2.json", &second.config),
            ("manifest.json", manifest.as_bytes()),
        ]),
    )
    .await;
    let id = Digest::sha256_of(&second.config);
    assert_eq!(
        results(&messages),
        [
            "Loaded image: one:1\n".to_owned(),
            "Loaded image: one:2\n".to_owned(),
            format!("Loaded image ID: {id}\n")
        ],
        "{messages:#?}"
    );
    assert_loaded(&stage, &first, "one:2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_that_are_refused() {
    let stage = Stage::new(|_| Fault::Pass).await;
    let (diff_id, blob) = layer(&[("etc/other", b"2")]);
    let image = Image::of_layers("linux/amd64", vec![(diff_id, blob.clone())]);
    let manifest =
        json!([{"Config": "c.json", "RepoTags": ["x:y"], "Layers": ["l.tar"]}]).to_string();
    let manifest = ("manifest.json", manifest.as_bytes());
    let config = ("c.json", image.config.as_slice());
    let whole = archive(&[manifest, config, ("l.tar", &blob)]);
    let mut damaged = blob.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    let layout = json!({"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": image.digest(), "size": image.manifest.len(),
    }]});
    let lie = format!("blobs/sha256/{}", image.digest().hex());
    for (bytes, expected) in [
        (Vec::new(), "it has neither a manifest.json"),
        (
            b"no archive at all, only text".to_vec(),
            "invalid archive: ",
        ),
        (archive(&[("file", b"x")]), "it has neither a manifest.json"),
        (
            archive(&[("manifest.json", b"{}")]),
            "invalid archive: manifest.json: ",
        ),
        (
            archive(&[manifest, config]),
            "invalid archive: \"l.tar\" is missing",
        ),
        (
            archive(&[manifest, config, ("l.tar -> l.tar", b"")]),
            "\"l.tar\" is missing",
        ),
        (archive(&[manifest, config, ("l.tar", &damaged)]), "layer "),
        (whole[..whole.len() / 2].to_vec(), "invalid archive: "),
        (compressed(&whole)[..200].to_vec(), "invalid archive: "),
        (
            archive(&[("index.json", layout.to_string().as_bytes()), (&lie, b"{}")]),
            "is damaged",
        ),
        (b"\xfd7zXZ\0rest".to_vec(), "compressed with xz or bzip2"),
    ] {
        let messages = load(&stage, bytes).await;
        let text = failure(&messages);
        assert!(text.contains(expected), "{expected}: {text}");
        stage.assert_nothing_under_way().await;
    }
    let listed = stage
        .images
        .list(tare_engine_api::Filters::default())
        .await
        .expect("a list");
    assert!(listed.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_is_given_up_leaves_nothing() {
    let stage = Stage::new(|_| Fault::Pass).await;
    let (client, server) = tokio::io::duplex(1024);
    let messages = stage.images.load(server, false);
    drop(messages);
    drop(client);
    stage.assert_nothing_under_way().await;
    // The same with a file that ends in the middle of nowhere.
    let zero = tokio::fs::File::from_std(File::open("/dev/null").expect("a device"));
    let messages = all(stage.images.load(zero, true)).await;
    assert!(failure(&messages).starts_with("invalid archive: "));
}
