//! Applying a configuration's limits.

mod check;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use tare_oci::runtime::{BlockIo, Resources};

use super::{Cgroup, Error, create, devices, v1, v2};

/// Where a controller's files of this container are.
pub(super) enum Home {
    /// In a v1 hierarchy.
    Legacy(PathBuf),
    /// In the v2 hierarchy.
    Unified(PathBuf),
}

/// Refuses limits that make no sense on any host.
///
/// # Errors
/// The first of them, by the name of its field.
pub fn check(resources: &Resources) -> Result<(), Error> {
    check::all(resources)
}

impl Cgroup {
    /// Refuses limits that make no sense, and those that this host cannot
    /// keep. Changes nothing.
    ///
    /// # Errors
    /// The first of them, by the name of its field.
    pub fn check(&self, resources: &Resources) -> Result<(), Error> {
        check(resources)?;
        if self.absent {
            return self.refuse_without_groups(resources);
        }
        for (field, controller) in needed(resources) {
            self.home(field, controller)?;
        }
        if !resources.unified.is_empty() && self.layout.unified.is_none() {
            return Err(refused("unified", "this host has no cgroup v2 hierarchy"));
        }
        Ok(())
    }

    /// Closes all devices but those that `resources` and every container have,
    /// where that takes several steps (v1: none, then some) that no process
    /// should see in between: before the container's process is made.
    ///
    /// # Errors
    /// As [`Cgroup::apply`].
    pub fn close_devices(&self, resources: &Resources) -> Result<(), Error> {
        if !self.has_device_list() {
            return Ok(());
        }
        self.write_devices(&devices::effective(&resources.devices)?, false)
    }

    /// Whether access to devices is a list of a v1 group that exists before
    /// the process does.
    fn has_device_list(&self) -> bool {
        !self.absent
            && !self.rootless
            && self.unit.is_none()
            && self.layout.hierarchy("devices").is_some()
    }

    /// Applies the limits of a new container: as [`Cgroup::apply`], and closes
    /// devices where [`Cgroup::close_devices`] has not.
    ///
    /// # Errors
    /// As [`Cgroup::apply`].
    pub fn set_up(&self, resources: &Resources) -> Result<(), Error> {
        // systemd has been told with the unit.
        self.apply_limits(resources, false)?;
        if self.has_device_list() {
            return Ok(());
        }
        if self.absent || self.rootless {
            // In a user namespace no device can be made, and only those that
            // the caller may open anyway can be opened.
            return Ok(());
        }
        self.write_devices(&devices::effective(&resources.devices)?, false)
    }

    /// Applies limits; what `resources` does not mention stays as it is. Rules
    /// for devices replace those in force.
    ///
    /// # Errors
    /// The first limit that makes no sense, that this host cannot keep, or
    /// that the kernel refuses.
    pub fn apply(&self, resources: &Resources) -> Result<(), Error> {
        self.apply_limits(resources, true)?;
        if resources.devices.is_empty() || self.absent || self.rootless {
            return Ok(());
        }
        self.replace_devices(&devices::effective(&resources.devices)?)
    }

    fn apply_limits(&self, resources: &Resources, tell: bool) -> Result<(), Error> {
        self.check(resources)?;
        if self.absent {
            return Ok(());
        }
        if let Some(unit) = self.unit.as_ref().filter(|_| tell) {
            // systemd would undo what it does not know when it next looks.
            unit.set_limits(self.is_unified(), resources)?;
        }
        if let Some(memory) = &resources.memory {
            match self.home("memory", "memory")? {
                Home::Legacy(directory) => v1::memory(&directory, memory)?,
                Home::Unified(directory) => v2::memory(&directory, memory)?,
            }
        }
        if let Some(cpu) = &resources.cpu {
            match self.home("cpu", "cpu")? {
                Home::Legacy(directory) => v1::cpu(&directory, cpu)?,
                Home::Unified(directory) => v2::cpu(&directory, cpu)?,
            }
            if has_sets(resources) {
                let directory = match self.home("cpu.cpus", "cpuset")? {
                    Home::Legacy(directory) | Home::Unified(directory) => directory,
                };
                v2::cpusets(&directory, cpu)?;
            }
        }
        if let Some(pids) = resources.pids.as_ref().filter(|pids| pids.limit != 0) {
            let directory = match self.home("pids.limit", "pids")? {
                Home::Legacy(directory) | Home::Unified(directory) => directory,
            };
            v2::pids(&directory, pids)?;
        }
        if let Some(block_io) = &resources.block_io
            && *block_io != BlockIo::default()
        {
            match self.home("blockIO", "blkio")? {
                Home::Legacy(directory) => v1::block_io(&directory, block_io)?,
                Home::Unified(directory) => v2::block_io(&directory, block_io)?,
            }
        }
        self.apply_rare(resources)
    }

