//! Images of many layers, which kernels before 6.8 take as one line of text.

use super::super::engine::Engine;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::fs::{self, File};
use tar::{Builder, Header};

/// More than fit a page by their paths; Docker allows a few more.
const MOST: usize = 120;

/// Everything that layers do to each other shows in the root they make.
pub(super) fn many(engine: &Engine) -> Result<()> {
    let run = |script: &str| engine.tare(&["run", "--rm", "layers", "sh", "-c", script]);
    run("grep -o '^overlay / overlay' /proc/mounts")?.prints("overlay / overlay\n")?;
    run("ls -d /data/* /data/*/*")?.prints(
        "/data/again\n\
         /data/again/second\n\
         /data/becomes-directory\n\
         /data/becomes-directory/inside\n\
         /data/becomes-file\n\
         /data/changed\n\
         /data/link-becomes-directory\n\
         /data/link-becomes-directory/inside\n\
         /data/opaque\n\
         /data/opaque/new\n\
         /data/partly\n\
         /data/partly/kept\n\
         /data/removed\n\
         /data/target\n",
    )?;
    run("cd /data && cat again/second becomes-file changed opaque/new partly/kept removed")?
        .prints("9\n8\n8\n3\n1\n9\n")?;
    run("cd /links && stat -c '%h %F' one two three of-symbolic && cat $(readlink symbolic)")?
        .prints("3 regular file\n3 regular file\n3 regular file\n2 symbolic link\nlinked\n")?;
    run(
        "cat /names/to-bottom/bottom && stat -c '%u:%g' /owners/large && stat -c %s /sparse/holes",
    )?
    .prints("deep\n4000000000:3000000000\n8388608\n")?;
    // Writing to what is below: changed, removed, replaced, renamed.
    run(
        "cd /data && echo x >> changed && cat changed && rm -r opaque && mkdir opaque && \
        ls -A opaque && mv partly moved && cat moved/kept && rm becomes-file && \
        test ! -e becomes-file && ln removed again/linked && cat again/linked",
    )?
    .prints("8\nx\n1\n9\n")?;
    // And nothing of it stays.
    run("cd /data && cat changed opaque/new && test -d partly")?.prints("8\n3\n")
}

/// An image of so many layers that their paths do not fit.
pub(super) fn most(engine: &Engine) -> Result<()> {
    let archive = "/tmp/most.tar";
    write_archive(archive)?;
    engine.tare(&["load", "-i", archive])?.expect(0)?;
    fs::remove_file(archive)?;
    let listing: String = (0..MOST).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "{number:03}");
        text
    });
    let volume = ["run", "--rm", "-v", "/bin/busybox:/bin/busybox:ro", "most"];
    let busybox = |words: &[&str]| engine.tare(&[&volume[..], &["/bin/busybox"], words].concat());
    busybox(&["ls", "/each"])?.prints(&listing)?;
    busybox(&["cat", "/last"])?.prints(&format!("{}\n", MOST - 1))?;
    engine.tare(&["rmi", "most"])?.expect(0)?;
    Ok(())
}

/// A docker-archive: each layer adds a file and replaces another.
fn write_archive(path: &str) -> Result<()> {
    let mut archive = Builder::new(File::create(path).context("the archive")?);
    let mut names = Vec::new();
    let mut digests = Vec::new();
    for number in 0..MOST {
        let mut layer = Builder::new(Vec::new());
        add(&mut layer, &format!("each/{number:03}"), b"")?;
        add(&mut layer, "last", format!("{number}\n").as_bytes())?;
        let layer = layer.into_inner()?;
        digests.push(digest(&layer));
        let name = format!("{number}/layer.tar");
        add(&mut archive, &name, &layer)?;
        names.push(name);
    }
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": digests},
    });
    add(&mut archive, "config.json", config.to_string().as_bytes())?;
    let manifest = json!([{"Config": "config.json", "RepoTags": ["most:latest"], "Layers": names}]);
    add(
        &mut archive,
        "manifest.json",
        manifest.to_string().as_bytes(),
    )?;
    let length = archive.into_inner()?.metadata()?.len();
    ensure!(length > 0, "nothing was written");
    Ok(())
}

fn add<W: std::io::Write>(builder: &mut Builder<W>, name: &str, content: &[u8]) -> Result<()> {
    let mut header = Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    builder
        .append_data(&mut header, name, content)
        .with_context(|| name.to_owned())
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold("sha256:".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
