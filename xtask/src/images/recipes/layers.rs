//! `layers`: everything that layers may hold and that extractors get wrong,
//! in twelve layers over `busybox`.

use super::busybox;
use crate::images::image::Image;
use crate::images::layer::LayerBuilder;
use anyhow::Result;
use std::sync::Arc;
use tar::EntryType;

/// The image.
pub(crate) fn make() -> Result<Vec<Image>> {
    let made: [fn() -> Result<LayerBuilder>; 12] = [
        tree,
        whiteouts,
        opaque,
        hard_links,
        attributes,
        long_names,
        special,
        replacements,
        again,
        empty,
        owners,
        sparse,
    ];
    let mut layers = vec![busybox::layer()?];
    for make in made {
        layers.push(Arc::new(make()?.finish()?));
    }
    Ok(vec![Image {
        architecture: "amd64",
        layers,
        config: busybox::config(),
    }])
}

/// What the layers above change.
fn tree() -> Result<LayerBuilder> {
    let mut layer = LayerBuilder::new();
    layer.directory("data/", 0o755)?;
    for (directory, names) in [
        ("partly", &["kept", "removed"][..]),
        ("opaque", &["old"]),
        ("opaque/deep", &["older"]),
        ("gone", &["a", "b"]),
        ("becomes-file", &["inside"]),
        ("again", &["first"]),
    ] {
        layer.directory(&format!("data/{directory}/"), 0o755)?;
        for name in names {
            layer.file(&format!("data/{directory}/{name}"), 0o644, b"1\n")?;
        }
    }
    layer.file("data/removed", 0o644, b"1\n")?;
    layer.file("data/becomes-directory", 0o644, b"1\n")?;
    layer.file("data/changed", 0o644, b"1\n")?;
    layer.directory("data/target/", 0o755)?;
    layer.symlink("data/link-becomes-directory", "target")?;
    Ok(layer)
}

fn whiteouts() -> Result<LayerBuilder> {
    let mut layer = LayerBuilder::new();
    layer.whiteout("data/removed")?;
    layer.whiteout("data/partly/removed")?;
    layer.whiteout("data/gone")?;
    layer.whiteout("data/again")?;
    // Marks for what never was: legal, and without effect.
    layer.whiteout("data/never")?;
    layer.whiteout("nowhere/never")?;
    Ok(layer)
}

/// The mark comes after a file of its own directory: order must not matter.
fn opaque() -> Result<LayerBuilder> {
    let mut layer = LayerBuilder::new();
    layer.directory("data/opaque/", 0o711)?;
    layer.file("data/opaque/new", 0o600, b"3\n")?;
    layer.opaque("data/opaque")?;
    Ok(layer)
}

fn hard_links() -> Result<LayerBuilder> {
    let mut layer = LayerBuilder::new();
    layer.directory("links/", 0o755)?;
    layer.file("links/one", 0o755, b"linked\n")?;
    layer.hard_link("links/two", "links/one")?;
    layer.hard_link("links/three", "/links/one")?;
    layer.symlink("links/symbolic", "one")?;
    layer.hard_link("links/of-symbolic", "links/symbolic")?;
    layer.symlink("links/dangling", "/nowhere/at/all")?;
    layer.symlink("links/upwards", "../../../../../../etc/passwd")?;
    Ok(layer)
}

/// Extended attributes, among them a file capability (`cap_net_raw+ep`).
fn attributes() -> Result<LayerBuilder> {
    let mut capability = vec![1, 0, 0, 2];
    capability.extend((1_u32 << 13).to_le_bytes());
    capability.extend([0; 12]);
    let mut layer = LayerBuilder::new();
    layer.directory("attributes/", 0o755)?;
    layer.records(&[("SCHILY.xattr.security.capability", &capability)])?;
    layer.file("attributes/capable", 0o755, b"#!/bin/sh\n")?;
    layer.records(&[
        ("SCHILY.xattr.user.text", b"a value"),
        ("SCHILY.xattr.user.binary", b"\x00\xff\n=\x01"),
        ("mtime", b"1700000000.123456789"),
    ])?;
    layer.file("attributes/user", 0o644, b"")?;
    Ok(layer)
}

