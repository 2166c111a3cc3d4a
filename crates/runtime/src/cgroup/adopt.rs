//! Groups that systemd makes around a process that exists already.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::Ordering;

use tare_oci::runtime::Resources;

use super::{Cgroup, Error, controls, create, systemd};

impl Cgroup {
    /// Whether the groups are made around the container's process
    /// ([`Cgroup::adopt`]) instead of before it.
    #[must_use]
    pub fn adopts(&self) -> bool {
        self.unit.is_some() && !self.adopted.load(Ordering::Relaxed)
    }

    /// Makes the groups around the container's process, which must wait. What
    /// systemd knows of the limits is set; [`Cgroup::set_up`] sets the rest.
    /// `annotations` are the configuration's: those that
    /// begin with `org.systemd.property.` become properties of the unit. On an
    /// error [`Cgroup::remove`] removes what there is.
    ///
    /// # Errors
    /// When systemd cannot be asked, refuses or does not answer in time, or a
    /// limit cannot be had.
    pub fn adopt(
        &self,
        pid: i32,
        resources: &Resources,
        annotations: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        self.check(resources)?;
        let Some(unit) = &self.unit else {
            return Ok(());
        };
        unit.start(
            pid,
            self.is_unified(),
            resources,
            &systemd::annotated(annotations)?,
        )?;
        self.join_others(pid)?;
        self.adopted.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Makes the groups in the hierarchies that systemd leaves alone, and puts
    /// the process into them.
    fn join_others(&self, pid: i32) -> Result<(), Error> {
        if let Some(root) = &self.layout.unified
            && self.is_unified()
        {
            let directory = root.join(&self.path);
            if !directory.is_dir() {
                return Err(Error::Create {
                    path: directory,
                    source: io::ErrorKind::NotFound.into(),
                });
            }
            return create::enable_controllers(root, &self.path);
        }
        let text = pid.to_string();
        let unified = self.layout.unified.as_deref();
        let others = self
            .layout
            .hierarchies
            .iter()
            .filter(|hierarchy| !hierarchy.has("name=systemd"))
            .map(|hierarchy| (hierarchy.mount.as_path(), hierarchy.has("cpuset")))
            .chain(unified.map(|mount| (mount, false)));
        for (mount, is_cpuset) in others {
            create::make(mount, &self.path, is_cpuset)?;
            controls::write(&mount.join(&self.path).join("cgroup.procs"), &text)?;
        }
        Ok(())
    }
}
