//! What a container may use of the host: resources, mounts, ports, privileges.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::container::{
    DeviceMapping, DeviceRequest, LogConfig, Mount, PortMap, RestartPolicy, ThrottleDevice, Ulimit,
    WeightDevice,
};
use crate::lenient::{is_default, map_or_default, object_or_default, or_default};

/// The half of a container's configuration that depends on the host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HostConfig {
    pub binds: Option<Vec<String>>,
    #[serde(rename = "ContainerIDFile", deserialize_with = "or_default")]
    pub container_id_file: String,
    #[serde(deserialize_with = "object_or_default")]
    pub log_config: LogConfig,
    #[serde(deserialize_with = "or_default")]
    pub network_mode: String,
    #[serde(deserialize_with = "or_default")]
    pub port_bindings: PortMap,
    #[serde(deserialize_with = "object_or_default")]
    pub restart_policy: RestartPolicy,
    #[serde(deserialize_with = "or_default")]
    pub auto_remove: bool,
    #[serde(deserialize_with = "or_default")]
    pub volume_driver: String,
    pub volumes_from: Option<Vec<String>>,
    #[serde(deserialize_with = "or_default")]
    pub console_size: [i64; 2],
    #[serde(
        deserialize_with = "map_or_default",
        skip_serializing_if = "is_default"
    )]
    pub annotations: BTreeMap<String, String>,
    pub cap_add: Option<Vec<String>>,
    pub cap_drop: Option<Vec<String>>,
    #[serde(deserialize_with = "or_default")]
    pub cgroupns_mode: String,
    pub dns: Option<Vec<String>>,
    pub dns_options: Option<Vec<String>>,
    pub dns_search: Option<Vec<String>>,
    pub extra_hosts: Option<Vec<String>>,
    pub group_add: Option<Vec<String>>,
    #[serde(deserialize_with = "or_default")]
    pub ipc_mode: String,
    #[serde(deserialize_with = "or_default")]
    pub cgroup: String,
    pub links: Option<Vec<String>>,
    #[serde(deserialize_with = "or_default")]
    pub oom_score_adj: i64,
    #[serde(deserialize_with = "or_default")]
    pub pid_mode: String,
    #[serde(deserialize_with = "or_default")]
    pub privileged: bool,
    #[serde(deserialize_with = "or_default")]
    pub publish_all_ports: bool,
    #[serde(deserialize_with = "or_default")]
    pub readonly_rootfs: bool,
    pub security_opt: Option<Vec<String>>,
    #[serde(
        deserialize_with = "map_or_default",
        skip_serializing_if = "is_default"
    )]
    pub storage_opt: BTreeMap<String, String>,
    #[serde(
        deserialize_with = "map_or_default",
        skip_serializing_if = "is_default"
    )]
    pub tmpfs: BTreeMap<String, String>,
    #[serde(rename = "UTSMode", deserialize_with = "or_default")]
    pub uts_mode: String,
    #[serde(deserialize_with = "or_default")]
    pub userns_mode: String,
    #[serde(deserialize_with = "or_default")]
    pub shm_size: i64,
    #[serde(
        deserialize_with = "map_or_default",
        skip_serializing_if = "is_default"
    )]
    pub sysctls: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub runtime: String,
    #[serde(deserialize_with = "or_default")]
    pub isolation: String,
    #[serde(deserialize_with = "or_default")]
    pub cpu_shares: i64,
    #[serde(deserialize_with = "or_default")]
    pub memory: i64,
    #[serde(deserialize_with = "or_default")]
    pub nano_cpus: i64,
    #[serde(deserialize_with = "or_default")]
    pub cgroup_parent: String,
    #[serde(deserialize_with = "or_default")]
    pub blkio_weight: i64,
    pub blkio_weight_device: Option<Vec<WeightDevice>>,
    pub blkio_device_read_bps: Option<Vec<ThrottleDevice>>,
    pub blkio_device_write_bps: Option<Vec<ThrottleDevice>>,
    #[serde(rename = "BlkioDeviceReadIOps")]
    pub blkio_device_read_iops: Option<Vec<ThrottleDevice>>,
    #[serde(rename = "BlkioDeviceWriteIOps")]
    pub blkio_device_write_iops: Option<Vec<ThrottleDevice>>,
    #[serde(deserialize_with = "or_default")]
    pub cpu_period: i64,
    #[serde(deserialize_with = "or_default")]
    pub cpu_quota: i64,
    #[serde(deserialize_with = "or_default")]
    pub cpu_realtime_period: i64,
    #[serde(deserialize_with = "or_default")]
    pub cpu_realtime_runtime: i64,
    #[serde(deserialize_with = "or_default")]
    pub cpuset_cpus: String,
    #[serde(deserialize_with = "or_default")]
    pub cpuset_mems: String,
    pub devices: Option<Vec<DeviceMapping>>,
    pub device_cgroup_rules: Option<Vec<String>>,
    pub device_requests: Option<Vec<DeviceRequest>>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub kernel_memory: i64,
    #[serde(
        rename = "KernelMemoryTCP",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub kernel_memory_tcp: i64,
    #[serde(deserialize_with = "or_default")]
    pub memory_reservation: i64,
    #[serde(deserialize_with = "or_default")]
    pub memory_swap: i64,
    pub memory_swappiness: Option<i64>,
    pub oom_kill_disable: Option<bool>,
    pub pids_limit: Option<i64>,
    pub ulimits: Option<Vec<Ulimit>>,
    #[serde(deserialize_with = "or_default")]
    pub cpu_count: i64,
    #[serde(deserialize_with = "or_default")]
    pub cpu_percent: i64,
    #[serde(rename = "IOMaximumIOps", deserialize_with = "or_default")]
    pub io_maximum_iops: i64,
    #[serde(rename = "IOMaximumBandwidth", deserialize_with = "or_default")]
    pub io_maximum_bandwidth: i64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub mounts: Vec<Mount>,
    pub masked_paths: Option<Vec<String>>,
    pub readonly_paths: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<bool>,
}
