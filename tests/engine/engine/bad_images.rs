use super::bad_input::clean_failure;
use tare_tests::{Cut, Engine, ImageBuilder, Leaks, ServedRegistry, digest, executable};

/// An image that would run, with a layer too large for one read.
fn image() -> ImageBuilder {
    // What cannot be compressed, so that half of the layer is half of the work.
    let mut state = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(3_000_000)
    .collect();
    let program = std::fs::read(executable()).expect("a program");
    ImageBuilder::new(&[("noise", &noise), ("bin/true", &program[..1000])])
}

fn engine() -> Engine {
    let engine = super::leaks::warm_engine();
    engine.client(&["pull", "127.0.0.1:9/nothing"]).expect(1);
    engine
}

#[test]
fn a_whole_one_is_pulled() {
    let engine = engine();
    let registry = ServedRegistry::start(engine.sandbox(), "whole", &image(), |_, _| ());
    let before = Leaks::count(&engine);
    let name = format!("{}/whole", registry.host());
    engine.client(&["pull", &name]).expect(0);
    engine.client(&["rmi", &name]).expect(0);
    before.assert_same(&engine);
}

#[test]
fn a_download_goes_on_where_it_broke_off() {
    let engine = engine();
    let image = image();
    let layer = image.layer_digest.clone();
    let registry = ServedRegistry::start(engine.sandbox(), "resumed", &image, |path, answer| {
        if path.ends_with(&layer) {
            answer.cut = Cut::Once(1_000_000);
        }
    });
    engine
        .client(&["pull", &format!("{}/resumed", registry.host())])
        .expect(0);
    let requests = registry.requests();
    let tries = requests
        .iter()
        .filter(|line| line.ends_with(&layer))
        .count();
    assert_eq!(tries, 2, "{requests:?}");
}

#[test]
fn a_registry_that_goes_down_in_the_middle() {
    let engine = engine();
    let image = image();
    let layer = image.layer_digest.clone();
    let registry = ServedRegistry::start(engine.sandbox(), "broken", &image, |path, answer| {
        if path.ends_with(&layer) {
            answer.cut = Cut::Always(1_000_000);
        }
    });
    let name = format!("{}/broken", registry.host());
    clean_failure(&engine, &["pull", &name], 1, &[&layer[7..19]]);
}

#[test]
fn content_that_is_not_what_its_digest_says() {
    let engine = engine();
    let image = image();
    let layer = image.layer_digest.clone();
    let configuration = digest(&image.configuration());
    // A byte of the layer, a byte of the configuration.
    for spoiled in [layer, configuration] {
        let registry = ServedRegistry::start(engine.sandbox(), "wrong", &image, |path, answer| {
            if path.ends_with(&spoiled) {
                let last = answer.body.len() - 20;
                answer.body[last] ^= 1;
            }
        });
        let name = format!("{}/wrong", registry.host());
        clean_failure(&engine, &["pull", &name], 1, &["digest", &spoiled[7..19]]);
    }
    // A layer that is whole but unpacks to something else.
    let mut image = image;
    image.diff_id = digest(b"something else");
    let registry = ServedRegistry::start(engine.sandbox(), "other", &image, |_, _| ());
    let name = format!("{}/other", registry.host());
    clean_failure(
        &engine,
        &["pull", &name],
        1,
        &["is not what its image says"],
    );
}

#[test]
fn a_manifest_by_a_digest_it_does_not_have() {
    let engine = engine();
    let image = image();
    let asked = digest(&image.manifest());
    let registry = ServedRegistry::start(engine.sandbox(), "manifest", &image, |path, answer| {
        if path.contains("/manifests/") {
            answer.body.push(b'\n');
        }
    });
    let name = format!("{}/manifest@{asked}", registry.host());
    clean_failure(&engine, &["pull", &name], 1, &["digest"]);
}

#[test]
fn compressed_data_that_ends_early_or_is_none() {
    let engine = engine();
    let whole = image();
    let layers = [
        whole.layer[..whole.layer.len() / 2].to_vec(),
        b"no gzip, no tar, nothing".repeat(1000),
        Vec::new(),
    ];
    for layer in layers {
        let image = image().with_layer(layer);
        let registry = ServedRegistry::start(engine.sandbox(), "truncated", &image, |_, _| ());
        let name = format!("{}/truncated", registry.host());
        clean_failure(&engine, &["pull", &name], 1, &[]);
    }
}

#[test]
fn answers_that_are_no_documents() {
    let engine = engine();
    for body in [
        &b""[..],
        b"{",
        b"[]",
        b"{\"schemaVersion\": 1}",
        &[b'['; 100_000],
    ] {
        let registry =
            ServedRegistry::start(engine.sandbox(), "strange", &image(), |path, answer| {
                if path.contains("/manifests/") {
                    answer.body = body.to_vec();
                }
            });
        let name = format!("{}/strange", registry.host());
        clean_failure(&engine, &["pull", &name], 1, &[]);
    }
}
