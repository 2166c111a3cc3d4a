//! Making a container's groups.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::{Cgroup, Driver, Error, Layout, controls, systemd};

/// A configured path as one below a hierarchy's root.
pub(super) fn relative(path: &str) -> Result<PathBuf, Error> {
    let refuse = |reason| {
        Err(Error::Path {
            path: path.to_owned(),
            reason,
        })
    };
    if !path.contains('/') && path.split(':').count() == 3 {
        return refuse("is for systemd's driver (--systemd-cgroup); give a path");
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
    /// Makes the groups of a new container. On an error nothing of them is
    /// left. With systemd's driver they are made later, see
    /// [`Cgroup::adopts`]. Without root, where the caller may not make any,
    /// they are absent.
    ///
    /// # Errors
    /// When the path is not one of the driver's, a directory cannot be made,
    /// or when one exists with processes in it.
    pub fn create(path: &str, id: &str, driver: Driver, rootless: bool) -> Result<Cgroup, Error> {
        let mut cgroup = Cgroup::plan(path, id, driver, rootless)?;
        if driver == Driver::Systemd {
            return Ok(cgroup);
        }
        match cgroup.make_directories() {
            Ok(()) => Ok(cgroup),
            Err(Error::Create { source, .. } | Error::Write { source, .. })
                if rootless && controls::is_forbidden(&source) =>
            {
                // Some hierarchies may have let it happen.
                let _ = cgroup.remove();
                cgroup.absent = true;
                cgroup.layout = Layout::default();
                Ok(cgroup)
            }
            Err(error @ Error::InUse(_)) => Err(error),
            Err(error) => {
                // The first error is the one to report.
                let _ = cgroup.remove();
                Err(error)
            }
        }
    }

    /// The groups of a new container, of which nothing is made.
    pub(super) fn plan(
        path: &str,
        id: &str,
        driver: Driver,
        rootless: bool,
    ) -> Result<Cgroup, Error> {
        if driver == Driver::Cgroupfs {
            let mut cgroup = Cgroup::open(path)?;
            cgroup.rootless = rootless;
            if rootless && !path.starts_with('/') {
                cgroup.path = cgroup.below_caller()?;
            }
            return Ok(cgroup);
        }
        let (unit, path) = systemd::Unit::plan(path, id, rootless)?;
        Ok(Cgroup {
            layout: Layout::detect().map_err(Error::Layout)?,
            path: relative(&path)?,
            unit: Some(unit),
            adopted: false.into(),
            rootless,
            absent: false,
            process: None,
            kept: Vec::new(),
        })
    }

    /// The configured path below what has been delegated to the caller in the
    /// v2 hierarchy. The caller's own group has processes in it, and so cannot
    /// pass controllers on: the one above it is better, where it is the
    /// caller's as well.
    fn below_caller(&self) -> Result<PathBuf, Error> {
        let Some(root) = &self.layout.unified else {
            return Ok(self.path.clone());
        };
        let text = controls::read(Path::new("/proc/self/cgroup"))?.unwrap_or_default();
        let own = text.lines().find_map(|line| line.strip_prefix("0::/"));
        let Some(own) = own.map(Path::new) else {
            return Ok(self.path.clone());
        };
        let is_writable = |group: &Path| {
            let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
            rustix::fs::access(root.join(group), access).is_ok()
        };
        Ok([own.parent(), Some(own)]
            .into_iter()
            .flatten()
            .find(|group| is_writable(group))
            .map_or_else(|| self.path.clone(), |group| group.join(&self.path)))
    }

    fn make_directories(&mut self) -> Result<(), Error> {
        if let Some(root) = &self.layout.unified {
            self.kept.extend(unused(root, &self.path)?);
            make(root, &self.path, false)?;
            if self.is_unified() {
                enable_controllers(root, &self.path)?;
            }
        }
        for hierarchy in &self.layout.hierarchies {
            self.kept.extend(unused(&hierarchy.mount, &self.path)?);
            make(&hierarchy.mount, &self.path, hierarchy.has("cpuset"))?;
        }
        Ok(())
    }
}

/// Refuses a group that exists with processes in it; returns one that exists
/// without.
fn unused(root: &Path, path: &Path) -> Result<Option<PathBuf>, Error> {
    let directory = root.join(path);
    match controls::read(&directory.join("cgroup.procs"))? {
        Some(text) if !text.is_empty() => Err(Error::InUse(directory)),
        Some(_) => Ok(Some(directory)),
        None => Ok(None),
    }
}

/// Makes one directory and, when they are missing, those above it.
pub(super) fn make(root: &Path, path: &Path, is_cpuset: bool) -> Result<(), Error> {
    let prepare = |directory: &Path| {
        if is_cpuset {
            inherit_cpuset(directory)
        } else {
            Ok(())
        }
    };
    let directory = root.join(path);
    match fs::create_dir(&directory) {
        Ok(()) => return prepare(&directory),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return prepare(&directory),
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
        // One that was there before may be empty itself.
        if controls::read(&parent.join(file))?.is_some_and(|text| text.trim().is_empty()) {
            inherit_cpuset(parent)?;
        }
        if let Some(value) = controls::read(&parent.join(file))? {
            controls::write(&own, value.trim())?;
        }
    }
    // Groups made in this one get its sets without our doing.
    controls::write(&directory.join("cgroup.clone_children"), "1")
}

/// Lets the container's group have every controller that its ancestors have.
pub(super) fn enable_controllers(root: &Path, path: &Path) -> Result<(), Error> {
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
