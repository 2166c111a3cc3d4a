//! Applying a configuration's limits.

use tare_oci::runtime::Resources;

use super::{Cgroup, Error, devices, v1, v2};

impl Cgroup {
    /// Applies limits; what `resources` does not mention stays as it is.
    ///
    /// # Errors
    /// The first limit that makes no sense, that this host cannot keep, or
    /// that the kernel refuses.
    pub fn apply(&self, resources: &Resources) -> Result<(), Error> {
        check(resources)?;
        if self.is_unified() {
            let directory = self.main_directory()?;
            v2::apply(&directory, resources)?;
            devices::apply_v2(&directory, &resources.devices)
        } else {
            v1::apply(self, resources)?;
            if !resources.unified.is_empty() {
                return Err(refused("unified", "needs a host with cgroup v2 only"));
            }
            match self.controller_directory("devices") {
                Some(directory) => devices::apply_v1(&directory, &resources.devices),
                // Hybrid with the device controller disabled: v2 can do it.
                None => match self.unified_directory() {
                    Some(directory) => devices::apply_v2(&directory, &resources.devices),
                    None => Ok(()),
                },
            }
        }
    }
}

/// A refused limit.
pub(super) fn refused(field: impl Into<String>, reason: impl Into<String>) -> Error {
    Error::Resource {
        field: field.into(),
        reason: reason.into(),
    }
}

/// Refuses limits that make no sense on any host.
fn check(resources: &Resources) -> Result<(), Error> {
    if let Some(memory) = &resources.memory {
        for (field, value) in [
            ("limit", memory.limit),
            ("reservation", memory.reservation),
            ("swap", memory.swap),
            ("kernelTCP", memory.kernel_tcp),
        ] {
            if value.is_some_and(|value| value < -1) {
                return Err(refused(
                    format!("memory.{field}"),
                    "must be -1 or not negative",
                ));
            }
        }
        if let (Some(limit), Some(swap)) = (memory.limit, memory.swap)
            && limit > 0
            && swap > 0
            && swap < limit
        {
            return Err(refused(
                "memory.swap",
                "counts memory and swap and must not be below memory.limit",
            ));
        }
        if memory.swappiness.is_some_and(|value| value > 100) {
            return Err(refused("memory.swappiness", "must be from 0 to 100"));
        }
    }
    for limit in &resources.hugepage_limits {
        let size = limit.page_size.as_str();
        let digits = size
            .trim_end_matches("KB")
            .trim_end_matches("MB")
            .trim_end_matches("GB");
        if digits.len() + 2 != size.len() || digits.parse::<u64>().is_err() {
            return Err(refused(
                "hugepageLimits.pageSize",
                format!("{size:?} is no size"),
            ));
        }
    }
    for name in resources.unified.keys() {
        if name.contains('/') || name.is_empty() || name.starts_with('.') {
            return Err(refused(
                "unified",
                format!("{name:?} is no file of a control group"),
            ));
        }
    }
    Ok(())
}