    fn apply_rare(&self, resources: &Resources) -> Result<(), Error> {
        if !resources.hugepage_limits.is_empty() {
            match self.home("hugepageLimits", "hugetlb")? {
                Home::Legacy(directory) => v1::huge_pages(&directory, &resources.hugepage_limits)?,
                Home::Unified(directory) => {
                    self.enable_beside_v1()?;
                    v2::huge_pages(&directory, &resources.hugepage_limits)?;
                }
            }
        }
        if !resources.rdma.is_empty() {
            let directory = match self.home("rdma", "rdma")? {
                Home::Legacy(directory) => directory,
                Home::Unified(directory) => {
                    self.enable_beside_v1()?;
                    directory
                }
            };
            v2::rdma(&directory, &resources.rdma)?;
        }
        if let Some(network) = &resources.network {
            v1::network(self, network)?;
        }
        if !resources.unified.is_empty() {
            let Some(directory) = self.unified_directory() else {
                return Err(refused("unified", "this host has no cgroup v2 hierarchy"));
            };
            self.enable_beside_v1()?;
            v2::files(&directory, &resources.unified)?;
        }
        Ok(())
    }

    /// Replaces the rules of a container whose program runs.
    fn replace_devices(&self, rules: &[devices::Rule]) -> Result<(), Error> {
        let stop = match self.controller_directory("devices") {
            // systemd empties a v1 list before it fills it again.
            Some(_) if self.unit.is_some() => true,
            Some(directory) => devices::needs_stop(&directory, rules)?,
            None => false,
        };
        let stop = stop && !self.is_frozen()?;
        if stop {
            self.freeze()?;
        }
        let result = self.write_devices(rules, true);
        if stop {
            self.thaw()?;
        }
        result
    }

    fn write_devices(&self, rules: &[devices::Rule], tell: bool) -> Result<(), Error> {
        if let Some(unit) = self.unit.as_ref().filter(|_| tell) {
            unit.set_devices(rules)?;
        }
        let legacy = self.controller_directory("devices");
        match (legacy, self.unified_directory()) {
            (Some(directory), _) => devices::apply_v1(&directory, rules),
            // Without the v1 controller a program in the v2 hierarchy does it.
            (None, Some(directory)) => devices::apply_v2(&directory, rules),
            (None, None) => Err(refused(
                "devices",
                "access to devices can be limited on this host neither by v1 nor by v2",
            )),
        }
    }

    /// Beside v1 hierarchies the v2 one has few controllers, which are not
    /// turned on for every container.
    fn enable_beside_v1(&self) -> Result<(), Error> {
        match &self.layout.unified {
            Some(root) if !self.is_unified() => create::enable_controllers(root, &self.path),
            _ => Ok(()),
        }
    }

    /// Where the files of a controller (by its v1 name) are.
    pub(super) fn home(&self, field: &str, controller: &str) -> Result<Home, Error> {
        if let Some(directory) = self.controller_directory(controller) {
            return Ok(Home::Legacy(directory));
        }
        let legacy_only = matches!(controller, "net_cls" | "net_prio");
        if legacy_only && self.is_unified() {
            return Err(refused(field, "exists on cgroup v1 only"));
        }
        if let Some(directory) = self.unified_directory()
            && !legacy_only
            && (self.is_unified() || self.has_beside_v1(controller)?)
        {
            return Ok(Home::Unified(directory));
        }
        Err(refused(
            field,
            format!("the {controller} controller is not mounted on this host"),
        ))
    }

