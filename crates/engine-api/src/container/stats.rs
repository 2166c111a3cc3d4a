//! What a container uses.
#![expect(
    missing_docs,
    reason = "fields carry Docker's names; the Engine API's reference describes them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lenient::{is_default, map_or_default, object_or_default, or_default};

/// One sample of `GET /containers/{id}/stats`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerStatsResponse {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub id: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub name: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub os_type: String,
    #[serde(deserialize_with = "or_default")]
    pub read: String,
    #[serde(deserialize_with = "or_default")]
    pub preread: String,
    #[serde(deserialize_with = "object_or_default")]
    pub pids_stats: PidsStats,
    #[serde(deserialize_with = "object_or_default")]
    pub blkio_stats: BlkioStats,
    #[serde(deserialize_with = "or_default")]
    pub num_procs: u64,
    #[serde(deserialize_with = "object_or_default")]
    pub storage_stats: StorageStats,
    #[serde(deserialize_with = "object_or_default")]
    pub cpu_stats: CpuStats,
    #[serde(deserialize_with = "object_or_default")]
    pub precpu_stats: CpuStats,
    #[serde(deserialize_with = "object_or_default")]
    pub memory_stats: MemoryStats,
    #[serde(
        deserialize_with = "map_or_default",
        skip_serializing_if = "is_default"
    )]
    pub networks: BTreeMap<String, NetworkStats>,
}

/// Processes and threads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PidsStats {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub current: u64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub limit: u64,
}

/// Block devices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlkioStats {
    pub io_service_bytes_recursive: Option<Vec<BlkioStatEntry>>,
    pub io_serviced_recursive: Option<Vec<BlkioStatEntry>>,
    pub io_queue_recursive: Option<Vec<BlkioStatEntry>>,
    pub io_service_time_recursive: Option<Vec<BlkioStatEntry>>,
    pub io_wait_time_recursive: Option<Vec<BlkioStatEntry>>,
    pub io_merged_recursive: Option<Vec<BlkioStatEntry>>,
    pub io_time_recursive: Option<Vec<BlkioStatEntry>>,
    pub sectors_recursive: Option<Vec<BlkioStatEntry>>,
}

/// One counter of one device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlkioStatEntry {
    #[serde(deserialize_with = "or_default")]
    pub major: u64,
    #[serde(deserialize_with = "or_default")]
    pub minor: u64,
    #[serde(deserialize_with = "or_default")]
    pub op: String,
    #[serde(deserialize_with = "or_default")]
    pub value: u64,
}

/// Only Windows fills this in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageStats {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub read_count_normalized: u64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub read_size_bytes: u64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub write_count_normalized: u64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub write_size_bytes: u64,
}

/// Processors; times in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CpuStats {
    #[serde(deserialize_with = "object_or_default")]
    pub cpu_usage: CpuUsage,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub system_cpu_usage: u64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub online_cpus: u64,
    #[serde(deserialize_with = "object_or_default")]
    pub throttling_data: ThrottlingData,
}

/// Processor time used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CpuUsage {
    #[serde(deserialize_with = "or_default")]
    pub total_usage: u64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub percpu_usage: Vec<u64>,
    #[serde(deserialize_with = "or_default")]
    pub usage_in_kernelmode: u64,
    #[serde(deserialize_with = "or_default")]
    pub usage_in_usermode: u64,
}

/// How often the processor quota has held the container back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ThrottlingData {
    #[serde(deserialize_with = "or_default")]
    pub periods: u64,
    #[serde(deserialize_with = "or_default")]
    pub throttled_periods: u64,
    #[serde(deserialize_with = "or_default")]
    pub throttled_time: u64,
}

/// Memory in bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryStats {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub usage: u64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub max_usage: u64,
    #[serde(
        deserialize_with = "map_or_default",
        skip_serializing_if = "is_default"
    )]
    pub stats: BTreeMap<String, u64>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub failcnt: u64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub limit: u64,
}

/// One interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkStats {
    #[serde(deserialize_with = "or_default")]
    pub rx_bytes: u64,
    #[serde(deserialize_with = "or_default")]
    pub rx_packets: u64,
    #[serde(deserialize_with = "or_default")]
    pub rx_errors: u64,
    #[serde(deserialize_with = "or_default")]
    pub rx_dropped: u64,
    #[serde(deserialize_with = "or_default")]
    pub tx_bytes: u64,
    #[serde(deserialize_with = "or_default")]
    pub tx_packets: u64,
    #[serde(deserialize_with = "or_default")]
    pub tx_errors: u64,
    #[serde(deserialize_with = "or_default")]
    pub tx_dropped: u64,
}
