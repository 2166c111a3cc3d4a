//! What the daemon decides for an engine at its start.

use std::net::IpAddr;
use std::path::PathBuf;

/// Settings of one engine. Several engines with different roots, bridges and
/// sockets may run on one host.
#[derive(Clone, Debug)]
pub struct Config {
    /// Persistent state: images, layers, containers, the database.
    pub data_root: PathBuf,
    /// State of running containers; gone after a reboot.
    pub exec_root: PathBuf,
    /// Name of the default bridge.
    pub bridge: String,
    /// Address and prefix of the default bridge, as `172.17.0.1/16`; chosen
    /// among Docker's pools when absent.
    pub bip: Option<ipnet::Ipv4Net>,
    /// Maximum transmission unit of container interfaces, in bytes; 1500 when
    /// absent.
    pub mtu: Option<u32>,
    /// Name servers for containers that name none (`dns` of `daemon.json`).
    pub dns: Vec<IpAddr>,
    /// Registries (`host[:port]` or CIDR) that may be spoken to without TLS.
    pub insecure_registries: Vec<String>,
    /// Mirrors for Docker Hub, as URLs, first tried first.
    pub registry_mirrors: Vec<String>,
    /// The executable that becomes a shim; normally `/proc/self/exe`.
    pub executable: PathBuf,
    /// Labels of the engine (`key=value`), shown by `info`.
    pub labels: Vec<String>,
    /// Whether the daemon logs debug messages, shown by `info`.
    pub debug: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_root: PathBuf::from("/var/lib/tare"),
            exec_root: PathBuf::from("/run/tare"),
            bridge: "tare0".to_owned(),
            bip: None,
            mtu: None,
            dns: Vec::new(),
            insecure_registries: Vec::new(),
            registry_mirrors: Vec::new(),
            executable: PathBuf::from("/proc/self/exe"),
            labels: Vec::new(),
            debug: false,
        }
    }
}
