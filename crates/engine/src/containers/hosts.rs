//! The files that name a container and its surroundings: `hosts`, `hostname`
//! and `resolv.conf`, written before each start into the container's directory
//! and bind-mounted from there.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use tare_network::files::{self, Hosts, Overrides};

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
            fs::write(&path, content)
                .map_err(|error| Error::from(error).context(path.display().to_string()))
        };
        write("hostname", &files::hostname(hostname))?;
        let extra = extra_hosts(record, self.inner.networks.gateway())?;
        let hosts = if on_host {
            let mut hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
            for (name, address) in &extra {
                hosts.push_str(&format!("{address}\t{name}\n"));
            }
            hosts
        } else {
            let addresses: Vec<_> = record
                .endpoint
                .iter()
                .map(|endpoint| IpAddr::from(endpoint.address))
                .collect();
            let domainname = &record.config.domainname;
            files::hosts(&Hosts {
                addresses: &addresses,
                hostname,
                domainname,
                extra: &extra,
            })
        };
        write("hosts", &hosts)?;
        write("resolv.conf", &self.resolv_conf(record, on_host))
    }

    /// The host's name servers, or those that the container or the daemon was
    /// given; on the host's own network its file as it is.
    fn resolv_conf(&self, record: &Record, on_host: bool) -> String {
        let host_file = fs::read_to_string(files::HOST_RESOLV_CONF).unwrap_or_default();
        let list = |given: &Option<Vec<String>>| given.clone().unwrap_or_default();
        let configuration = &record.host_config;
        let (mut servers, search, options) = (
            list(&configuration.dns),
            list(&configuration.dns_search),
            list(&configuration.dns_options),
        );
        if on_host && servers.is_empty() && search.is_empty() && options.is_empty() {
            return host_file;
        }
        if servers.is_empty() && !on_host {
            servers = self
                .inner
                .config
                .dns
                .iter()
                .map(ToString::to_string)
                .collect();
        }
        let host_file = if files::is_systemd_stub(&host_file) {
            fs::read_to_string(files::SYSTEMD_RESOLV_CONF).unwrap_or(host_file)
        } else {
            host_file
        };
        let overrides = Overrides {
            servers: &servers,
            search: &search,
            options: &options,
        };
        files::resolv_conf(&host_file, &overrides, false)
    }
}

/// `name:address` pairs; `host-gateway` stands for the bridge's own address.
pub(crate) fn extra_hosts(
    record: &Record,
    gateway: Option<IpAddr>,
) -> Result<Vec<(String, IpAddr)>> {
    let mut extra = Vec::new();
    for entry in record.host_config.extra_hosts.iter().flatten() {
        let invalid = || {
            Error::invalid(format!(
                "invalid extra host \"{entry}\": write it as name:address"
            ))
        };
        let (name, address) = entry.split_once([':', '=']).ok_or_else(invalid)?;
        let address = if address == "host-gateway" {
            gateway
                .ok_or_else(|| Error::invalid("unable to derive the IP value for host-gateway"))?
        } else {
            address
                .trim_matches(['[', ']'])
                .parse()
                .map_err(|_| invalid())?
        };
        if name.is_empty() {
            return Err(invalid());
        }
        extra.push((name.to_owned(), address));
    }
    Ok(extra)
}
