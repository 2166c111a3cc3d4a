//! What a container may do: capabilities, seccomp, labels.

use tare_engine_api::HostConfig;
use tare_oci::runtime::{Capabilities, Seccomp};
use tare_runtime::{capability, defaults};

use super::seccomp_profile;
use crate::error::{Error, Result};

/// The options of `--security-opt`, read.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) no_new_privileges: bool,
    pub(crate) apparmor: Option<String>,
    pub(crate) seccomp: SeccompChoice,
    /// `systempaths=unconfined`: nothing masked, nothing read-only.
    pub(crate) system_paths_unconfined: bool,
}

/// Which system call filter.
#[derive(Debug, Default)]
pub(crate) enum SeccompChoice {
    /// The engine's own.
    #[default]
    Default,
    /// None.
    Unconfined,
    /// The client's, as JSON in Docker's format.
    Profile(String),
}

/// Reads `--security-opt`; what is unknown is refused by name.
pub(crate) fn options(host_config: &HostConfig) -> Result<Options> {
    let mut options = Options::default();
    for option in host_config.security_opt.iter().flatten() {
        // Docker still takes the colon of old.
        let (key, value) = match option.split_once('=').or_else(|| option.split_once(':')) {
            Some((key, value)) => (key, value),
            None => (option.as_str(), ""),
        };
        match (key, value) {
            ("no-new-privileges", "" | "true") => options.no_new_privileges = true,
            ("no-new-privileges", "false") => options.no_new_privileges = false,
            ("seccomp", "unconfined") => options.seccomp = SeccompChoice::Unconfined,
            ("seccomp", "builtin") => options.seccomp = SeccompChoice::Default,
            ("seccomp", profile) if !profile.is_empty() => {
                options.seccomp = SeccompChoice::Profile(profile.to_owned())
            }
            ("apparmor", profile) if !profile.is_empty() => {
                options.apparmor = Some(profile.to_owned())
            }
            ("systempaths", "unconfined") => options.system_paths_unconfined = true,
            ("label", "disable") => {}
            ("label", _) => {
                return Err(Error::unsupported(format!(
                    "security option \"{option}\": SELinux labels are not supported by this engine yet"
                )));
            }
            _ => {
                return Err(Error::invalid(format!(
                    "invalid --security-opt 2: \"{option}\""
                )));
            }
        }
    }
    Ok(options)
}

/// The AppArmor profile asked for, shown by inspect.
pub(crate) fn apparmor_profile(host_config: &HostConfig) -> Option<String> {
    if host_config.privileged {
        return Some("unconfined".to_owned());
    }
    options(host_config).ok()?.apparmor
}

/// The capability sets: Docker's default ones, less and more as asked;
/// inheritable and ambient stay empty.
pub(crate) fn capabilities(host_config: &HostConfig) -> Result<Capabilities> {
    let names = granted(host_config)?;
    Ok(Capabilities {
        bounding: names.clone(),
        effective: names.clone(),
        permitted: names,
        inheritable: Vec::new(),
        ambient: Vec::new(),
    })
}

/// Names of the granted capabilities, `CAP_…`, in the kernel's order.
pub(crate) fn granted(host_config: &HostConfig) -> Result<Vec<String>> {
    let every = || capability::NAMES.iter().map(|name| (*name).to_owned());
    if host_config.privileged {
        return Ok(every().collect());
    }
    let add = normalise(host_config.cap_add.as_deref())?;
    let drop = normalise(host_config.cap_drop.as_deref())?;
    let is_default = |name: &String| defaults::CAPABILITIES.contains(&name.as_str());
    let all = "ALL".to_owned();
    Ok(every()
        .filter(|name| {
            let base = if add.contains(&all) {
                !drop.contains(name)
            } else if drop.contains(&all) {
                false
            } else {
                is_default(name) && !drop.contains(name)
            };
            base || add.contains(name)
        })
        .collect())
}

fn normalise(names: Option<&[String]>) -> Result<Vec<String>> {
    names
        .unwrap_or_default()
        .iter()
        .map(|name| {
            let upper = name.to_ascii_uppercase();
            if upper == "ALL" {
                return Ok(upper);
            }
            let full = if upper.starts_with("CAP_") {
                upper
            } else {
                format!("CAP_{upper}")
            };
            if capability::NAMES.contains(&full.as_str()) {
                return Ok(full);
            }
            Err(Error::invalid(format!("unknown capability: {full:?}")))
        })
        .collect()
}

/// The system call filter.
pub(crate) fn seccomp(
    host_config: &HostConfig,
    options: &Options,
    capabilities: &[String],
) -> Result<Option<Seccomp>> {
    if host_config.privileged {
        return Ok(None);
    }
    match &options.seccomp {
        SeccompChoice::Default => Ok(Some(defaults::seccomp(capabilities))),
        SeccompChoice::Unconfined => Ok(None),
        SeccompChoice::Profile(json) => seccomp_profile::parse(json, capabilities)
            .map(Some)
            .map_err(|error| {
                Error::invalid(format!(
                    "opening seccomp profile failed: decoding it failed: {error}"
                ))
            }),
    }
}

#[cfg(test)]
mod tests;
