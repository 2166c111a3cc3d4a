//! Bundles: the configuration that `tare_runtime::defaults` makes, around a
//! root with one small static program.

use super::control_groups;
use crate::bench::{compile, directory};
use crate::process::output;
use crate::workspace::cargo;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// A directory with a config.json; all use the same root.
pub(crate) struct Bundle {
    directory: PathBuf,
    rootfs: PathBuf,
    config: Value,
}

/// Writes the configuration where it is found without a compiler.
pub(crate) fn write_config() -> Result<()> {
    let mut command = cargo();
    command.args(["run", "--quiet", "--locked", "--package", "tare-runtime"]);
    let text = output(command.args(["--example", "default-config"]))?;
    fs::create_dir_all(directory()).context("cannot make target/bench")?;
    fs::write(config_path(), text).context("cannot write config.json")
}

fn config_path() -> PathBuf {
    directory().join("config.json")
}

impl Bundle {
    /// Makes the root and the bundle with nothing special.
    pub(crate) fn prepare(parent: &Path) -> Result<Self> {
        let rootfs = parent.join("rootfs");
        for name in ["bin", "proc", "sys", "dev"] {
            fs::create_dir_all(rootfs.join(name)).context("cannot make the root")?;
        }
        compile(include_str!("program.c"), &parent.join("program"))?;
        fs::copy(parent.join("program"), rootfs.join("bin/true"))
            .context("cannot copy the program")?;
        let text = fs::read_to_string(config_path()).context("cannot read config.json")?;
        let mut config: Value = serde_json::from_str(&text).context("config.json")?;
        config["root"]["path"] = json!(rootfs);
        let bundle = Self {
            directory: parent.to_owned(),
            rootfs,
            config,
        };
        bundle.variation("plain", "measured", |_| ())
    }

    /// The root, for the floor.
    pub(crate) fn rootfs(&self) -> &Path {
        &self.rootfs
    }

    /// Its directory.
    pub(crate) fn path(&self) -> String {
        self.directory.to_string_lossy().into_owned()
    }

    /// One whose program has so many variables in its environment.
    pub(crate) fn with_environment(&self, count: usize) -> Result<Self> {
        self.variation("environment", "measured", |config| {
            config["process"]["env"] = (0..count)
                .map(|number| json!(format!("VARIABLE_{number:05}=the value of {number}")))
                .collect();
        })
    }

    /// One whose program stays, in a control group of this name.
    pub(crate) fn staying(&self, group: &str) -> Result<Self> {
        self.variation(group, group, |config| {
            config["process"]["args"] = json!(["/bin/true", "stay"]);
        })
    }

    fn variation(&self, name: &str, group: &str, change: impl FnOnce(&mut Value)) -> Result<Self> {
        let parent = self.rootfs.parent().context("a root below a directory")?;
        let directory = parent.join(name);
        fs::create_dir_all(&directory).context("cannot make a bundle")?;
        let mut config = self.config.clone();
        config["linux"]["cgroupsPath"] = json!(format!("{}/{group}", control_groups::PARENT));
        change(&mut config);
        fs::write(directory.join("config.json"), config.to_string())
            .context("cannot write config.json")?;
        Ok(Self {
            directory,
            rootfs: self.rootfs.clone(),
            config,
        })
    }
}
