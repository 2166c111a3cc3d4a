//! `process`: program, environment, identity and limits.

use tare_oci::runtime::{Capabilities, Process, User};

use super::{Error, absolute, list, text};
use crate::resource_limit;

/// The largest terminal that the kernel can be told of.
const MAXIMUM_CONSOLE: u64 = u16::MAX as u64;

pub(super) fn check(process: &Process) -> Result<(), Error> {
    if process.args.is_empty() {
        return Err(Error::invalid("process.args", "must not be empty"));
    }
    for (index, argument) in process.args.iter().enumerate() {
        text(&format!("process.args[{index}]"), argument)?;
    }
    for (index, variable) in process.env.iter().enumerate() {
        check_variable(|| format!("process.env[{index}]"), variable)?;
    }
    absolute("process.cwd", &process.cwd)?;
    if let Some(size) = &process.console_size {
        for (field, value) in [("height", size.height), ("width", size.width)] {
            if value > MAXIMUM_CONSOLE {
                return Err(Error::invalid(
                    format!("process.consoleSize.{field}"),
                    format!("{value} is above {MAXIMUM_CONSOLE}"),
                ));
            }
        }
    }
    check_user(&process.user)?;
    if let Some(umask) = process.user.umask
        && umask > 0o777
    {
        return Err(Error::invalid(
            "process.user.umask",
            format!("{umask} is above 511 (octal 777)"),
        ));
    }
    if let Some(capabilities) = &process.capabilities {
        check_capabilities(capabilities)?;
    }
    check_limits(process)?;
    if let Some(adjustment) = process.oom_score_adj
        && !(-1000..=1000).contains(&adjustment)
    {
        return Err(Error::invalid(
            "process.oomScoreAdj",
            format!("{adjustment} is not between -1000 and 1000"),
        ));
    }
    for (field, label) in [
        ("process.apparmorProfile", &process.apparmor_profile),
        ("process.selinuxLabel", &process.selinux_label),
    ] {
        text(field, label.as_deref().unwrap_or_default())?;
    }
    if let Some(affinity) = &process.exec_cpu_affinity {
        for (field, cpus) in [("initial", &affinity.initial), ("final", &affinity.last)] {
            if let Some(cpus) = cpus.as_deref().filter(|cpus| !cpus.is_empty()) {
                list(&format!("process.execCPUAffinity.{field}"), cpus)?;
            }
        }
    }
    Ok(())
}

/// The largest number means "as it is" to the kernel (setresuid(2)), which is
/// root.
fn check_user(user: &User) -> Result<(), Error> {
    let named = [
        ("process.user.uid", user.uid),
        ("process.user.gid", user.gid),
    ];
    for (field, id) in named {
        if id == u32::MAX {
            return Err(Error::invalid(field, format!("{id} is no ID")));
        }
    }
    for (index, id) in user.additional_gids.iter().enumerate() {
        if *id == u32::MAX {
            return Err(Error::invalid(
                format!("process.user.additionalGids[{index}]"),
                format!("{id} is no ID"),
            ));
        }
    }
    Ok(())
}

/// A variable is NAME=value. What has no name, or no value, could not be told
/// apart by the program (environ(7)); runc refuses it as well.
pub(super) fn check_variable(field: impl Fn() -> String, variable: &str) -> Result<(), Error> {
    let refuse = |reason: &str| Err(Error::invalid(field(), reason));
    match variable.split_once('=') {
        _ if variable.contains('\0') => refuse("holds a NUL byte"),
        None => refuse(&format!("{variable:?} has no '='")),
        Some(("", _)) => refuse(&format!("{variable:?} has no name before its '='")),
        Some(_) => Ok(()),
    }
}

/// An unknown name is a warning only, since 1.1 of the specification; but what
/// is not even a name is a mistake.
fn check_capabilities(capabilities: &Capabilities) -> Result<(), Error> {
    for (field, names) in [
        ("bounding", &capabilities.bounding),
        ("effective", &capabilities.effective),
        ("inheritable", &capabilities.inheritable),
        ("permitted", &capabilities.permitted),
        ("ambient", &capabilities.ambient),
    ] {
        for (index, name) in names.iter().enumerate() {
            if name.is_empty() {
                return Err(Error::invalid(
                    format!("process.capabilities.{field}[{index}]"),
                    "is empty",
                ));
            }
        }
    }
    Ok(())
}

fn check_limits(process: &Process) -> Result<(), Error> {
    for (index, limit) in process.rlimits.iter().enumerate() {
        let field = |name: &str| format!("process.rlimits[{index}].{name}");
        if resource_limit::resource(&limit.kind).is_none() {
            return Err(Error::invalid(
                field("type"),
                format!("{}: no such limit", limit.kind),
            ));
        }
        // "If rlimits contains duplicated entries with same type, the runtime
        // MUST generate an error."
        let before = &process.rlimits[..index];
        if before.iter().any(|other| other.kind == limit.kind) {
            return Err(Error::invalid(
                field("type"),
                format!("{} is listed twice", limit.kind),
            ));
        }
        if limit.soft > limit.hard {
            return Err(Error::invalid(
                field("soft"),
                format!(
                    "{}: the soft limit {} is above the hard limit {}",
                    limit.kind, limit.soft, limit.hard
                ),
            ));
        }
    }
    Ok(())
}
