//! The files that name a container and its surroundings: `hosts`, `hostname`
//! and `resolv.conf`, written before each start into the container's directory
//! and bind-mounted from there.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use tare_network::files;

use super::Record;
use crate::engine::Engine;
use crate::error::{Error, Result};

impl Engine {
    /// Writes the three files.
    pub(crate) fn write_host_files(&self, record: &Record, directory: &Path) -> Result<()> {
        let hostname = &record.config.hostname;
        let on_host = record.host_config.network_mode == "host";
        let write = |name: &str, content: &str| {
            let path = directory.join(name);
            fs::write(&path, content).map_err(|error| Error::from(error).context(path.display().to_string()))
        };
        write("hostname", &format!("{hostname}\n"))?;
        let extra = extra_hosts(record, self.inner.networks.gateway())?;
        let hosts = if on_host {
            let mut hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
            for (name, address) in &extra {
                hosts.push_str(&format!("{address}\t{name}\n"));
            }
            hosts
        } else {
            let address = record.endpoint.as_ref().map(|endpoint| IpAddr::from(endpoint.address));
            let full = if record.config.domainname.is_empty() {
                hostname.clone()
            } else {
                format!("{hostname}.{} {hostname}", record.config.domainname)
            };
            files::hosts(address, &full, &extra)
        };
        write("hosts", &hosts)?;
        let host_resolv_conf = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        let configuration = &record.host_config;
        let mut dns = Vec::new();
        for server in configuration.dns.iter().flatten() {
            dns.push(server.parse().map_err(|_| Error::invalid(format!("invalid DNS address: {server}")))?);
        }
        if dns.is_empty() && !on_host {
            dns.clone_from(&self.inner.config.dns);
        }
        let search = configuration.dns_search.clone().unwrap_or_default();
        let options = configuration.dns_options.clone().unwrap_or_default();
        let resolv_conf = if on_host && dns.is_empty() && search.is_empty() && options.is_empty() {
            host_resolv_conf
        } else {
            files::resolv_conf(&host_resolv_conf, &dns, &search, &options)
        };
        write("resolv.conf", &resolv_conf)
    }
}

/// `name:address` pairs; `host-gateway` stands for the bridge's own address.
pub(crate) fn extra_hosts(record: &Record, gateway: Option<IpAddr>) -> Result<Vec<(String, IpAddr)>> {
    let mut extra = Vec::new();
    for entry in record.host_config.extra_hosts.iter().flatten() {
        let invalid = || Error::invalid(format!("invalid extra host \"{entry}\": write it as name:address"));
        let (name, address) = entry.split_once([':', '=']).ok_or_else(invalid)?;
        let address = if address == "host-gateway" {
            gateway.ok_or_else(|| Error::invalid("unable to derive the IP value for host-gateway"))?
        } else {
            address.trim_matches(['[', ']']).parse().map_err(|_| invalid())?
        };
        if name.is_empty() {
            return Err(invalid());
        }
        extra.push((name.to_owned(), address));
    }
    Ok(extra)
}