    fn has_beside_v1(&self, controller: &str) -> Result<bool, Error> {
        let Some(root) = &self.layout.unified else {
            return Ok(false);
        };
        let name = if controller == "blkio" {
            "io"
        } else {
            controller
        };
        let found = super::controls::read(&root.join("cgroup.controllers"))?.unwrap_or_default();
        Ok(found.split_whitespace().any(|one| one == name))
    }

    /// Without groups nothing can be limited.
    fn refuse_without_groups(&self, resources: &Resources) -> Result<(), Error> {
        let field = needed(resources)
            .first()
            .map(|(field, _)| *field)
            .or_else(|| (!resources.unified.is_empty()).then_some("unified"));
        match field {
            None => Ok(()),
            Some(field) => Err(refused(
                field,
                "this user may not make control groups; run as root, or in a group delegated by \
                 systemd (systemd-run --user --scope --property Delegate=yes)",
            )),
        }
    }
}

/// Every limit that is asked for: a field, and the controller that keeps it.
fn needed(resources: &Resources) -> Vec<(&'static str, &'static str)> {
    let mut needed = Vec::new();
    let mut need = |asked: bool, field, controller| {
        if asked {
            needed.push((field, controller));
        }
    };
    if let Some(memory) = &resources.memory {
        let some = |value: Option<i64>| value.is_some_and(|value| value != 0);
        need(some(memory.limit), "memory.limit", "memory");
        need(some(memory.swap), "memory.swap", "memory");
        need(some(memory.reservation), "memory.reservation", "memory");
        need(some(memory.kernel_tcp), "memory.kernelTCP", "memory");
        need(memory.swappiness.is_some(), "memory.swappiness", "memory");
        let disable = memory.disable_oom_killer == Some(true);
        need(disable, "memory.disableOOMKiller", "memory");
    }
    if let Some(cpu) = &resources.cpu {
        need(cpu.shares.is_some_and(|v| v != 0), "cpu.shares", "cpu");
        need(cpu.quota.is_some_and(|v| v != 0), "cpu.quota", "cpu");
        need(cpu.period.is_some_and(|v| v != 0), "cpu.period", "cpu");
        need(cpu.burst.is_some(), "cpu.burst", "cpu");
        need(cpu.idle.is_some(), "cpu.idle", "cpu");
        let realtime = cpu.realtime_runtime.is_some_and(|v| v != 0)
            || cpu.realtime_period.is_some_and(|v| v != 0);
        need(realtime, "cpu.realtimeRuntime", "cpu");
    }
    need(has_sets(resources), "cpu.cpus", "cpuset");
    let pids = resources.pids.as_ref().is_some_and(|pids| pids.limit != 0);
    need(pids, "pids.limit", "pids");
    let block_io = resources
        .block_io
        .as_ref()
        .is_some_and(|block_io| *block_io != BlockIo::default());
    need(block_io, "blockIO", "blkio");
    let huge = !resources.hugepage_limits.is_empty();
    need(huge, "hugepageLimits", "hugetlb");
    need(!resources.rdma.is_empty(), "rdma", "rdma");
    if let Some(network) = &resources.network {
        let class = network.class_id.is_some_and(|class| class != 0);
        need(class, "network.classID", "net_cls");
        let priorities = !network.priorities.is_empty();
        need(priorities, "network.priorities", "net_prio");
    }
    needed
}

fn has_sets(resources: &Resources) -> bool {
    let some = |value: &Option<String>| value.as_ref().is_some_and(|value| !value.is_empty());
    resources
        .cpu
        .as_ref()
        .is_some_and(|cpu| some(&cpu.cpus) || some(&cpu.mems))
}

/// A refused limit.
pub(super) fn refused(field: impl Into<String>, reason: impl Into<String>) -> Error {
    Error::Resource {
        field: field.into(),
        reason: reason.into(),
    }
}
