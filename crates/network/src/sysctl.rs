//! The kernel settings that published ports and outbound traffic need.
//!
//! Read first and written only when they differ; /proc/sys/net shows the
//! calling thread's network namespace.

use std::fs;
use std::io;
use std::path::PathBuf;

/// A setting could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[error("set {} to 1", .path.display())]
pub struct Error {
    /// The setting's file.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub source: io::Error,
}

/// Lets the host forward IPv4 between interfaces. Returns whether that was off.
pub(crate) fn enable_forwarding() -> Result<bool, Error> {
    enable("/proc/sys/net/ipv4/ip_forward".into())
}

/// Lets packets between 127.0.0.0/8 and this interface pass, for ports published
/// on 127.0.0.1. The table's raw chain keeps containers from using it.
pub(crate) fn enable_loopback_routes(interface: &str) -> Result<bool, Error> {
    enable(format!("/proc/sys/net/ipv4/conf/{interface}/route_localnet").into())
}

fn enable(path: PathBuf) -> Result<bool, Error> {
    let change = || -> io::Result<bool> {
        if fs::read_to_string(&path)?.trim() == "1" {
            return Ok(false);
        }
        fs::write(&path, "1")?;
        Ok(true)
    };
    change().map_err(|source| Error {
        path: path.clone(),
        source,
    })
}
