//! What the engine decides for its registry client.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of a [`crate::Client`].
#[derive(Clone, Debug)]
pub struct Config {
    /// Registries (`host[:port]` or CIDR) that may be spoken to without TLS, or
    /// with TLS that proves nothing. Loopback addresses always belong to them.
    pub insecure_registries: Vec<String>,
    /// Mirrors of Docker Hub as URLs, the first tried first.
    pub registry_mirrors: Vec<String>,
    /// Directories with a sub-directory per registry (`<host>[:<port>]`) that
    /// holds authorities (`*.crt`) and client certificates (`*.cert`, `*.key`).
    pub certificate_directories: Vec<PathBuf>,
    /// What the client calls itself.
    pub user_agent: String,
    /// How long it waits and how often it tries.
    pub patience: Patience,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            insecure_registries: Vec::new(),
            registry_mirrors: Vec::new(),
            certificate_directories: vec![
                PathBuf::from("/etc/tare/certs.d"),
                PathBuf::from("/etc/docker/certs.d"),
            ],
            user_agent: concat!("tare/", env!("CARGO_PKG_VERSION")).to_owned(),
            patience: Patience::default(),
        }
    }
}

/// Waiting and trying again.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// For the head of an answer.
    pub answer: Duration,
    /// For the next byte of a body.
    pub stall: Duration,
    /// Tries in a row that brought nothing, before an operation fails.
    pub tries: u32,
    /// Before the second try; doubled for each one after it.
    pub first_pause: Duration,
    /// Longest pause, whether of our own choice or asked for by `Retry-After`.
    pub longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            answer: Duration::from_secs(60),
            stall: Duration::from_secs(30),
            tries: 5,
            first_pause: Duration::from_millis(400),
            longest_pause: Duration::from_secs(30),
        }
    }
}
