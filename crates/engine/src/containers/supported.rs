//! What of a create request this engine can do; the rest is refused by name.
//!
//! A field that is accepted must have an effect. So the request is looked at
//! field by field: one that is not listed here may only have the value that
//! means "not asked for".

use serde::Serialize;
use serde_json::Value;
use tare_engine_api::{ContainerConfig, HostConfig};

use crate::error::{Error, Result};

/// Fields of `HostConfig` that have their effect elsewhere in this crate.
const HOST_CONFIG: &[&str] = &[
    "AutoRemove",
    "Binds",
    "CapAdd",
    "CapDrop",
    "CgroupParent",
    "CgroupnsMode",
    "ConsoleSize",
    "ContainerIDFile",
    "CpuPeriod",
    "CpuQuota",
    "CpuShares",
    "CpusetCpus",
    "CpusetMems",
    "Devices",
    "Dns",
    "DnsOptions",
    "DnsSearch",
    "ExtraHosts",
    "GroupAdd",
    "Init",
    "IpcMode",
    "LogConfig",
    "MaskedPaths",
    "Memory",
    "MemoryReservation",
    "MemorySwap",
    "MemorySwappiness",
    "Mounts",
    "NanoCpus",
    "NetworkMode",
    "OomScoreAdj",
    "PidMode",
    "PidsLimit",
    "PortBindings",
    "Privileged",
    "PublishAllPorts",
    "ReadonlyPaths",
    "ReadonlyRootfs",
    "RestartPolicy",
    "Runtime",
    "SecurityOpt",
    "ShmSize",
    "Sysctls",
    "Tmpfs",
    "UTSMode",
    "Ulimits",
    "UsernsMode",
];

/// Fields of `Config` that have their effect elsewhere in this crate.
/// `Healthcheck`, `Volumes` and `OnBuild` may come from an image that was made
/// for another engine; asked for by a client they are refused.
const CONFIG: &[&str] = &[
    "ArgsEscaped",
    "AttachStderr",
    "AttachStdin",
    "AttachStdout",
    "Cmd",
    "Domainname",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Hostname",
    "Image",
    "Labels",
    "MacAddress",
    "NetworkDisabled",
    "OpenStdin",
    "Shell",
    "StdinOnce",
    "StopSignal",
    "StopTimeout",
    "Tty",
    "User",
    "WorkingDir",
];

/// Refuses what the engine cannot do, naming the first such field.
pub(crate) fn check(config: &ContainerConfig, host_config: &HostConfig) -> Result<()> {
    check_fields("Config", config, CONFIG)?;
    check_fields("HostConfig", host_config, HOST_CONFIG)?;
    let restart = host_config.restart_policy.name.as_str();
    if !matches!(restart, "" | "no") {
        return Err(Error::unsupported(format!(
            "restart policy \"{restart}\" is not supported by this engine yet: use \"no\""
        )));
    }
    for (field, value, allowed) in [
        ("Runtime", &host_config.runtime, &["", "tare"][..]),
        ("UsernsMode", &host_config.userns_mode, &["", "host"]),
        ("UTSMode", &host_config.uts_mode, &["", "host"]),
        ("PidMode", &host_config.pid_mode, &["", "host", "private"]),
        (
            "IpcMode",
            &host_config.ipc_mode,
            &["", "host", "private", "none", "shareable"],
        ),
        (
            "CgroupnsMode",
            &host_config.cgroupns_mode,
            &["", "host", "private"],
        ),
    ] {
        if !allowed.contains(&value.as_str()) {
            return Err(Error::unsupported(format!(
                "{field} \"{value}\" is not supported by this engine yet"
            )));
        }
    }
    if host_config.uts_mode == "host" && !config.hostname.is_empty() {
        return Err(Error::invalid(
            "conflicting options: hostname and the UTS mode",
        ));
    }
    Ok(())
}

fn check_fields(object: &str, value: &impl Serialize, supported: &[&str]) -> Result<()> {
    let Value::Object(fields) = serde_json::to_value(value).map_err(Error::internal)? else {
        return Ok(());
    };
    for (field, value) in fields {
        if !supported.contains(&field.as_str()) && is_asked_for(&value) {
            return Err(Error::unsupported(format!(
                "{object}.{field} is not supported by this engine yet: leave it out (it was {value})"
            )));
        }
    }
    Ok(())
}

/// Whether a value means anything: Go clients send every field's zero value.
fn is_asked_for(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => fields.values().any(is_asked_for),
    }
}

#[cfg(test)]
mod tests;
