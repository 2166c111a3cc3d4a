//! `daemon.json`.
//!
//! Three kinds of keys: those that have an effect here, those of dockerd that
//! are accepted as long as they ask for what this engine does anyway, and all
//! others of dockerd, which are refused by name.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::ConfigError;

/// The keys that have an effect.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct File {
    pub(super) hosts: Option<Vec<String>>,
    pub(super) data_root: Option<PathBuf>,
    pub(super) exec_root: Option<PathBuf>,
    pub(super) pidfile: Option<PathBuf>,
    pub(super) bridge: Option<String>,
    pub(super) bip: Option<ipnet::Ipv4Net>,
    pub(super) mtu: Option<u32>,
    pub(super) dns: Option<Vec<IpAddr>>,
    pub(super) debug: Option<bool>,
    pub(super) log_level: Option<String>,
    pub(super) insecure_registries: Option<Vec<String>>,
    pub(super) registry_mirrors: Option<Vec<String>>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) group: Option<String>,
    pub(super) idle_timeout: Option<u64>,
    pub(super) tls: Option<bool>,
    pub(super) tlsverify: Option<bool>,
    pub(super) tlscacert: Option<PathBuf>,
    pub(super) tlscert: Option<PathBuf>,
    pub(super) tlskey: Option<PathBuf>,
}

const EFFECTIVE: &[&str] = &[
    "hosts",
    "data-root",
    "exec-root",
    "pidfile",
    "bridge",
    "bip",
    "mtu",
    "dns",
    "debug",
    "log-level",
    "insecure-registries",
    "registry-mirrors",
    "labels",
    "group",
    "idle-timeout",
    "tls",
    "tlsverify",
    "tlscacert",
    "tlscert",
    "tlskey",
];

/// dockerd's other keys.
const REFUSED: &[&str] = &[
    "allow-direct-routing",
    "allow-nondistributable-artifacts",
    "authorization-plugins",
    "bip6",
    "bridge-accept-fwmark",
    "builder",
    "cdi-spec-dirs",
    "cgroup-parent",
    "containerd",
    "containerd-namespace",
    "containerd-plugin-namespace",
    "cpu-rt-period",
    "cpu-rt-runtime",
    "data-path-addr",
    "default-address-pools",
    "default-cgroupns-mode",
    "default-gateway",
    "default-gateway-v6",
    "default-ipc-mode",
    "default-network-opts",
    "default-runtime",
    "default-shm-size",
    "default-ulimits",
    "dns-opts",
    "dns-search",
    "exec-opts",
    "experimental",
    "features",
    "firewall-backend",
    "fixed-cidr",
    "fixed-cidr-v6",
    "host-gateway-ip",
    "host-gateway-ips",
    "http-proxy",
    "https-proxy",
    "icc",
    "init",
    "init-path",
    "ip",
    "ip-forward",
    "ip-forward-no-drop",
    "ip-masq",
    "ip6tables",
    "iptables",
    "ipv6",
    "live-restore",
    "log-driver",
    "log-format",
    "log-opts",
    "max-concurrent-downloads",
    "max-concurrent-uploads",
    "max-download-attempts",
    "metrics-addr",
    "no-new-privileges",
    "no-proxy",
    "node-generic-resources",
    "oom-score-adjust",
    "proxies",
    "runtimes",
    "seccomp-profile",
];

/// The rest of them; two tables keep either short enough to read.
const REFUSED_TOO: &[&str] = &[
    "cluster-advertise",
    "cluster-store",
    "default-init",
    "raw-logs",
    "rootless",
    "selinux-enabled",
    "shutdown-timeout",
    "storage-driver",
    "storage-opts",
    "swarm-default-advertise-addr",
    "userland-proxy",
];

/// Whether a value asks for what this engine does without being asked.
fn is_our_way(key: &str, value: &Value) -> bool {
    let ours = match key {
        "live-restore" | "iptables" | "ip-forward" | "ip-masq" | "icc" => json!(true),
        "storage-driver" => json!("overlay2"),
        "log-driver" => json!("local"),
        "log-format" => json!("text"),
        "default-runtime" => json!("tare"),
        "exec-opts" => json!(["native.cgroupdriver=cgroupfs"]),
        "firewall-backend" => json!("nftables"),
        "experimental" | "ipv6" | "selinux-enabled" | "userland-proxy" | "no-new-privileges" => {
            json!(false)
        }
        "seccomp-profile" => json!("builtin"),
        _ => json!({}),
    };
    *value == ours || matches!(value, Value::Array(list) if list.is_empty())
}

/// Reads the text of the file at `path`.
pub(super) fn parse(path: &Path, text: &[u8]) -> Result<File, ConfigError> {
    let syntax = |source| ConfigError::Syntax {
        path: path.to_owned(),
        source,
    };
    // An empty file configures nothing, as in dockerd.
    let text = if text.trim_ascii().is_empty() {
        b"{}"
    } else {
        text
    };
    let keys: Map<String, Value> = serde_json::from_slice(text).map_err(syntax)?;
    let known = |key: &str| {
        EFFECTIVE.contains(&key) || REFUSED.contains(&key) || REFUSED_TOO.contains(&key)
    };
    let unknown: Vec<_> = keys
        .keys()
        .filter(|key| !known(key))
        .map(String::as_str)
        .collect();
    if !unknown.is_empty() {
        return Err(ConfigError::UnknownKeys {
            path: path.to_owned(),
            keys: unknown.join(", "),
        });
    }
    for (key, value) in &keys {
        if !EFFECTIVE.contains(&key.as_str()) && !is_our_way(key, value) {
            return Err(ConfigError::Unsupported {
                path: path.to_owned(),
                key: key.clone(),
            });
        }
    }
    serde_json::from_value(Value::Object(keys)).map_err(syntax)
}
