//! What the specification has and this runtime has not: refused by name,
//! because nothing is accepted and ignored. `features` says the same, from the
//! same list.

use tare_oci::runtime::Spec;

use super::Error;

/// A part of the specification that a runtime may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    /// `hooks`.
    Hooks,
    /// `uidMappings` and `gidMappings` of `mounts`.
    IdMappedMounts,
    /// `linux.uidMappings` and `linux.gidMappings`.
    UserNamespaces,
    /// `linux.netDevices`.
    NetDevices,
    /// `linux.intelRdt`.
    IntelRdt,
    /// `linux.memoryPolicy`.
    MemoryPolicy,
}

/// What is refused. An entry goes when the feature comes.
const MISSING: &[Feature] = &[];

/// Whether this runtime has a feature.
pub(crate) fn is_supported(feature: Feature) -> bool {
    !MISSING.contains(&feature)
}

/// Refuses a configuration that asks for what is missing.
pub(super) fn check(spec: &Spec) -> Result<(), Error> {
    let refuse = |feature: Feature, field: &str| {
        if is_supported(feature) {
            Ok(())
        } else {
            Err(Error::invalid(field, "is not supported yet"))
        }
    };
    if spec.hooks.as_ref().is_some_and(|hooks| !hooks.is_empty()) {
        refuse(Feature::Hooks, "hooks")?;
    }
    for (index, mount) in spec.mounts.iter().enumerate() {
        let option = |option: &String| matches!(option.as_str(), "idmap" | "ridmap");
        if !mount.uid_mappings.is_empty() || mount.options.iter().any(option) {
            refuse(
                Feature::IdMappedMounts,
                &format!("mounts[{index}].uidMappings"),
            )?;
        }
    }
    let Some(linux) = &spec.linux else {
        return Ok(());
    };
    if !linux.uid_mappings.is_empty() || !linux.gid_mappings.is_empty() {
        refuse(Feature::UserNamespaces, "linux.uidMappings")?;
    }
    if !linux.net_devices.is_empty() {
        refuse(Feature::NetDevices, "linux.netDevices")?;
    }
    if linux.intel_rdt.is_some() {
        refuse(Feature::IntelRdt, "linux.intelRdt")?;
    }
    if linux.memory_policy.is_some() {
        refuse(Feature::MemoryPolicy, "linux.memoryPolicy")?;
    }
    Ok(())
}
