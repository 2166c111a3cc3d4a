//! The least that a run can cost: floor.c, which only makes namespaces, mounts
//! an overlay, changes the root and executes.

use crate::images;
use crate::process::run as execute;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const SOURCE: &str = include_str!("floor.c");

/// The compiled program with an unpacked busybox.
pub(super) struct Floor {
    program: PathBuf,
    lower: PathBuf,
    scratch: PathBuf,
}

impl Floor {
    /// Compiles it and unpacks the image.
    pub(super) fn prepare(directory: &Path) -> Result<Self> {
        let directory = directory.join("floor");
        let floor = Self {
            program: directory.join("floor"),
            lower: directory.join("lower"),
            scratch: directory.join("scratch"),
        };
        std::fs::create_dir_all(&floor.lower).context("cannot make the floor's directory")?;
        let source = directory.join("floor.c");
        std::fs::write(&source, SOURCE).context("cannot write floor.c")?;
        execute(
            Command::new("gcc")
                .args(["-O2", "-static", "-o"])
                .arg(&floor.program)
                .arg(&source),
        )?;
        for layer in super::pull::layers(&images::ensure_named("busybox")?.join("oci"))? {
            execute(
                Command::new("tar")
                    .arg("-xzf")
                    .arg(layer)
                    .arg("-C")
                    .arg(&floor.lower),
            )?;
        }
        Ok(floor)
    }

    /// How long one run of `true` takes.
    pub(super) fn time(&self) -> Result<Duration> {
        let started = Instant::now();
        execute(
            Command::new(&self.program)
                .arg(&self.lower)
                .arg(&self.scratch)
                .arg("/bin/true"),
        )?;
        Ok(started.elapsed())
    }
}
