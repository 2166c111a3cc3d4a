//! HTTP clients, by what TLS has to prove.
//!
//! Reads `<directory>/<host>[:<port>]/` of the certificate directories when a host
//! is first spoken to. Connections are kept for a short while and never shared
//! between hosts with different certificates.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Certificate, ClientBuilder, Identity, Url};

use crate::config::Config;
use crate::endpoint::{Registries, authority, is_loopback};
use crate::error::Error;

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(15);

/// Makes and keeps the clients.
#[derive(Debug)]
pub(crate) struct Transport {
    registries: Registries,
    directories: Vec<PathBuf>,
    user_agent: String,
    connect: Duration,
    clients: Mutex<HashMap<Choice, reqwest::Client>>,
}

/// Which client a URL needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Choice {
    trust: Trust,
    /// Whether proxies of the environment are left alone, as for this machine.
    direct: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Trust {
    /// Plain HTTP.
    None,
    /// TLS that proves nothing, for an insecure registry.
    Unverified,
    /// The platform's authorities.
    Platform,
    /// The platform's and the files of these directories.
    Own(Vec<PathBuf>),
}

impl Transport {
    /// With no client yet.
    pub(crate) fn new(config: &Config, registries: Registries) -> Self {
        Self {
            registries,
            directories: config.certificate_directories.clone(),
            user_agent: config.user_agent.clone(),
            connect: config.patience.connect,
            clients: Mutex::new(HashMap::new()),
        }
    }

    /// The settings of registries.
    pub(crate) fn registries(&self) -> &Registries {
        &self.registries
    }

    /// Whether the administrator has put certificates up for the URL's host.
    pub(crate) fn has_certificates(&self, url: &Url) -> bool {
        !self.certificate_directories(url).is_empty()
    }

    /// The client for a URL.
    pub(crate) fn client(&self, url: &Url) -> Result<reqwest::Client, Error> {
        let choice = Choice {
            trust: self.trust(url),
            direct: is_loopback(url),
        };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&choice) {
            return Ok(client.clone());
        }
        let client = self.build(&choice)?;
        clients.insert(choice, client.clone());
        Ok(client)
    }

    fn trust(&self, url: &Url) -> Trust {
        if url.scheme() != "https" {
            return Trust::None;
        }
        let own = self.certificate_directories(url);
        if !own.is_empty() {
            Trust::Own(own)
        } else if self.registries.is_insecure(url) {
            Trust::Unverified
        } else {
            Trust::Platform
        }
    }

    fn certificate_directories(&self, url: &Url) -> Vec<PathBuf> {
        // A name with a slash or dots only cannot be a URL's host, so the path
        // stays within the directory.
        let name = authority(url);
        let candidates = self
            .directories
            .iter()
            .map(|directory| directory.join(&name));
        candidates.filter(|directory| directory.is_dir()).collect()
    }

    fn build(&self, choice: &Choice) -> Result<reqwest::Client, Error> {
        let mut builder = reqwest::Client::builder()
            .user_agent(&self.user_agent)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .http1_only()
            .connect_timeout(self.connect)
            .pool_idle_timeout(IDLE);
        if choice.direct {
            builder = builder.no_proxy();
        }
        builder = match &choice.trust {
            // Without this the platform's authorities would be read for nothing.
            Trust::None => builder.tls_certs_only([]),
            Trust::Unverified => builder.tls_danger_accept_invalid_certs(true),
            Trust::Platform => builder,
            Trust::Own(directories) => own(builder, directories)?,
        };
        builder.build().map_err(|error| Error::Tls {
            cause: innermost(&error),
        })
    }
}

/// Adds the authorities and the client certificate of `directories`.
fn own(mut builder: ClientBuilder, directories: &[PathBuf]) -> Result<ClientBuilder, Error> {
    let mut authorities = Vec::new();
    for directory in directories {
        let entries = std::fs::read_dir(directory).map_err(|error| unusable(directory, error))?;
        for entry in entries {
            let path = entry.map_err(|error| unusable(directory, error))?.path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => {
                    let found = Certificate::from_pem_bundle(&read(&path)?);
                    authorities.extend(found.map_err(|error| unusable(&path, innermost(&error)))?);
                }
                Some("cert") => {
                    let mut pem = read(&path)?;
                    let key = path.with_extension("key");
                    pem.push(b'\n');
                    pem.extend(read(&key)?);
                    let identity = Identity::from_pem(&pem);
                    builder = builder
                        .identity(identity.map_err(|error| unusable(&key, innermost(&error)))?);
                }
                _ => {}
            }
        }
    }
    Ok(builder.tls_certs_merge(authorities))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => unusable(path, "missing beside its certificate"),
        _ => unusable(path, error),
    })
}

fn unusable(path: &Path, cause: impl ToString) -> Error {
    Error::Certificate {
        path: path.to_owned(),
        cause: cause.to_string(),
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
