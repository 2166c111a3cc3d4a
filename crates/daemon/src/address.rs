//! Addresses to listen at, as `-H` spells them.

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The socket that Docker's clients try when nobody tells them another.
pub(crate) const DOCKER_SOCKET: &str = "/var/run/docker.sock";

/// An address that is none.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum AddressError {
    /// It names no scheme that can be listened at.
    #[error("invalid bind address ({0}): use unix://PATH, tcp://HOST:PORT or fd://")]
    Scheme(String),
    /// A socket without a path, or one that is not absolute.
    #[error("invalid bind address ({0}): the socket's path must be absolute")]
    Path(String),
    /// A TCP address without a host or a port.
    #[error("invalid bind address ({0}): use tcp://HOST:PORT")]
    Port(String),
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A unix socket to make.
    Unix(PathBuf),
    /// Sockets inherited from systemd: all of them, or those of one name or
    /// number.
    Inherited(String),
    /// A host and port.
    Tcp(String),
}

impl Address {
    /// Reads `unix://PATH`, `fd://[NAME]`, `tcp://HOST:PORT` or a bare path.
    pub(crate) fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.starts_with('/') {
            return Ok(Self::Unix(text.into()));
        }
        match text.split_once("://") {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(("unix", _)) => Err(AddressError::Path(text.to_owned())),
            Some(("fd", name)) => Ok(Self::Inherited(name.trim_matches('*').to_owned())),
            Some(("tcp", address)) => {
                let address = address.trim_end_matches('/');
                match address.rsplit_once(':') {
                    Some(("", port)) if port.parse::<u16>().is_ok() => {
                        Ok(Self::Tcp(format!("127.0.0.1:{port}")))
                    }
                    Some((_, port)) if port.parse::<u16>().is_ok() => {
                        Ok(Self::Tcp(address.to_owned()))
                    }
                    _ => Err(AddressError::Port(text.to_owned())),
                }
            }
            _ => Err(AddressError::Scheme(text.to_owned())),
        }
    }

    /// Where an engine listens that was told nothing: its own socket, and
    /// Docker's.
    pub(crate) fn defaults(exec_root: &Path) -> Vec<Self> {
        vec![
            Self::Unix(exec_root.join("tare.sock")),
            Self::Unix(DOCKER_SOCKET.into()),
        ]
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(formatter, "unix://{}", path.display()),
            Self::Inherited(name) => write!(formatter, "fd://{name}"),
            Self::Tcp(address) => write!(formatter, "tcp://{address}"),
        }
    }
}

#[cfg(test)]
mod tests;
