//! What every command works with: the engine's address, the connection to
//! it, the configuration directory, and the screen.
//!
//! It is built once from the global flags and the environment; commands
//! read neither themselves.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::autostart;
use crate::client::{Address, AddressError, Client, ClientError, parse_version};
use crate::configuration::Configuration;
use crate::each::tell;
use crate::failure::Failure;

/// Where an engine listens unless it is told otherwise.
pub(crate) const DEFAULT_SOCKET: &str = "/run/tare/tare.sock";

/// The part of the environment that the client reads.
#[derive(Default)]
pub(crate) struct Environment {
    /// `TARE_HOST`.
    pub(crate) tare_host: Option<String>,
    /// `DOCKER_HOST`.
    pub(crate) docker_host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub(crate) docker_context: Option<String>,
    /// `DOCKER_API_VERSION`.
    pub(crate) api_version: Option<String>,
    /// `DOCKER_CONFIG`.
    pub(crate) config: Option<OsString>,
    /// `DOCKER_DEFAULT_PLATFORM`.
    pub(crate) platform: Option<String>,
    /// `DOCKER_TLS_VERIFY` is set.
    pub(crate) tls_verify: bool,
    /// `HOME`.
    pub(crate) home: Option<OsString>,
}

impl Environment {
    /// Reads the process's environment.
    pub(crate) fn read() -> Self {
        let text = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            tare_host: text("TARE_HOST"),
            docker_host: text("DOCKER_HOST"),
            docker_context: text("DOCKER_CONTEXT"),
            api_version: text("DOCKER_API_VERSION"),
            config: std::env::var_os("DOCKER_CONFIG").filter(|value| !value.is_empty()),
            platform: text("DOCKER_DEFAULT_PLATFORM"),
            tls_verify: text("DOCKER_TLS_VERIFY").is_some(),
            home: std::env::var_os("HOME").filter(|value| !value.is_empty()),
        }
    }
}

/// The global flags.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Global {
    /// `--host`.
    pub(crate) host: Option<String>,
    /// `--context`.
    pub(crate) context: Option<String>,
    /// `--config`.
    pub(crate) config: Option<String>,
    /// `--debug` or `--log-level debug`.
    pub(crate) debug: bool,
}

/// Why there is no engine to talk to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostError {
    /// A host that is not one.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Named contexts come later.
    #[error("context {0:?}: contexts are not supported yet; name the engine with --host")]
    Context(String),
    /// TLS comes later.
    #[error("TLS is not supported yet: unset DOCKER_TLS_VERIFY or name a unix socket with --host")]
    Tls,
    /// Not `1.NN`.
    #[error("invalid DOCKER_API_VERSION {0:?}: expected a version such as 1.50")]
    ApiVersion(String),
}

/// The composition root of the client.
pub(crate) struct Context {
    client: Client,
    /// The address comes from nowhere but our default, so that an engine may
    /// be started there.
    default_address: bool,
    prepared: Cell<bool>,
    configuration_directory: PathBuf,
    /// The platform used where no `--platform` is given.
    pub(crate) default_platform: Option<String>,
    /// Say more on standard error.
    pub(crate) debug: bool,
}

impl Context {
    /// Resolves the global flags against the environment.
    ///
    /// # Errors
    /// A host, context or version that cannot be used.
    pub(crate) fn new(global: Global, environment: Environment) -> Result<Self, HostError> {
        let (address, default_address) = resolve_host(&global, &environment)?;
        let version = match environment.api_version {
            None => None,
            Some(text) => match parse_version(text.trim_start_matches('v')) {
                Some(version) => Some(version),
                None => return Err(HostError::ApiVersion(text)),
            },
        };
        let configuration_directory = match (global.config, environment.config) {
            (Some(directory), _) => PathBuf::from(directory),
            (None, Some(directory)) => PathBuf::from(directory),
            (None, None) => {
                PathBuf::from(environment.home.unwrap_or_else(|| "/".into())).join(".docker")
            }
        };
        Ok(Self {
            client: Client::new(address, version),
            default_address,
            prepared: Cell::new(false),
            configuration_directory,
            default_platform: environment.platform,
            debug: global.debug,
        })
    }

    /// The client, with an engine behind it: on the default socket one is
    /// started when none answers.
    ///
    /// # Errors
    /// When none answers and none can be started.
    pub(crate) fn client(&self) -> Result<&Client, Failure> {
        if self.default_address && !self.prepared.replace(true) {
            match self.client.connect() {
                Ok(connection) => self.client.adopt(connection),
                Err(ClientError::Unreachable { .. }) => {
                    let connection =
                        autostart::start(self.client.address(), Path::new("/run/tare"))?;
                    self.client.adopt(connection);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(&self.client)
    }

    /// The API version in use, as `1.51`.
    pub(crate) fn api_version(&self) -> String {
        self.client.version()
    }

    /// Docker's configuration file of this user; absent means empty. One that
    /// cannot be used is warned about, as it may be another user's.
    pub(crate) fn configuration(&self) -> Configuration {
        Configuration::load(&self.configuration_directory.join("config.json")).unwrap_or_else(
            |error| {
                tell(&format!("WARNING: {error}"));
                Configuration::default()
            },
        )
    }
}

fn resolve_host(global: &Global, environment: &Environment) -> Result<(Address, bool), HostError> {
    if let Some(context) = &global.context
        && context != "default"
    {
        return Err(HostError::Context(context.clone()));
    }
    let named = global.host.as_ref().or(match global.context {
        Some(_) => None,
        None => environment
            .tare_host
            .as_ref()
            .or(environment.docker_host.as_ref()),
    });
    if let Some(host) = named {
        let address = Address::parse(host)?;
        if environment.tls_verify && matches!(address, Address::Tcp { .. }) {
            return Err(HostError::Tls);
        }
        return Ok((address, false));
    }
    match &environment.docker_context {
        Some(context) if global.context.is_none() && context != "default" => {
            Err(HostError::Context(context.clone()))
        }
        _ => Ok((Address::Unix(DEFAULT_SOCKET.into()), true)),
    }
}

/// The width to lay text out in.
pub(crate) fn screen_width() -> usize {
    if !std::io::stdout().is_terminal() {
        return 80;
    }
    match rustix::termios::tcgetwinsize(std::io::stdout()) {
        Ok(size) if size.ws_col > 0 => usize::from(size.ws_col),
        _ => 80,
    }
}

#[cfg(test)]
mod tests;
