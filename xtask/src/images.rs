//! The test images: made here from Debian's packages, the same bytes every
//! time, as OCI layouts and docker-archives. No test needs the internet.
//!
//! Owns `target/test-images/<name>/`: `oci/` (layout), `docker.tar`
//! (docker-archive, for images of one platform) and `key`, the digest of what
//! it was made from. A directory appears by one rename, complete; one that an
//! interrupted run left under another name is removed by the next.

mod archive;
mod image;
mod layer;
mod layout;
mod machine_code;
mod recipes;
#[cfg(test)]
mod tests;

use crate::packages;
use crate::process::step;
use crate::workspace::target;
use anyhow::{Context, Result, bail};
use recipes::Recipe;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// What the recipes are made of: a change here makes every image again.
const SOURCES: &[&str] = &[
    include_str!("images/archive.rs"),
    include_str!("images/image.rs"),
    include_str!("images/layer.rs"),
    include_str!("images/layout.rs"),
    include_str!("images/machine_code.rs"),
];

/// Where the images are: `TARE_TEST_IMAGES`, else in the target directory.
pub(crate) fn directory() -> PathBuf {
    std::env::var_os("TARE_TEST_IMAGES")
        .map(PathBuf::from)
        .unwrap_or_else(|| target().join("test-images"))
}

/// `cargo xtask images [--force] [name...]`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let force = arguments.iter().any(|argument| argument == "--force");
    let names: Vec<&String> = arguments.iter().filter(|name| *name != "--force").collect();
    packages::ensure(packages::IMAGES)?;
    for name in &names {
        if !recipes::ALL.iter().any(|recipe| recipe.name == **name) {
            let known: Vec<&str> = recipes::ALL.iter().map(|recipe| recipe.name).collect();
            bail!("no test image {name}; there are {}", known.join(", "));
        }
    }
    for recipe in recipes::ALL {
        let asked = names.iter().any(|name| **name == recipe.name);
        if asked || (names.is_empty() && recipe.for_tests) {
            ensure(recipe, force)?;
        }
    }
    Ok(())
}

/// Makes those images that the tests use and that are missing or out of date.
pub(crate) fn ensure_for_tests() -> Result<()> {
    for recipe in recipes::ALL.iter().filter(|recipe| recipe.for_tests) {
        ensure(recipe, false)?;
    }
    Ok(())
}

/// Makes one image if needed and returns its directory.
pub(crate) fn ensure_named(name: &str) -> Result<PathBuf> {
    let recipe = recipes::ALL
        .iter()
        .find(|recipe| recipe.name == name)
        .with_context(|| format!("no test image {name}"))?;
    ensure(recipe, false)
}

fn ensure(recipe: &Recipe, force: bool) -> Result<PathBuf> {
    let directory = directory().join(recipe.name);
    let key = key(recipe);
    if !force && std::fs::read_to_string(directory.join("key")).is_ok_and(|made| made == key) {
        return Ok(directory);
    }
    step(&format!("image {}", recipe.name));
    let unfinished = directory.with_extension("unfinished");
    remove(&unfinished)?;
    write(recipe, &unfinished)?;
    std::fs::write(unfinished.join("key"), key).context("cannot write the key")?;
    remove(&directory)?;
    std::fs::rename(&unfinished, &directory)
        .with_context(|| format!("cannot rename to {}", directory.display()))?;
    Ok(directory)
}

/// Makes the image and writes it in all its forms into `directory`.
fn write(recipe: &Recipe, directory: &Path) -> Result<()> {
    let images = (recipe.make)().with_context(|| format!("cannot make image {}", recipe.name))?;
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    layout::write(&directory.join("oci"), recipe.tag(), &images)?;
    if let [image] = images.as_slice() {
        archive::write(&directory.join("docker.tar"), recipe.reference, image)?;
    }
    Ok(())
}

/// Digest of everything an image is made from: our code and the versions of
/// the packages whose files are in it.
fn key(recipe: &Recipe) -> String {
    let mut hasher = Sha256::new();
    for source in SOURCES.iter().chain([&recipes::SOURCE, &recipe.source]) {
        hasher.update(source.len().to_le_bytes());
        hasher.update(source);
    }
    for package in packages::IMAGES {
        hasher.update(packages::version(package).unwrap_or_default());
    }
    image::hexadecimal(&hasher.finalize())
}

fn remove(directory: &Path) -> Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", directory.display()))
        }
        _ => Ok(()),
    }
}
