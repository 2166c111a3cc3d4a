//! What `cargo metadata` says about the workspace and its dependencies.

use crate::process::output;
use crate::workspace::cargo;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::HashSet;

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

const PLATFORMS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

impl Metadata {
    /// Reads the packages that are compiled for one of our platforms. `cargo
    /// metadata` knows everything about more than these (also what an optional
    /// feature would add); which they are is what `cargo tree` knows.
    pub(crate) fn read() -> Result<Self> {
        let mut command = cargo();
        command.args(["metadata", "--format-version=1", "--locked"]);
        for platform in PLATFORMS {
            command.arg(format!("--filter-platform={platform}"));
        }
        let text = output(&mut command)?;
        let mut metadata: Self =
            serde_json::from_str(&text).context("cannot read the output of cargo metadata")?;

        let mut command = cargo();
        command.args(["tree", "--workspace", "--locked", "--prefix=none"]);
        command.args(["--edges=normal,build,dev", "--format={p}"]);
        for platform in PLATFORMS {
            command.args(["--target", platform]);
        }
        // Lines as `name v1.2.3`, then perhaps where it is from.
        let tree = output(&mut command)?;
        let compiled: HashSet<(&str, &str)> = tree
            .lines()
            .filter_map(|line| {
                let (name, rest) = line.split_once(" v")?;
                Some((name, rest.split(' ').next()?))
            })
            .collect();
        metadata.packages.retain(|package| {
            compiled.contains(&(package.name.as_str(), package.version.as_str()))
        });
        Ok(metadata)
    }

    /// The workspace's own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }
}
