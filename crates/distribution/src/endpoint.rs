//! Where a registry's name leads: its URLs, mirrors first, and how far TLS is
//! insisted on.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::Url;

use crate::config::Config;
use crate::error::Error;

/// The domain that names of Docker Hub are normalised to.
const HUB: &str = "docker.io";

/// Where Docker Hub's registry really is.
const HUB_REGISTRY: &str = "registry-1.docker.io";

/// One place that a repository can be fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// URLs without `/v2/`, in the order they are tried: TLS before plain HTTP.
    pub(crate) bases: Arc<[Url]>,
    /// Whether it is a mirror, which never sees credentials for the registry.
    pub(crate) mirror: bool,
}

/// The settings that say which registries are insecure and which have mirrors.
#[derive(Debug)]
pub(crate) struct Registries {
    insecure: Vec<Insecure>,
    mirrors: Vec<Url>,
}

#[derive(Debug, PartialEq, Eq)]
enum Insecure {
    Host(String),
    Network(IpNet),
}

impl Registries {
    /// Reads the settings.
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let insecure = config
            .insecure_registries
            .iter()
            .map(|value| insecure(value));
        let mirrors = config.registry_mirrors.iter().map(|value| mirror(value));
        Ok(Self {
            insecure: insecure.collect::<Result<_, _>>()?,
            mirrors: mirrors.collect::<Result<_, _>>()?,
        })
    }

    /// The endpoints of `domain`, first tried first. `strict` says of a host that
    /// the administrator has put authorities up for it.
    pub(crate) fn endpoints(
        &self,
        domain: &str,
        strict: impl Fn(&Url) -> bool,
    ) -> Result<Vec<Endpoint>, Error> {
        let mirrors = self
            .mirrors
            .iter()
            .filter(|_| domain == HUB)
            .map(|mirror| Endpoint {
                bases: Arc::new([mirror.clone()]),
                mirror: true,
            });
        let mut endpoints: Vec<Endpoint> = mirrors.collect();
        let host = if domain == HUB { HUB_REGISTRY } else { domain };
        let parse = |scheme: &str| {
            Url::parse(&format!("{scheme}://{host}")).map_err(|error| Error::Setting {
                setting: "registry",
                value: host.to_owned(),
                cause: error.to_string(),
            })
        };
        let secure = parse("https")?;
        let bases: Arc<[Url]> = if self.is_insecure(&secure) && !strict(&secure) {
            Arc::new([secure, parse("http")?])
        } else {
            Arc::new([secure])
        };
        endpoints.push(Endpoint {
            bases,
            mirror: false,
        });
        Ok(endpoints)
    }

    /// Whether plain HTTP, or TLS without proof, will do for this URL's host.
    pub(crate) fn is_insecure(&self, url: &Url) -> bool {
        if is_loopback(url) {
            return true;
        }
        self.insecure.iter().any(|insecure| match insecure {
            Insecure::Host(host) => *host == authority(url),
            Insecure::Network(network) => {
                address(url).is_some_and(|address| network.contains(&address))
            }
        })
    }
}

/// Whether the host is this machine: an address, or the name that always is one.
/// Other names that lead here are not looked up: whoever answers a look-up would
/// decide whether TLS is needed.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match address(url) {
        Some(address) => address.is_loopback(),
        None => url.host_str() == Some("localhost"),
    }
}

/// `host[:port]` as the user writes it: a default port that was not written stays
/// away.
pub(crate) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn address(url: &Url) -> Option<IpAddr> {
    url.host_str()?
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()
}

fn insecure(value: &str) -> Result<Insecure, Error> {
    let malformed = |cause: &str| Error::Setting {
        setting: "insecure-registries",
        value: value.to_owned(),
        cause: cause.to_owned(),
    };
    if value.contains("://") {
        return Err(malformed("must be host[:port] or CIDR, without a scheme"));
    }
    if let Ok(network) = value.parse() {
        return Ok(Insecure::Network(network));
    }
    let url = Url::parse(&format!("https://{value}"))
        .map_err(|_| malformed("is neither host[:port] nor CIDR"))?;
    if url.path() != "/" || url.query().is_some() || !url.username().is_empty() {
        return Err(malformed("must be host[:port] or CIDR"));
    }
    Ok(Insecure::Host(authority(&url)))
}

fn mirror(value: &str) -> Result<Url, Error> {
    let malformed = |cause: String| Error::Setting {
        setting: "registry-mirrors",
        value: value.to_owned(),
        cause,
    };
    let mut url = Url::parse(value).map_err(|error| malformed(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(malformed("the scheme must be http or https".to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(malformed(
            "a user name or password is not allowed here".to_owned(),
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(malformed(
            "a query or fragment is not allowed here".to_owned(),
        ));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests;
