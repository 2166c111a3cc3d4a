//! The daemon's configuration: the flags and `daemon.json` as one.
//!
//! The file has Docker's keys. A setting given in both places is an error, as
//! in dockerd, because neither place can be said to win.

mod file;

use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;
use tracing::Level;

use crate::address::{Address, AddressError};
use crate::options::Options;
use crate::tls::Files;

/// The configuration file that is read when it exists.
const DEFAULT_FILE: &str = "/etc/tare/daemon.json";

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("unable to configure the daemon with file {path}: {source}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    /// It is not JSON, or a value has the wrong type.
    #[error("unable to configure the daemon with file {path}: {source}")]
    Syntax {
        path: PathBuf,
        source: serde_json::Error,
    },
    /// It has keys that dockerd does not know either.
    #[error(
        "unable to configure the daemon with file {path}: the following directives don't match any configuration option: {keys}"
    )]
    UnknownKeys { path: PathBuf, keys: String },
    /// It has a key of dockerd's that would be ignored here.
    #[error(
        "unable to configure the daemon with file {path}: \"{key}\" is not supported by this engine"
    )]
    Unsupported { path: PathBuf, key: String },
    /// A setting is in both places.
    #[error(
        "unable to configure the daemon with file {path}: the following directives are specified both as a flag and in the configuration file: {keys}"
    )]
    Conflict { path: PathBuf, keys: String },
    /// An address to listen at.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A TCP address that anyone may use, without the second word.
    #[error(
        "refusing to listen at {0} without --tlsverify: whoever can connect would be root on this host; add --insecure-tcp if that is meant"
    )]
    UnprotectedTcp(String),
    /// The log level is none.
    #[error("invalid logging level: {0}")]
    LogLevel(String),
    /// A label without a value.
    #[error("bad attribute format: {0}: a label is key=value")]
    Label(String),
}

/// Everything the daemon is told at its start.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where to listen. Never empty.
    pub(crate) addresses: Vec<Address>,
    /// Whether nobody chose the addresses.
    pub(crate) default_addresses: bool,
    /// Where to write the process ID.
    pub(crate) pidfile: PathBuf,
    /// What TCP addresses speak TLS with, if they do.
    pub(crate) tls: Option<Files>,
    /// Whose socket it is, if a group was named.
    pub(crate) group: Option<String>,
    /// What to log.
    pub(crate) log_level: Level,
    /// How long to stay with nothing to do; for ever when absent.
    pub(crate) idle_timeout: Option<Duration>,
    /// The engine's part.
    pub(crate) engine: tare_engine::Config,
}

impl Config {
    /// Reads the configuration file, if there is one, and merges it in.
    pub(crate) fn load(options: Options) -> Result<Self, ConfigError> {
        let explicit = options.config_file.is_some();
        let path = options
            .config_file
            .clone()
            .unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !explicit => {
                b"{}".to_vec()
            }
            Err(source) => return Err(ConfigError::Read { path, source }),
        };
        Self::merge(options, &path, &text)
    }

    /// Merges the flags with the text of the file at `path`.
    fn merge(options: Options, path: &Path, text: &[u8]) -> Result<Self, ConfigError> {
        let file = file::parse(path, text)?;
        let mut conflicts = Vec::new();
        macro_rules! either {
            // A setting that is there or not.
            ($field:ident) => {{
                if options.$field.is_some() && file.$field.is_some() {
                    conflicts.push(stringify!($field).replace('_', "-"));
                }
                options.$field.clone().or_else(|| file.$field.clone())
            }};
            // A flag that is set or not.
            (flag $field:ident) => {{
                if options.$field && file.$field.is_some() {
                    conflicts.push(stringify!($field).to_owned());
                }
                options.$field || file.$field.unwrap_or_default()
            }};
            // A list, which both may have only if one of them is empty.
            (list $field:ident) => {{
                let from_file = file.$field.clone().unwrap_or_default();
                if !options.$field.is_empty() && !from_file.is_empty() {
                    conflicts.push(stringify!($field).replace('_', "-"));
                }
                if options.$field.is_empty() {
                    from_file
                } else {
                    options.$field.clone()
                }
            }};
        }
        let defaults = tare_engine::Config::default();
        let hosts = either!(list hosts);
        let exec_root = either!(exec_root).unwrap_or(defaults.exec_root);
        let pidfile = either!(pidfile).unwrap_or_else(|| exec_root.join("tare.pid"));
        let debug = either!(flag debug);
        let tlsverify = either!(flag tlsverify);
        let tls = either!(flag tls) || tlsverify;
        let tls_files = Files::new(
            tlsverify,
            either!(tlscacert),
            either!(tlscert),
            either!(tlskey),
        );
        let log_level = either!(log_level);
        let group = either!(group);
        let idle_timeout = either!(idle_timeout);
        let engine = tare_engine::Config {
            data_root: either!(data_root).unwrap_or(defaults.data_root),
            bridge: either!(bridge).unwrap_or(defaults.bridge),
            bip: either!(bip),
            mtu: either!(mtu),
            dns: either!(list dns),
            insecure_registries: either!(list insecure_registries),
            registry_mirrors: either!(list registry_mirrors),
            labels: either!(list labels),
            exec_root,
            executable: defaults.executable,
            debug,
        };
        if !conflicts.is_empty() {
            return Err(ConfigError::Conflict {
                path: path.to_owned(),
                keys: conflicts.join(", "),
            });
        }
        if let Some(label) = engine.labels.iter().find(|label| !label.contains('=')) {
            return Err(ConfigError::Label(label.clone()));
        }
        let default_addresses = hosts.is_empty();
        let addresses = if default_addresses {
            Address::defaults(&engine.exec_root)
        } else {
            hosts
                .iter()
                .map(|host| Address::parse(host))
                .collect::<Result<_, _>>()?
        };
        if let Some(tcp) = addresses
            .iter()
            .find(|address| matches!(address, Address::Tcp(_)))
            && !options.insecure_tcp
            && !tlsverify
        {
            return Err(ConfigError::UnprotectedTcp(tcp.to_string()));
        }
        Ok(Self {
            addresses,
            default_addresses,
            pidfile,
            tls: tls.then_some(tls_files),
            group,
            log_level: if debug {
                Level::DEBUG
            } else {
                level(log_level.as_deref().unwrap_or("info"))?
            },
            idle_timeout: idle_timeout.map(Duration::from_secs),
            engine,
        })
    }
}

/// A level in logrus's words.
fn level(word: &str) -> Result<Level, ConfigError> {
    match word.to_ascii_lowercase().as_str() {
        "trace" => Ok(Level::TRACE),
        "debug" => Ok(Level::DEBUG),
        "info" => Ok(Level::INFO),
        "warn" | "warning" => Ok(Level::WARN),
        "error" | "fatal" | "panic" => Ok(Level::ERROR),
        _ => Err(ConfigError::LogLevel(word.to_owned())),
    }
}

#[cfg(test)]
mod tests;
