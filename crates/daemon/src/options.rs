//! The command line: dockerd's flags, and a few of ours.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{ArgAction, Parser};

/// The flags as they were given; [`crate::config`] merges them with the file.
#[derive(Debug, Default, Parser)]
#[command(
    name = "tared",
    bin_name = "tare daemon",
    about = "The container engine: it listens for clients and looks after containers, images and networks.",
    disable_version_flag = true
)]
pub(crate) struct Options {
    /// Where to listen: unix://PATH, tcp://HOST:PORT, fd:// for systemd's sockets; repeatable
    #[arg(short = 'H', long = "host", value_name = "ADDRESS")]
    pub(crate) hosts: Vec<String>,
    /// Directory of persistent state [default: /var/lib/tare]
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) data_root: Option<PathBuf>,
    /// Directory of the state of running containers [default: /run/tare]
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) exec_root: Option<PathBuf>,
    /// File to write the process ID to [default: <exec root>/tare.pid]
    #[arg(short = 'p', long, value_name = "FILE")]
    pub(crate) pidfile: Option<PathBuf>,
    /// Name of the default network's bridge [default: tare0]
    #[arg(short = 'b', long, value_name = "NAME")]
    pub(crate) bridge: Option<String>,
    /// Address and prefix length of the default network's bridge
    #[arg(long, value_name = "ADDRESS/BITS")]
    pub(crate) bip: Option<ipnet::Ipv4Net>,
    /// Maximum transmission unit of containers' interfaces, in bytes [default: 1500]
    #[arg(long, value_name = "BYTES")]
    pub(crate) mtu: Option<u32>,
    /// Name server of containers that name none; repeatable
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) dns: Vec<IpAddr>,
    /// Configuration file [default: /etc/tare/daemon.json, if it exists]
    #[arg(long, value_name = "FILE")]
    pub(crate) config_file: Option<PathBuf>,
    /// Least severe messages to log: debug, info, warn, error or fatal [default: info]
    #[arg(short = 'l', long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    /// Log debug messages
    #[arg(short = 'D', long)]
    pub(crate) debug: bool,
    /// Registry (or range of addresses) to speak to without TLS; repeatable
    #[arg(long = "insecure-registry", value_name = "REGISTRY")]
    pub(crate) insecure_registries: Vec<String>,
    /// Mirror of Docker Hub to try first; repeatable
    #[arg(long = "registry-mirror", value_name = "URL")]
    pub(crate) registry_mirrors: Vec<String>,
    /// Label of the engine (key=value); repeatable
    #[arg(long = "label", value_name = "LABEL")]
    pub(crate) labels: Vec<String>,
    /// Group that may use the unix socket [default: docker, or tare, if there is one]
    #[arg(short = 'G', long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// End after this long with no container running and no client connected
    #[arg(long, value_name = "SECONDS")]
    pub(crate) idle_timeout: Option<u64>,
    /// Speak TLS at tcp:// addresses
    #[arg(long)]
    pub(crate) tls: bool,
    /// Speak TLS at tcp:// addresses with clients that have a certificate
    #[arg(long)]
    pub(crate) tlsverify: bool,
    /// Authority of clients' certificates [default: /etc/tare/ca.pem]
    #[arg(long, value_name = "FILE")]
    pub(crate) tlscacert: Option<PathBuf>,
    /// The daemon's certificate [default: /etc/tare/cert.pem]
    #[arg(long, value_name = "FILE")]
    pub(crate) tlscert: Option<PathBuf>,
    /// The key of the daemon's certificate [default: /etc/tare/key.pem]
    #[arg(long, value_name = "FILE")]
    pub(crate) tlskey: Option<PathBuf>,
    /// Serve anyone at tcp:// addresses: whoever can connect is root here
    #[arg(long)]
    pub(crate) insecure_tcp: bool,
    /// Check the configuration and end
    #[arg(long)]
    pub(crate) validate: bool,
    /// Print the version and end
    #[arg(short = 'v', long, action = ArgAction::SetTrue)]
    pub(crate) version: bool,
}

impl Options {
    /// Reads the arguments, the program's name first.
    pub(crate) fn parse_arguments(arguments: Vec<OsString>) -> Result<Self, clap::Error> {
        Self::try_parse_from(arguments)
    }
}
