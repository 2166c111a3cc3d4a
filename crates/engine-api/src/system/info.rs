//! The answer to `GET /info`.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lenient::{is_default, map_or_default, object_or_default, or_default};
use crate::system::{
    Commit, ContainerdInfo, FirewallInfo, GenericResource, NetworkAddressPool, PluginsInfo,
    RegistryServiceConfig, Runtime, SwarmInfo,
};

/// The engine and its host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SystemInfo {
    #[serde(rename = "ID", deserialize_with = "or_default")]
    pub id: String,
    #[serde(deserialize_with = "or_default")]
    pub containers: i64,
    #[serde(deserialize_with = "or_default")]
    pub containers_running: i64,
    #[serde(deserialize_with = "or_default")]
    pub containers_paused: i64,
    #[serde(deserialize_with = "or_default")]
    pub containers_stopped: i64,
    #[serde(deserialize_with = "or_default")]
    pub images: i64,
    #[serde(deserialize_with = "or_default")]
    pub driver: String,
    #[serde(deserialize_with = "or_default")]
    pub driver_status: Vec<[String; 2]>,
    #[serde(deserialize_with = "object_or_default")]
    pub plugins: PluginsInfo,
    #[serde(deserialize_with = "or_default")]
    pub memory_limit: bool,
    #[serde(deserialize_with = "or_default")]
    pub swap_limit: bool,
    #[serde(deserialize_with = "or_default")]
    pub cpu_cfs_period: bool,
    #[serde(deserialize_with = "or_default")]
    pub cpu_cfs_quota: bool,
    #[serde(rename = "CPUShares", deserialize_with = "or_default")]
    pub cpu_shares: bool,
    #[serde(rename = "CPUSet", deserialize_with = "or_default")]
    pub cpu_set: bool,
    #[serde(deserialize_with = "or_default")]
    pub pids_limit: bool,
    #[serde(rename = "IPv4Forwarding", deserialize_with = "or_default")]
    pub ipv4_forwarding: bool,
    #[serde(deserialize_with = "or_default")]
    pub bridge_nf_iptables: bool,
    #[serde(deserialize_with = "or_default")]
    pub bridge_nf_ip6tables: bool,
    #[serde(deserialize_with = "or_default")]
    pub debug: bool,
    #[serde(deserialize_with = "or_default")]
    pub n_fd: i64,
    #[serde(deserialize_with = "or_default")]
    pub oom_kill_disable: bool,
    #[serde(deserialize_with = "or_default")]
    pub n_goroutines: i64,
    #[serde(deserialize_with = "or_default")]
    pub system_time: String,
    #[serde(deserialize_with = "or_default")]
    pub logging_driver: String,
    #[serde(deserialize_with = "or_default")]
    pub cgroup_driver: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub cgroup_version: String,
    #[serde(deserialize_with = "or_default")]
    pub n_events_listener: i64,
    #[serde(deserialize_with = "or_default")]
    pub kernel_version: String,
    #[serde(deserialize_with = "or_default")]
    pub operating_system: String,
    #[serde(rename = "OSVersion", deserialize_with = "or_default")]
    pub os_version: String,
    #[serde(rename = "OSType", deserialize_with = "or_default")]
    pub os_type: String,
    #[serde(deserialize_with = "or_default")]
    pub architecture: String,
    #[serde(deserialize_with = "or_default")]
    pub index_server_address: String,
    #[serde(deserialize_with = "object_or_default")]
    pub registry_config: RegistryServiceConfig,
    #[serde(rename = "NCPU", deserialize_with = "or_default")]
    pub ncpu: i64,
    #[serde(deserialize_with = "or_default")]
    pub mem_total: i64,
    pub generic_resources: Option<Vec<GenericResource>>,
    #[serde(deserialize_with = "or_default")]
    pub docker_root_dir: String,
    #[serde(deserialize_with = "or_default")]
    pub http_proxy: String,
    #[serde(deserialize_with = "or_default")]
    pub https_proxy: String,
    #[serde(deserialize_with = "or_default")]
    pub no_proxy: String,
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    #[serde(deserialize_with = "or_default")]
    pub labels: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub experimental_build: bool,
    #[serde(deserialize_with = "or_default")]
    pub server_version: String,
    #[serde(deserialize_with = "map_or_default")]
    pub runtimes: BTreeMap<String, Runtime>,
    #[serde(deserialize_with = "or_default")]
    pub default_runtime: String,
    #[serde(deserialize_with = "object_or_default")]
    pub swarm: SwarmInfo,
    #[serde(deserialize_with = "or_default")]
    pub live_restore_enabled: bool,
    #[serde(deserialize_with = "or_default")]
    pub isolation: String,
    #[serde(deserialize_with = "or_default")]
    pub init_binary: String,
    #[serde(deserialize_with = "object_or_default")]
    pub containerd_commit: Commit,
    #[serde(deserialize_with = "object_or_default")]
    pub runc_commit: Commit,
    #[serde(deserialize_with = "object_or_default")]
    pub init_commit: Commit,
    #[serde(deserialize_with = "or_default")]
    pub security_options: Vec<String>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub product_license: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub default_address_pools: Vec<NetworkAddressPool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall_backend: Option<FirewallInfo>,
    #[serde(rename = "CDISpecDirs", deserialize_with = "or_default")]
    pub cdi_spec_dirs: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub containerd: Option<ContainerdInfo>,
    pub warnings: Option<Vec<String>>,
}
