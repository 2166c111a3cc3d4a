//! Groups that a container has made in its own, as places for a further
//! program.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::{Cgroup, Error, open_group};

impl Cgroup {
    /// The files to enter and the v2 group to be born in, for a process that is
    /// to be in the given groups below the container's: each a path, or
    /// `controller,…:path` for the v1 hierarchies of these controllers.
    ///
    /// # Errors
    /// When a path leads elsewhere, a controller has no hierarchy, or a group
    /// does not exist.
    pub(crate) fn below(
        &self,
        groups: &[String],
    ) -> Result<(Vec<PathBuf>, Option<OwnedFd>), Error> {
        let mut everywhere = Path::new("");
        let mut by_controller: Vec<(&str, &Path)> = Vec::new();
        for group in groups {
            let refuse = |reason| Error::Path {
                path: group.clone(),
                reason,
            };
            let (controllers, path) = match group.split_once(':') {
                Some((controllers, path)) => (Some(controllers), path),
                None => (None, group.as_str()),
            };
            let path = Path::new(path.trim_start_matches('/'));
            if path
                .components()
                .any(|part| !matches!(part, std::path::Component::Normal(_)))
            {
                return Err(refuse("must stay below the container's group"));
            }
            match controllers {
                None => everywhere = path,
                Some(controllers) => {
                    for controller in controllers.split(',') {
                        if self.layout.hierarchy(controller).is_none() {
                            return Err(refuse("names a controller without a v1 hierarchy"));
                        }
                        by_controller.push((controller, path));
                    }
                }
            }
        }
        let entries = self
            .layout
            .hierarchies
            .iter()
            .map(|hierarchy| {
                let named = by_controller
                    .iter()
                    .find(|(name, _)| hierarchy.controllers.iter().any(|one| one == name));
                let path = named.map_or(everywhere, |(_, path)| *path);
                self.directory(hierarchy).join(path).join("tasks")
            })
            .collect();
        let group = self
            .unified_directory()
            .map(|own| open_group(own.join(everywhere)))
            .transpose()?;
        Ok((entries, group))
    }
}
