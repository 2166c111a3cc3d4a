//! Published and exposed ports.

use std::collections::BTreeSet;
use std::net::IpAddr;

use tare_engine_api::{PortBinding, PortMap};

use super::OptionError;

/// Ports as the engine wants them.
#[derive(Debug, Default)]
pub(super) struct Ports {
    /// Every published or exposed port, as `80/tcp`.
    pub(super) exposed: BTreeSet<String>,
    /// The published ones with their host addresses.
    pub(super) bindings: PortMap,
}

pub(super) fn parse(publish: &[String], expose: &[String]) -> Result<Ports, OptionError> {
    let mut ports = Ports::default();
    for text in publish {
        let text = if text.contains('=') {
            from_pairs(text)?
        } else {
            text.clone()
        };
        publish_one(&text, &mut ports)?;
    }
    for text in expose {
        if text.contains(':') {
            return Err(OptionError(format!(
                "invalid port format for --expose: {text}"
            )));
        }
        let (range, protocol) = split_protocol(text);
        let (start, end) = port_range(range).map_err(|reason| {
            OptionError(format!(
                "invalid range format for --expose: {text}, error: {reason}"
            ))
        })?;
        check_protocol(protocol)?;
        ports
            .exposed
            .extend((start..=end).map(|port| format!("{port}/{}", protocol.to_lowercase())));
    }
    Ok(ports)
}

/// `published=80,target=8080,protocol=tcp`.
fn from_pairs(text: &str) -> Result<String, OptionError> {
    let (mut published, mut target, mut protocol) = ("", "", "");
    for pair in text.split(',') {
        match pair.split_once('=') {
            Some(("published", value)) => published = value,
            Some(("target", value)) => target = value,
            Some(("protocol", value)) => protocol = value,
            _ => {
                return Err(OptionError(format!(
                    "invalid publish opts format (should be name=value but got '{pair}')"
                )));
            }
        }
    }
    Ok(format!(
        "{published}:{target}/{}",
        if protocol.is_empty() { "tcp" } else { protocol }
    ))
}

fn publish_one(text: &str, ports: &mut Ports) -> Result<(), OptionError> {
    let (front, container) = text.rsplit_once(':').unwrap_or(("", text));
    let (address, host) = front.rsplit_once(':').unwrap_or(("", front));
    let (container, protocol) = split_protocol(container);
    let address = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(address);
    if !address.is_empty() && address.parse::<IpAddr>().is_err() {
        return Err(OptionError(format!("invalid IP address: {address}")));
    }
    if container.is_empty() {
        return Err(OptionError(format!("no port specified: {text}<empty>")));
    }
    let (start, end) = port_range(container)
        .map_err(|_| OptionError(format!("invalid containerPort: {container}")))?;
    let host_range = match host {
        "" => None,
        host => {
            Some(port_range(host).map_err(|_| OptionError(format!("invalid hostPort: {host}")))?)
        }
    };
    if let Some((host_start, host_end)) = host_range
        && host_end - host_start != end - start
        && start != end
    {
        return Err(OptionError(format!(
            "invalid ranges specified for container and host Ports: {container} and {host}"
        )));
    }
    check_protocol(protocol)?;
    for port in start..=end {
        let host_port = match host_range {
            None => String::new(),
            // The engine chooses one of the range for the single port.
            Some((host_start, host_end)) if start == end && host_start != host_end => {
                format!("{host_start}-{host_end}")
            }
            Some((host_start, _)) => (host_start + (port - start)).to_string(),
        };
        let name = format!("{port}/{}", protocol.to_lowercase());
        let binding = PortBinding {
            host_ip: address.to_owned(),
            host_port,
        };
        ports.exposed.insert(name.clone());
        ports
            .bindings
            .entry(name)
            .or_default()
            .get_or_insert_with(Vec::new)
            .push(binding);
    }
    Ok(())
}

fn split_protocol(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        Some((port, "")) => (port, "tcp"),
        Some(("", _)) => ("", ""),
        Some((port, protocol)) => (port, protocol),
        None => (text, "tcp"),
    }
}

fn check_protocol(protocol: &str) -> Result<(), OptionError> {
    if matches!(protocol.to_lowercase().as_str(), "tcp" | "udp" | "sctp") {
        return Ok(());
    }
    Err(OptionError(format!("invalid proto: {protocol}")))
}

fn port_range(text: &str) -> Result<(u16, u16), String> {
    let number = |part: &str| {
        part.parse::<u16>()
            .map_err(|_| format!("strconv.ParseUint: parsing {part:?}: invalid syntax"))
    };
    if text.is_empty() {
        return Err("empty string specified for ports".to_owned());
    }
    let (start, end) = match text.split_once('-') {
        Some((start, end)) => (number(start)?, number(end)?),
        None => (number(text)?, number(text)?),
    };
    if end < start {
        return Err(format!("invalid range specified for port: {text}"));
    }
    Ok((start, end))
}
