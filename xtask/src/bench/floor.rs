//! The least that a run can cost: floor.c, which only makes namespaces, mounts
//! an overlay, changes the root and executes.

use super::compile;
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
        let lower = directory.join("floor/lower");
        std::fs::create_dir_all(&lower).context("cannot make the floor's root")?;
        let floor = Self::compile(directory, &lower)?;
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

    /// Compiles it for a root that is there.
    pub(super) fn compile(directory: &Path, lower: &Path) -> Result<Self> {
        let directory = directory.join("floor");
        std::fs::create_dir_all(&directory).context("cannot make the floor's directory")?;
        let floor = Self {
            program: directory.join("floor"),
            lower: lower.to_owned(),
            scratch: directory.join("scratch"),
        };
        compile(SOURCE, &floor.program)?;
        Ok(floor)
    }

    /// The command that runs a program in it.
    pub(super) fn command(&self, program: &str) -> Vec<String> {
        [&self.program, &self.lower, &self.scratch]
            .map(|path| path.to_string_lossy().into_owned())
            .into_iter()
            .chain([program.to_owned()])
            .collect()
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
