//! Where an engine listens: `unix:///run/tare/tare.sock`, `tcp://host:2375`.

use std::fmt;
use std::path::PathBuf;

/// A place to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A socket in the file system.
    Unix(PathBuf),
    /// Host name or address, and port.
    Tcp { host: String, port: u16 },
}

/// A host that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    /// Not an address at all.
    #[error("invalid host {0:?}: expected unix:///path or tcp://host:port")]
    Invalid(String),
    /// A way to connect that the client does not have yet.
    #[error("host {0:?}: {1}:// is not supported yet; use unix:// or tcp://")]
    Unsupported(String, String),
}

impl Address {
    /// Parses a value of `--host` as Docker does; without a scheme it is a
    /// TCP address.
    ///
    /// # Errors
    /// What is not an address, or not one the client can connect to.
    pub(crate) fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let invalid = || AddressError::Invalid(text.to_owned());
        let (scheme, rest) = text.split_once("://").unwrap_or(("tcp", text));
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Unix(PathBuf::from(rest))),
            "tcp" | "http" => {
                let rest = rest.trim_end_matches('/');
                if rest.contains('/') {
                    return Err(invalid());
                }
                let (host, port) = match rest.rsplit_once(':') {
                    Some((host, port)) if !port.ends_with(']') => {
                        (host, port.parse().map_err(|_| invalid())?)
                    }
                    _ => (rest, 2375),
                };
                let host = host.trim_start_matches('[').trim_end_matches(']');
                let host = if host.is_empty() { "localhost" } else { host };
                if port == 0 {
                    return Err(invalid());
                }
                Ok(Self::Tcp {
                    host: host.to_owned(),
                    port,
                })
            }
            "ssh" | "https" | "npipe" | "fd" => Err(AddressError::Unsupported(
                text.to_owned(),
                scheme.to_owned(),
            )),
            _ => Err(invalid()),
        }
    }

    /// The value of the `Host` header.
    pub(crate) fn host_header(&self) -> String {
        match self {
            Self::Unix(_) => "localhost".to_owned(),
            Self::Tcp { host, port } if host.contains(':') => format!("[{host}]:{port}"),
            Self::Tcp { host, port } => format!("{host}:{port}"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(formatter, "unix://{}", path.display()),
            Self::Tcp { .. } => write!(formatter, "tcp://{}", self.host_header()),
        }
    }
}
