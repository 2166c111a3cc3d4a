//! Checks of values while the line is parsed. Each returns the value in the
//! form in which it is sent.

use std::net::IpAddr;

use crate::grammar::values::parse_size;

/// `host:ip` or `host=ip`, IPv6 with or without brackets.
pub(crate) fn extra_host(value: &str) -> Result<String, String> {
    let bad = || format!("bad format for add-host: {value:?}");
    let (host, address) = value
        .split_once('=')
        .or_else(|| value.split_once(':'))
        .ok_or_else(bad)?;
    if host.is_empty() {
        return Err(bad());
    }
    if address == "host-gateway" {
        return Ok(format!("{host}:{address}"));
    }
    let bare = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(address);
    if bare.parse::<IpAddr>().is_err() {
        return Err(format!("invalid IP address in add-host: {address:?}"));
    }
    Ok(format!("{host}:{bare}"))
}

/// One of the three standard streams.
pub(crate) fn stream(value: &str) -> Result<String, String> {
    let lower = value.to_lowercase();
    match lower.as_str() {
        "stdin" | "stdout" | "stderr" => Ok(lower),
        _ => Err("valid streams are STDIN, STDOUT and STDERR".to_owned()),
    }
}

/// An IPv4 or IPv6 address.
pub(crate) fn address(value: &str) -> Result<String, String> {
    value
        .trim()
        .parse::<IpAddr>()
        .map(|address| address.to_string())
        .map_err(|_| format!("IP address is not correctly formatted: {value}"))
}

/// A domain; a single dot means none at all.
pub(crate) fn search_domain(value: &str) -> Result<String, String> {
    let domain = value.trim();
    if domain == "." {
        return Ok(domain.to_owned());
    }
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let bare = domain.strip_suffix('.').unwrap_or(domain);
    if bare.len() <= 255
        && bare.split('.').all(label)
        && bare.chars().any(|letter| letter.is_ascii_alphabetic())
    {
        Ok(domain.to_owned())
    } else {
        Err(format!("{value} is not a valid domain"))
    }
}

/// `NAME=value`, or `NAME` to take the client's own.
pub(crate) fn variable(value: &str) -> Result<String, String> {
    if value.is_empty() || value.starts_with('=') {
        return Err(format!("invalid environment variable: {value}"));
    }
    Ok(value.to_owned())
}

/// `key=value` or `key`.
pub(crate) fn label(value: &str) -> Result<String, String> {
    if value.is_empty() || value.starts_with('=') {
        return Err(format!("invalid label '{value}': empty name"));
    }
    Ok(value.to_owned())
}

/// `name[:alias]`.
pub(crate) fn link(value: &str) -> Result<String, String> {
    match value.split(':').count() {
        _ if value.is_empty() => Err("empty string specified for links".to_owned()),
        1 | 2 => Ok(value.to_owned()),
        _ => Err(format!("bad format for links: {value}")),
    }
}

/// A kernel parameter that a namespace has a copy of.
pub(crate) fn kernel_parameter(value: &str) -> Result<String, String> {
    const KNOWN: &[&str] = &[
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
    ];
    let allowed = value.split_once('=').is_some_and(|(name, _)| {
        KNOWN.contains(&name) || name.starts_with("net.") || name.starts_with("fs.mqueue.")
    });
    if allowed {
        Ok(value.to_owned())
    } else {
        Err(format!("sysctl '{value}' is not allowed"))
    }
}

/// `c 1:3 rwm`.
pub(crate) fn device_cgroup_rule(value: &str) -> Result<String, String> {
    let number = |text: &str| {
        text == "*" || (!text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()))
    };
    let mut parts = value.split(' ');
    let fits = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("a" | "b" | "c"), Some(numbers), Some(access), None) => {
            numbers
                .split_once(':')
                .is_some_and(|(major, minor)| number(major) && number(minor))
                && (1..=3).contains(&access.len())
                && access.chars().all(|letter| "rwm".contains(letter))
        }
        _ => false,
    };
    if fits {
        Ok(value.to_owned())
    } else {
        Err(format!("invalid device cgroup format '{value}'"))
    }
}

fn device_and_value(value: &str) -> Result<(&str, &str), String> {
    match value.split_once(':') {
        Some(("", _)) => Err(format!("bad format: {value}")),
        None => Err(format!("bad format: {value}")),
        Some((path, _)) if !path.starts_with("/dev/") => {
            Err(format!("bad format for device path: {value}"))
        }
        Some(pair) => Ok(pair),
    }
}

/// `/dev/sda:500`.
pub(crate) fn weight_device(value: &str) -> Result<String, String> {
    let (_, weight) = device_and_value(value)?;
    match weight.parse::<u16>() {
        Ok(0 | 10..=1000) => Ok(value.to_owned()),
        _ => Err(format!("invalid weight for device: {value}")),
    }
}

/// `/dev/sda:1mb`; the value becomes plain bytes.
pub(crate) fn throttle_bytes(value: &str) -> Result<String, String> {
    let (path, rate) = device_and_value(value)?;
    parse_size(rate).map(|rate| format!("{path}:{rate}")).map_err(|_| {
        format!(
            "invalid rate for device: {value}. The correct format is <device-path>:<number>[<unit>]. \
             Number must be a positive integer. Unit is optional and can be kb, mb, or gb"
        )
    })
}

/// `/dev/sda:1000`.
pub(crate) fn throttle_operations(value: &str) -> Result<String, String> {
    let (_, rate) = device_and_value(value)?;
    match rate.parse::<u64>() {
        Ok(_) => Ok(value.to_owned()),
        Err(_) => Err(format!(
            "invalid rate for device: {value}. The correct format is <device-path>:<number>. \
             Number must be a positive integer"
        )),
    }
}

/// `nofile=1024[:2048]`; the value always has both limits.
pub(crate) fn ulimit(value: &str) -> Result<String, String> {
    const KNOWN: &[&str] = &[
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    ];
    let invalid = || format!("invalid ulimit argument: {value}");
    let (name, limits) = value.split_once('=').ok_or_else(invalid)?;
    if !KNOWN.contains(&name) {
        return Err(format!("invalid ulimit type: {name}"));
    }
    let number = |text: &str| {
        text.parse::<i64>()
            .map_err(|_| format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))
    };
    let mut parts = limits.split(':');
    let soft = number(parts.next().unwrap_or_default())?;
    let hard = parts.next().map_or(Ok(soft), number)?;
    if parts.next().is_some() {
        return Err(format!(
            "too many limit value arguments - {limits}, can only have up to two, `soft[:hard]`"
        ));
    }
    if hard != -1 && soft == -1 {
        return Err(format!(
            "ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: {hard}"
        ));
    }
    if hard != -1 && soft > hard {
        return Err(format!(
            "ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}"
        ));
    }
    Ok(format!("{name}={soft}:{hard}"))
}
