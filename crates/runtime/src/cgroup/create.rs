//! Making a container's groups.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::{Cgroup, Driver, Error, controls};

/// A configured path as one below a hierarchy's root.
pub(super) fn relative(path: &str) -> Result<PathBuf, Error> {
    let refuse = |reason| {
        Err(Error::Path {
            path: path.to_owned(),
            reason,
        })
    };
    if !path.contains('/') && path.split(':').count() == 3 {
        return refuse("is for systemd's control groups, which are not supported yet; give a path");
    }
    let mut relative = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => relative.push(name),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return refuse("must not lead upwards");
            }
        }
    }
    if relative.as_os_str().is_empty() {
        return refuse("must name a group below the root");
    }
    Ok(relative)
}

impl Cgroup {
    /// Makes the groups at `path` below each hierarchy's root. On an error
    /// nothing of them is left.
    ///
    /// # Errors
    /// When a directory cannot be made, or when one exists with processes in
    /// it.
    pub fn create(path: &str, _id: &str, driver: Driver, _rootless: bool) -> Result<Cgroup, Error> {
        if driver == Driver::Systemd {
            return Err(Error::Path {
                path: path.to_owned(),
                reason: "systemd's control groups are not supported yet",
            });
        }
        let cgroup = Cgroup::open(path)?;
        cgroup.make_directories().inspect_err(|error| {
            if !matches!(error, Error::InUse(_)) {
                // The first error is the one to report.
                let _ = cgroup.remove();
            }
        })?;
        Ok(cgroup)
    }

    fn make_directories(&self) -> Result<(), Error> {
        if let Some(root) = &self.layout.unified {
            make(root, &self.path, &|_| Ok(()))?;
            if self.is_unified() {
                enable_controllers(root, &self.path)?;
            }
        }
        for hierarchy in &self.layout.hierarchies {
            let is_cpuset = hierarchy.controllers.iter().any(|name| name == "cpuset");
            let prepare: &dyn Fn(&Path) -> Result<(), Error> = if is_cpuset {
                &inherit_cpuset
            } else {
                &|_| Ok(())
            };
            make(&hierarchy.mount, &self.path, prepare)?;
        }
        Ok(())
    }
}

/// Makes one directory and, when they are missing, those above it; each new
/// one is prepared.
fn make(
    root: &Path,
    path: &Path,
    prepare: &dyn Fn(&Path) -> Result<(), Error>,
) -> Result<(), Error> {
    let directory = root.join(path);
    match fs::create_dir(&directory) {
        Ok(()) => return prepare(&directory),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let processes = controls::read(&directory.join("cgroup.procs"))?;
            return match processes {
                Some(text) if !text.is_empty() => Err(Error::InUse(directory)),
                _ => prepare(&directory),
            };
        }
        Err(source) => {
            return Err(Error::Create {
                path: directory,
                source,
            });
        }
    }
    let mut reached = root.to_owned();
    for component in path.components() {
        reached.push(component);
        match fs::create_dir(&reached) {
            Ok(()) => prepare(&reached)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => {
                return Err(Error::Create {
                    path: reached,
                    source,
                });
            }
        }
    }
    Ok(())
}

/// A new v1 cpuset is empty, and no process can enter it, unless its parent
/// passes its own on.
fn inherit_cpuset(directory: &Path) -> Result<(), Error> {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let own = directory.join(file);
        let present = controls::read(&own)?.unwrap_or_default();
        if !present.trim().is_empty() {
            continue;
        }
        let Some(parent) = directory.parent() else {
            continue;
        };
        if let Some(value) = controls::read(&parent.join(file))? {
            controls::write(&own, value.trim())?;
        }
    }
    // Groups made in this one get its sets without our doing.
    controls::write(&directory.join("cgroup.clone_children"), "1")
}

/// Lets the container's group have every controller that its ancestors have.
fn enable_controllers(root: &Path, path: &Path) -> Result<(), Error> {
    let mut directory = root.to_owned();
    for component in path.components() {
        let available = controls::read(&directory.join("cgroup.controllers"))?.unwrap_or_default();
        let file = directory.join("cgroup.subtree_control");
        let enabled = controls::read(&file)?.unwrap_or_default();
        let missing: Vec<String> = available
            .split_whitespace()
            .filter(|name| !enabled.split_whitespace().any(|other| other == *name))
            .map(|name| format!("+{name}"))
            .collect();
        // All at once, else one by one: a controller that cannot be had is
        // missed when a limit needs it.
        if !missing.is_empty() && controls::write(&file, &missing.join(" ")).is_err() {
            for one in &missing {
                let _ = controls::write(&file, one);
            }
        }
        directory.push(component);
    }
    Ok(())
}
