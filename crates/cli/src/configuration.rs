//! Docker's client configuration, `~/.docker/config.json`: read, never
//! written, and only the keys that mean something here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The keys the client uses.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Configuration {
    /// Credentials by registry.
    pub(crate) auths: BTreeMap<String, Entry>,
    /// The credential helper for all registries.
    pub(crate) creds_store: Option<String>,
    /// Credential helpers by registry.
    pub(crate) cred_helpers: BTreeMap<String, String>,
    /// The keys that detach from a container.
    pub(crate) detach_keys: Option<String>,
    /// The format of `ps` when none is given.
    pub(crate) ps_format: Option<String>,
    /// The format of `images` when none is given.
    pub(crate) images_format: Option<String>,
    /// The format of `network ls` when none is given.
    pub(crate) networks_format: Option<String>,
}

/// One registry's stored credentials.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Entry {
    /// `user:password` in base 64.
    pub(crate) auth: Option<String>,
    /// User name, where it is not in `auth`.
    pub(crate) username: Option<String>,
    /// Password, where it is not in `auth`.
    pub(crate) password: Option<String>,
    /// A token that stands for both.
    pub(crate) identitytoken: Option<String>,
    /// A bearer token for the registry itself.
    pub(crate) registrytoken: Option<String>,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigurationError {
    /// The file is there and cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{} is not valid: {source}", path.display())]
    Parse {
        path: PathBuf,
        source: serde_json::Error,
    },
}

impl Configuration {
    /// Reads the file; one that is not there is empty.
    pub(crate) fn load(path: &Path) -> Result<Self, ConfigurationError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(source) => {
                return Err(ConfigurationError::Read {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        serde_json::from_slice(&bytes).map_err(|source| ConfigurationError::Parse {
            path: path.to_owned(),
            source,
        })
    }
}
