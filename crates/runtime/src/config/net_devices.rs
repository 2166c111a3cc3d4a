//! `linux.netDevices`: interfaces moved into the container.

use tare_oci::runtime::{NamespaceKind, Spec};

use super::{Context, Error, has_own};

/// Longest name of an interface (`IFNAMSIZ`, less the terminating NUL).
const MAXIMUM_NAME: usize = 15;

pub(super) fn check(spec: &Spec, context: &Context<'_>) -> Result<(), Error> {
    let Some(linux) = spec
        .linux
        .as_ref()
        .filter(|linux| !linux.net_devices.is_empty())
    else {
        return Ok(());
    };
    let refuse = |reason: String| Err(Error::invalid("linux.netDevices", reason));
    if !has_own(spec, context, NamespaceKind::Network) {
        return refuse("needs a network namespace of the container's own".to_owned());
    }
    if context.rootless {
        return refuse("needs root privileges".to_owned());
    }
    let mut inside: Vec<&str> = Vec::new();
    for (name, device) in &linux.net_devices {
        if !is_name(name) {
            return refuse(format!("{name:?} is no name of an interface"));
        }
        let own = device
            .name
            .as_deref()
            .filter(|name| !name.is_empty())
            .unwrap_or(name);
        // One number for the kernel to choose (dev_alloc_name).
        let is_template = own.strip_suffix("%d").is_some_and(is_name);
        if !is_name(own) && !is_template {
            return Err(Error::invalid(
                format!("linux.netDevices.{name}.name"),
                format!("{own:?} is no name of an interface"),
            ));
        }
        if inside.contains(&own) && !is_template {
            return Err(Error::invalid(
                format!("linux.netDevices.{name}.name"),
                format!("{own:?} is the name of another interface as well"),
            ));
        }
        inside.push(own);
    }
    Ok(())
}

/// Whether the kernel takes a name as it is (`dev_valid_name`, without `%`).
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAXIMUM_NAME
        && !matches!(name, "." | "..")
        && !name.chars().any(|character| {
            "/:%".contains(character) || character.is_whitespace() || character.is_control()
        })
}
