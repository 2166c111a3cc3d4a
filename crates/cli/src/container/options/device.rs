//! `--device` and the limits of block devices.

use tare_engine_api::{DeviceMapping, DeviceRequest, ThrottleDevice, WeightDevice};

use super::OptionError;

/// What `--device` asks for.
pub(super) struct Devices {
    /// Device nodes of the host.
    pub(super) mappings: Vec<DeviceMapping>,
    /// Devices by CDI name.
    pub(super) requests: Vec<DeviceRequest>,
}

pub(super) fn parse(specifications: &[String]) -> Result<Devices, OptionError> {
    let mut mappings = Vec::new();
    let mut names = Vec::new();
    for text in specifications {
        if is_cdi_name(text) {
            names.push(text.clone());
        } else {
            mappings.push(mapping(text)?);
        }
    }
    let requests = if names.is_empty() {
        Vec::new()
    } else {
        vec![DeviceRequest {
            driver: "cdi".to_owned(),
            device_ids: Some(names),
            ..DeviceRequest::default()
        }]
    };
    Ok(Devices { mappings, requests })
}

/// `vendor.com/class=name`, as the Container Device Interface has it.
fn is_cdi_name(text: &str) -> bool {
    let Some((kind, name)) = text.split_once('=') else {
        return false;
    };
    let Some((vendor, class)) = kind.split_once('/') else {
        return false;
    };
    let word = |text: &str, extra: &str| {
        text.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && text
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || extra.contains(letter))
    };
    word(vendor, "_-.") && word(class, "_-.") && !name.is_empty()
}

fn mapping(text: &str) -> Result<DeviceMapping, OptionError> {
    let parts: Vec<&str> = text.split(':').collect();
    let (host, container, access) = match parts.as_slice() {
        [""] | ["", ..] => return Err(OptionError(format!("bad format for path: {text}"))),
        [path] => (*path, *path, "rwm"),
        [path, access] if is_access(access) => (*path, *path, *access),
        [host, container] => (*host, *container, "rwm"),
        [_, _, access] if !is_access(access) => {
            return Err(OptionError(format!("bad mode specified: {access}")));
        }
        [host, container, access] => (*host, *container, *access),
        _ => return Err(OptionError(format!("bad format for path: {text}"))),
    };
    if !container.starts_with('/') {
        return Err(OptionError(format!("{container} is not an absolute path")));
    }
    Ok(DeviceMapping {
        path_on_host: if host == container {
            clean(host)
        } else {
            host.to_owned()
        },
        path_in_container: clean(container),
        cgroup_permissions: access.to_owned(),
    })
}

/// Some of the letters r, w and m, each once.
fn is_access(text: &str) -> bool {
    !text.is_empty()
        && text.chars().enumerate().all(|(index, letter)| {
            "rwm".contains(letter) && !text.chars().take(index).any(|earlier| earlier == letter)
        })
}

/// The path without `.`, `..` and doubled slashes.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Checked `path:number` texts as weights.
pub(super) fn weights(texts: &[String]) -> Vec<WeightDevice> {
    pairs(texts)
        .map(|(path, weight)| WeightDevice { path, weight })
        .collect()
}

/// Checked `path:number` texts as limits.
pub(super) fn throttles(texts: &[String]) -> Vec<ThrottleDevice> {
    pairs(texts)
        .map(|(path, rate)| ThrottleDevice { path, rate })
        .collect()
}

fn pairs(texts: &[String]) -> impl Iterator<Item = (String, i64)> {
    texts.iter().filter_map(|text| {
        let (path, number) = text.split_once(':')?;
        Some((path.to_owned(), number.parse().ok()?))
    })
}
