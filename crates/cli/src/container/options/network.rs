//! `--network` in its short and long form, and the flags that describe the
//! container's end in its first network.

use std::collections::BTreeMap;

use tare_engine_api::{EndpointIpamConfig, EndpointSettings};

use super::OptionError;
use super::mount::csv_fields;
use crate::grammar::Matches;
use crate::grammar::values::integer;

/// The networks as the engine wants them.
pub(super) struct Networks {
    /// The first network, or `default`.
    pub(super) mode: String,
    /// The container's end in each.
    pub(super) endpoints: BTreeMap<String, EndpointSettings>,
}

/// One `--network`.
#[derive(Debug, Default)]
struct Attachment {
    target: String,
    aliases: Vec<String>,
    links: Vec<String>,
    driver_options: BTreeMap<String, String>,
    ipv4: String,
    ipv6: String,
    link_local: Vec<String>,
    mac: String,
    gateway_priority: i64,
}

/// Checks one value while the line is parsed.
pub(crate) fn check(value: &str) -> Result<String, String> {
    parse_one(value).map(|_| value.to_owned())
}

fn parse_one(value: &str) -> Result<Attachment, String> {
    let mut attachment = Attachment::default();
    // The long form is a list of pairs; a name alone is the short one.
    let long = value
        .split_once('=')
        .is_some_and(|(key, rest)| !key.is_empty() && !rest.is_empty());
    if !long {
        attachment.target = value.to_owned();
        return Ok(attachment);
    }
    for field in csv_fields(value)? {
        let (key, text) = field
            .split_once('=')
            .ok_or_else(|| format!("invalid field {field}"))?;
        let (key, text) = (key.trim().to_lowercase(), text.trim());
        match key.as_str() {
            "name" => attachment.target = text.to_owned(),
            "alias" => attachment.aliases.push(text.to_owned()),
            "ip" => attachment.ipv4 = text.to_owned(),
            "ip6" => attachment.ipv6 = text.to_owned(),
            "link-local-ip" => attachment.link_local.push(text.to_owned()),
            "mac-address" => attachment.mac = text.to_owned(),
            "driver-opt" => {
                let (name, option) = text
                    .split_once('=')
                    .ok_or_else(|| "invalid key value pair format in driver options".to_owned())?;
                attachment
                    .driver_options
                    .insert(name.trim().to_lowercase(), option.trim().to_lowercase());
            }
            "gw-priority" => {
                let number = integer(text).map_err(|_| format!("invalid gw-priority: {text}"))?;
                attachment.gateway_priority = number.parse().unwrap_or_default();
            }
            _ => return Err(format!("invalid field key {key}")),
        }
    }
    if attachment.target.is_empty() {
        return Err("network name/id is not specified".to_owned());
    }
    Ok(attachment)
}

pub(super) fn parse(matches: &Matches<'_>) -> Result<Networks, OptionError> {
    let mut attachments = Vec::new();
    for value in matches.list("network") {
        attachments.push(parse_one(&value).map_err(OptionError)?);
    }
    let mode = attachments
        .first()
        .map_or_else(|| "default".to_owned(), |first| first.target.clone());
    if attachments.is_empty() {
        attachments.push(Attachment {
            target: "default".to_owned(),
            ..Attachment::default()
        });
    }
    let user_defined = attachments
        .iter()
        .filter(|attachment| is_user_defined(&attachment.target))
        .count();
    if let Some(first) = attachments.first_mut() {
        apply_flags(first, matches)?;
    }
    let only_one_named = matches.list("network").len() == 1;
    let mut endpoints = BTreeMap::new();
    let total = attachments.len();
    for attachment in attachments {
        let target = attachment.target.clone();
        let endpoint = endpoint(attachment)?;
        if endpoints.contains_key(&target) {
            return Err(OptionError(format!(
                "network {target:?} is specified multiple times"
            )));
        }
        // Nothing but a name: the engine makes the endpoint by itself.
        if only_one_named && endpoint == EndpointSettings::default() {
            continue;
        }
        endpoints.insert(target, endpoint);
    }
    if user_defined > 0 && user_defined < total {
        return Err(OptionError::new(
            "conflicting options: cannot attach both user-defined and non-user-defined network-modes",
        ));
    }
    Ok(Networks { mode, endpoints })
}

/// Fills in what the flags without a network say about the first one.
fn apply_flags(first: &mut Attachment, matches: &Matches<'_>) -> Result<(), OptionError> {
    let conflict = |flag: &str, what: &str| {
        Err(OptionError(format!(
            "conflicting options: cannot specify both --{flag} and per-network {what}"
        )))
    };
    let aliases = matches.list("network-alias");
    let links = matches.list("link");
    let link_local = matches.list("link-local-ip");
    let text = |flag| {
        matches
            .text(flag)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
    };
    if !aliases.is_empty() {
        if !first.aliases.is_empty() {
            return conflict("network-alias", "alias");
        }
        first.aliases = aliases;
    }
    if !links.is_empty() && is_user_defined(&first.target) {
        first.links = links;
    }
    if let Some(address) = text("ip") {
        if !first.ipv4.is_empty() {
            return conflict("ip", "IPv4 address");
        }
        first.ipv4 = address;
    }
    if let Some(address) = text("ip6") {
        if !first.ipv6.is_empty() {
            return conflict("ip6", "IPv6 address");
        }
        first.ipv6 = address;
    }
    if let Some(address) = text("mac-address") {
        if !first.mac.is_empty() {
            return conflict("mac-address", "MAC address");
        }
        first.mac = address;
    }
    if !link_local.is_empty() {
        if !first.link_local.is_empty() {
            return conflict("link-local-ip", "link-local IP addresses");
        }
        first.link_local = link_local;
    }
    Ok(())
}

fn endpoint(attachment: Attachment) -> Result<EndpointSettings, OptionError> {
    if attachment.target.trim().is_empty() {
        return Err(OptionError::new("no name set for network"));
    }
    if !is_user_defined(&attachment.target) && !attachment.aliases.is_empty() {
        return Err(OptionError::new(
            "network-scoped aliases are only supported for user-defined networks",
        ));
    }
    if !attachment.mac.is_empty() && !is_mac(attachment.mac.trim()) {
        return Err(OptionError(format!(
            "{} is not a valid mac address",
            attachment.mac
        )));
    }
    let ipam = EndpointIpamConfig {
        ipv4_address: attachment.ipv4,
        ipv6_address: attachment.ipv6,
        link_local_ips: attachment.link_local,
    };
    Ok(EndpointSettings {
        ipam_config: (ipam != EndpointIpamConfig::default()).then_some(ipam),
        links: super::some_list(attachment.links),
        aliases: super::some_list(attachment.aliases),
        mac_address: attachment.mac,
        driver_opts: (!attachment.driver_options.is_empty()).then_some(attachment.driver_options),
        gw_priority: attachment.gateway_priority,
        ..EndpointSettings::default()
    })
}

/// Not one of the modes that every engine has.
fn is_user_defined(target: &str) -> bool {
    !matches!(target, "default" | "bridge" | "host" | "none" | "")
        && !target.starts_with("container:")
}

fn is_mac(text: &str) -> bool {
    [':', '-'].iter().any(|separator| {
        let parts: Vec<&str> = text.split(*separator).collect();
        parts.len() == 6
            && parts
                .iter()
                .all(|part| part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit()))
    })
}
