//! Published ports: from what a client asks for to what the network makes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use tare_engine_api::{ContainerConfig, HostConfig, PortBinding as ApiBinding, PortMap};
use tare_network::{PortBinding, PortRequest, Protocol};

use crate::error::{Error, Result};

/// The ports that `host_config` publishes, as requests to the network.
pub(crate) fn requests(
    config: &ContainerConfig,
    host_config: &HostConfig,
) -> Result<Vec<PortRequest>> {
    let mut requests = Vec::new();
    for (port, bindings) in &host_config.port_bindings {
        let (container_port, protocol) = parse_port(port)?;
        for binding in bindings.iter().flatten() {
            let (host_port, host_port_end) = parse_host_ports(&binding.host_port)?;
            let host_ip = parse_host_ip(&binding.host_ip)?;
            requests.push(PortRequest {
                host_ip,
                host_port,
                host_port_end,
                container_port,
                protocol,
            });
        }
    }
    if host_config.publish_all_ports {
        for port in config.exposed_ports.keys() {
            let (container_port, protocol) = parse_port(port)?;
            let published = |request: &PortRequest| {
                request.container_port == container_port && request.protocol == protocol
            };
            if !requests.iter().any(published) {
                requests.push(PortRequest {
                    container_port,
                    protocol,
                    ..PortRequest::default()
                });
            }
        }
    }
    Ok(requests)
}

/// `NetworkSettings.Ports`: what is published, and with `null` what is only exposed.
pub(crate) fn port_map(config: &ContainerConfig, bound: &[PortBinding]) -> PortMap {
    let mut map: PortMap = config
        .exposed_ports
        .keys()
        .map(|port| (normalise(port), None))
        .collect();
    for binding in bound {
        let key = format!("{}/{}", binding.container_port, binding.protocol);
        map.entry(key)
            .or_default()
            .get_or_insert_default()
            .push(ApiBinding {
                host_ip: binding.host_ip.to_string(),
                host_port: binding.host_port.to_string(),
            });
    }
    map
}

/// Ports of a list: published ones first, exposed ones without a host side.
pub(crate) fn summary(
    config: &ContainerConfig,
    bound: &[PortBinding],
) -> Vec<tare_engine_api::Port> {
    let mut seen: BTreeMap<(u16, String), bool> = BTreeMap::new();
    let mut ports: Vec<_> = bound
        .iter()
        .map(|binding| {
            seen.insert((binding.container_port, binding.protocol.to_string()), true);
            tare_engine_api::Port {
                ip: binding.host_ip.to_string(),
                private_port: i64::from(binding.container_port),
                public_port: i64::from(binding.host_port),
                kind: binding.protocol.to_string(),
            }
        })
        .collect();
    for port in config.exposed_ports.keys() {
        let Ok((number, protocol)) = parse_port(port) else {
            continue;
        };
        if !seen.contains_key(&(number, protocol.to_string())) {
            ports.push(tare_engine_api::Port {
                private_port: i64::from(number),
                kind: protocol.to_string(),
                ..Default::default()
            });
        }
    }
    ports
}

/// `80/tcp` or `80`, which means TCP.
pub(crate) fn parse_port(text: &str) -> Result<(u16, Protocol)> {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = match protocol.to_ascii_lowercase().as_str() {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        "sctp" => Protocol::Sctp,
        _ => {
            return Err(Error::invalid(format!(
                "invalid port specification: \"{text}\": unknown protocol"
            )));
        }
    };
    match number.parse() {
        Ok(0) | Err(_) => Err(Error::invalid(format!(
            "invalid port specification: \"{text}\""
        ))),
        Ok(number) => Ok((number, protocol)),
    }
}

fn normalise(port: &str) -> String {
    if port.contains('/') {
        port.to_owned()
    } else {
        format!("{port}/tcp")
    }
}

fn parse_host_ip(text: &str) -> Result<Option<IpAddr>> {
    if text.is_empty() {
        return Ok(None);
    }
    text.trim_matches(['[', ']'])
        .parse()
        .map(Some)
        .map_err(|_| Error::invalid(format!("invalid IP address: {text}")))
}

/// One port, or the first and last of a range; 0 is for the engine to choose.
fn parse_host_ports(text: &str) -> Result<(u16, u16)> {
    if text.is_empty() {
        return Ok((0, 0));
    }
    let invalid = || {
        Error::invalid(format!(
            "invalid port specification: \"{text}\": write a port or first-last"
        ))
    };
    let (first, last) = text.split_once('-').unwrap_or((text, "0"));
    let (first, last) = (
        first.parse().map_err(|_| invalid())?,
        last.parse().map_err(|_| invalid())?,
    );
    if last != 0 && last < first {
        return Err(invalid());
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests;
