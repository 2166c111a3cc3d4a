//! What `cargo metadata` says about the workspace and its dependencies.

use crate::process::output;
use crate::workspace::cargo;
use anyhow::{Context, Result};
use serde::Deserialize;

/// The part of `cargo metadata` that the checks look at.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    /// Every package of the resolved graph.
    pub(crate) packages: Vec<Package>,
    /// The IDs of the workspace's own packages.
    pub(crate) workspace_members: Vec<String>,
}

/// One package.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    /// Its identity in the graph.
    pub(crate) id: String,
    /// The name in its Cargo.toml.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// The licence as an SPDX expression, if it states one.
    pub(crate) license: Option<String>,
    /// Where it comes from; nothing for a path in this repository.
    pub(crate) source: Option<String>,
    /// The dependencies it declares.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One declared dependency.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The package's name (not its rename).
    pub(crate) name: String,
    /// `dev`, `build`, or nothing for a normal one.
    pub(crate) kind: Option<String>,
    /// The directory, for one of this repository.
    pub(crate) path: Option<String>,
}

impl Metadata {
    /// Reads the resolved graph for the platforms we build for.
    pub(crate) fn read() -> Result<Self> {
        let text = output(cargo().args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--filter-platform=x86_64-unknown-linux-gnu",
            "--filter-platform=aarch64-unknown-linux-gnu",
        ]))?;
        serde_json::from_str(&text).context("cannot read the output of cargo metadata")
    }

    /// The workspace's own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }
}
