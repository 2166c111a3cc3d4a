//! Docker's format of seccomp profiles: the runtime specification's, with rules
//! that depend on capabilities, architecture and kernel version.

use serde::Deserialize;
use tare_oci::runtime::{
    Seccomp, SeccompAction, SeccompArchitecture, SeccompArgument, SeccompFlag, SeccompSyscall,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    default_action: SeccompAction,
    default_errno_ret: Option<u32>,
    #[serde(default)]
    architectures: Option<Vec<SeccompArchitecture>>,
    #[serde(default)]
    arch_map: Option<Vec<ArchitectureMap>>,
    flags: Option<Vec<SeccompFlag>>,
    listener_path: Option<String>,
    listener_metadata: Option<String>,
    #[serde(default)]
    syscalls: Option<Vec<Rule>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArchitectureMap {
    architecture: SeccompArchitecture,
    #[serde(default)]
    sub_architectures: Option<Vec<SeccompArchitecture>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    names: Vec<String>,
    action: SeccompAction,
    errno_ret: Option<u32>,
    #[serde(default)]
    args: Option<Vec<SeccompArgument>>,
    #[serde(default)]
    includes: Option<Condition>,
    #[serde(default)]
    excludes: Option<Condition>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    caps: Option<Vec<String>>,
    arches: Option<Vec<String>>,
    min_kernel: Option<String>,
}

/// Reads a profile for a container with these capabilities on this host.
///
/// # Errors
/// With one line on what is wrong.
pub(crate) fn parse(json: &str, capabilities: &[String]) -> Result<Seccomp, String> {
    let profile: Profile = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let native = native_architecture();
    if profile.architectures.is_some() && profile.arch_map.is_some() {
        return Err("use either 'architectures' or 'archMap'".to_owned());
    }
    let architectures = match (profile.architectures, profile.arch_map) {
        (Some(architectures), _) => architectures,
        (None, Some(map)) => map
            .into_iter()
            .find(|entry| Some(entry.architecture) == native)
            .map(|entry| {
                let mut all = vec![entry.architecture];
                all.extend(entry.sub_architectures.unwrap_or_default());
                all
            })
            .unwrap_or_default(),
        (None, None) => Vec::new(),
    };
    let mut syscalls = Vec::new();
    for rule in profile.syscalls.unwrap_or_default() {
        if rule.name.is_some() && !rule.names.is_empty() {
            return Err("use either 'name' or 'names' in a rule".to_owned());
        }
        let included = match &rule.includes {
            Some(condition) => condition.all_hold(capabilities)?,
            None => true,
        };
        let excluded = match &rule.excludes {
            Some(condition) => condition.any_holds(capabilities)?,
            None => false,
        };
        if included && !excluded {
            let names = rule.name.map_or(rule.names, |name| vec![name]);
            syscalls.push(SeccompSyscall {
                names,
                action: rule.action,
                errno_ret: rule.errno_ret,
                args: rule.args.unwrap_or_default(),
            });
        }
    }
    Ok(Seccomp {
        default_action: profile.default_action,
        default_errno_ret: profile.default_errno_ret,
        architectures,
        flags: profile.flags,
        listener_path: profile.listener_path,
        listener_metadata: profile.listener_metadata,
        syscalls,
    })
}

impl Condition {
    fn all_hold(&self, capabilities: &[String]) -> Result<bool, String> {
        let caps = self
            .caps
            .iter()
            .flatten()
            .all(|name| capabilities.contains(name));
        let arches = self
            .arches
            .as_ref()
            .is_none_or(|arches| arches.is_empty() || is_here(arches));
        Ok(caps && arches && self.kernel_is_new_enough()?.unwrap_or(true))
    }

    fn any_holds(&self, capabilities: &[String]) -> Result<bool, String> {
        let caps = self
            .caps
            .iter()
            .flatten()
            .any(|name| capabilities.contains(name));
        let arches = self.arches.as_ref().is_some_and(|arches| is_here(arches));
        Ok(caps || arches || self.kernel_is_new_enough()?.unwrap_or(false))
    }

    fn kernel_is_new_enough(&self) -> Result<Option<bool>, String> {
        let Some(wanted) = self.min_kernel.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let release = rustix::system::uname()
            .release()
            .to_string_lossy()
            .into_owned();
        let wanted = version(wanted).ok_or_else(|| format!("invalid minKernel \"{wanted}\""))?;
        Ok(Some(
            version(&release).is_some_and(|release| release >= wanted),
        ))
    }
}

/// Major and minor number of a kernel release.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split(|letter: char| !letter.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn is_here(arches: &[String]) -> bool {
    arches
        .iter()
        .any(|arch| arch == crate::system::go_architecture())
}

fn native_architecture() -> Option<SeccompArchitecture> {
    match std::env::consts::ARCH {
        "x86_64" => Some(SeccompArchitecture::X86_64),
        "aarch64" => Some(SeccompArchitecture::Aarch64),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
