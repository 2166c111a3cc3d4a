//! Where a container's groups are: what has to be remembered of them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Cgroup, Error, Layout, create, systemd};

/// Who makes the groups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// This runtime, by directories.
    #[default]
    Cgroupfs,
    /// systemd, as a transient unit.
    Systemd,
}

/// Where a container's groups are. Enough to find them again from another
/// process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Path below each hierarchy's root, with a leading slash.
    pub path: String,
    /// Who made them.
    #[serde(default)]
    pub driver: Driver,
    /// Name of the unit, with systemd's driver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Name of the unit's slice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// Whether the container is made without root.
    #[serde(default)]
    pub rootless: bool,
    /// Whether no groups could be made.
    #[serde(default)]
    pub absent: bool,
    /// Directories that were there before the container.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<PathBuf>,
}

impl Place {
    /// Where the groups of a container will be.
    ///
    /// # Errors
    /// When the path cannot be used.
    pub fn plan(path: &str, id: &str, driver: Driver, rootless: bool) -> Result<Place, Error> {
        Ok(Cgroup::plan(path, id, driver, rootless)?.place())
    }
}

impl Cgroup {
    /// Where the groups are.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            path: self.path().display().to_string(),
            driver: match self.unit {
                Some(_) => Driver::Systemd,
                None => Driver::Cgroupfs,
            },
            unit: self.unit.as_ref().map(|unit| unit.name().to_owned()),
            slice: self.unit.as_ref().map(|unit| unit.slice().to_owned()),
            rootless: self.rootless,
            absent: self.absent,
            kept: self.kept.clone(),
        }
    }

    /// The groups of a container made earlier, whether or not they still
    /// exist.
    ///
    /// # Errors
    /// When the host's hierarchies cannot be made out, or the place is none.
    pub fn reopen(place: &Place) -> Result<Cgroup, Error> {
        let unit = match (&place.unit, &place.slice) {
            (Some(unit), Some(slice)) => Some(systemd::Unit::new(unit, slice, place.rootless)),
            _ => None,
        };
        let layout = if place.absent {
            Layout::default()
        } else {
            Layout::detect().map_err(Error::Layout)?
        };
        Ok(Cgroup {
            layout,
            path: create::relative(&place.path)?,
            unit,
            adopted: true.into(),
            rootless: place.rootless,
            absent: place.absent,
            process: None,
            kept: place.kept.clone(),
        })
    }
}
