//! What containers leave in the kernel and under the exec root when their shim
//! could not clear up: found by the names below the engine's own parent group.

use std::collections::BTreeSet;
use std::fs;

use tare_runtime::cgroup::{self, Cgroup, Layout};

use crate::engine::Engine;

impl Engine {
    /// IDs that have a control group below the engine's, in any hierarchy.
    pub(crate) fn control_groups(&self) -> std::io::Result<BTreeSet<String>> {
        let layout = Layout::detect()?;
        let mounts = layout
            .hierarchies
            .iter()
            .map(|hierarchy| &hierarchy.mount)
            .chain(&layout.unified);
        let mut ids = BTreeSet::new();
        for mount in mounts {
            // A hierarchy that no container was in yet has no such directory.
            let Ok(entries) = fs::read_dir(mount.join(&self.inner.cgroup_parent)) else {
                continue;
            };
            let directories = entries
                .flatten()
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            ids.extend(directories.filter_map(|entry| entry.file_name().into_string().ok()));
        }
        Ok(ids)
    }

    /// Removes what belongs to no shim any more: processes, control groups and
    /// the shim's directory. Safe to repeat; blocks.
    pub(crate) fn clear_remains(&self, id: &str) {
        self.end_processes(id);
        match fs::remove_dir_all(self.shim_directory(id)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(container = id, %error, "shim directory");
            }
            _ => {}
        }
    }

    /// Kills what is in a container's control groups, and removes them. Safe to
    /// repeat; blocks.
    pub(crate) fn end_processes(&self, id: &str) {
        let path = match self.inner.containers.get(id) {
            Some(container) => self.cgroup_path(&container.record()),
            None => format!("/{}/{id}", self.inner.cgroup_parent),
        };
        if let Err(error) = destroy(&path) {
            tracing::warn!(container = id, %error, "control group");
        }
    }
}

fn destroy(path: &str) -> Result<(), cgroup::Error> {
    let group = Cgroup::open(path)?;
    group.kill()?;
    group.remove()
}