/// Names longer than each of the format's fields, in GNU's way and in PAX's,
/// and names that are not text.
fn long_names() -> Result<LayerBuilder> {
    let mut layer = LayerBuilder::new();
    layer.directory("names/", 0o755)?;
    layer.file(&format!("names/{}", "n".repeat(255)), 0o644, b"255\n")?;
    let mut deep = "names".to_owned();
    for level in 0..12 {
        deep = format!("{deep}/{level:02}-{}", "d".repeat(60));
        layer.directory(&format!("{deep}/"), 0o755)?;
    }
    layer.file(&format!("{deep}/bottom"), 0o644, b"deep\n")?;
    layer.symlink("names/to-bottom", deep.trim_start_matches("names/"))?;
    let long = format!("names/{}", "p".repeat(200));
    layer.records(&[("path", long.as_bytes())])?;
    layer.file("names/short-name-of-a-long-one", 0o644, b"pax\n")?;
    layer.file("names/Grüße, 世界", 0o644, b"unicode\n")?;
    layer.file_named(b"names/latin-\xe9\xff", b"bytes\n")?;
    layer.file("names/new\nline", 0o644, b"newline\n")?;
    layer.file("names/ leading and trailing ", 0o644, b"spaces\n")?;
    Ok(layer)
}

fn special() -> Result<LayerBuilder> {
    let mut layer = LayerBuilder::new();
    layer.directory("special/", 0o755)?;
    layer.fifo("special/pipe")?;
    layer.device("special/null", EntryType::Char, 1, 3)?;
    layer.device("special/loop", EntryType::Block, 7, 200)?;
    layer.file("special/setuid", 0o4755, b"#!/bin/sh\n")?;
    layer.directory("special/sticky/", 0o1777)?;
    layer.directory("special/setgid/", 0o2775)?;
    layer.file("special/unreadable", 0o000, b"secret\n")?;
    Ok(layer)
}

fn replacements() -> Result<LayerBuilder> {
    let mut layer = LayerBuilder::new();
    layer.file("data/becomes-file", 0o644, b"8\n")?;
    layer.directory("data/becomes-directory/", 0o755)?;
    layer.file("data/becomes-directory/inside", 0o644, b"8\n")?;
    layer.directory("data/link-becomes-directory/", 0o755)?;
    layer.file("data/link-becomes-directory/inside", 0o644, b"8\n")?;
    layer.file("data/changed", 0o600, b"8\n")?;
    Ok(layer)
}

/// What was removed comes back with other content, without its parent's entry.
fn again() -> Result<LayerBuilder> {
    let mut layer = LayerBuilder::new();
    layer.file("data/removed", 0o644, b"9\n")?;
    layer.directory("data/again/", 0o755)?;
    layer.file("data/again/second", 0o644, b"9\n")?;
    layer.file("made/on/the/way", 0o644, b"9\n")?;
    Ok(layer)
}

fn empty() -> Result<LayerBuilder> {
    Ok(LayerBuilder::new())
}

/// IDs beyond what the format's octal fields hold.
fn owners() -> Result<LayerBuilder> {
    let mut layer = LayerBuilder::new();
    layer.directory("owners/", 0o755)?;
    layer.owned_by(1000, 2000).file("owners/some", 0o640, b"")?;
    layer
        .owned_by(4_000_000_000, 3_000_000_000)
        .file("owners/large", 0o640, b"")?;
    Ok(layer)
}

/// A file with holes, as GNU tar stores it in a PAX archive (format 1.0): the
/// map of what is there comes before the content.
fn sparse() -> Result<LayerBuilder> {
    let mut content = format!("3\n0\n5\n{}\n6\n{}\n0\n", 4 << 20, 8 << 20).into_bytes();
    content.resize(512, 0);
    content.extend(b"beginmiddle");
    let mut layer = LayerBuilder::new();
    layer.directory("sparse/", 0o755)?;
    layer.records(&[
        ("GNU.sparse.major", b"1"),
        ("GNU.sparse.minor", b"0"),
        ("GNU.sparse.name", b"sparse/holes"),
        ("GNU.sparse.realsize", (8 << 20).to_string().as_bytes()),
    ])?;
    layer.file("sparse/GNUSparseFile.0/holes", 0o644, &content)?;
    Ok(layer)
}
