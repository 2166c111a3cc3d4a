//! Containers: configuration, state, exec, statistics.

mod config;
mod create;
mod exec;
mod health;
mod host;
mod inside;
mod inspect;
mod mount;
mod port;
mod resources;
mod stats;
mod summary;

pub use config::ContainerConfig;
pub use create::{
    ContainerCreateRequest, ContainerCreateResponse, ContainerUpdateRequest,
    ContainerUpdateResponse, ContainerWaitExitError, ContainerWaitResponse, ContainersPruneReport,
    IdResponse,
};
pub use exec::{ExecConfig, ExecInspectResponse, ExecStartConfig, ProcessConfig};
pub use health::{Health, HealthConfig, HealthcheckResult};
pub use host::HostConfig;
pub use inside::{ContainerTopResponse, FilesystemChange};
pub use inspect::{ContainerInspectResponse, ContainerState};
pub use mount::{
    BindOptions, ImageOptions, Mount, MountPoint, TmpfsOptions, VolumeDriverConfig, VolumeOptions,
};
pub use port::{PortBinding, PortMap};
pub use resources::{
    DeviceMapping, DeviceRequest, LogConfig, RestartPolicy, ThrottleDevice, Ulimit, WeightDevice,
};
pub use stats::{
    BlkioStatEntry, BlkioStats, ContainerStatsResponse, CpuStats, CpuUsage, MemoryStats,
    NetworkStats, PidsStats, StorageStats, ThrottlingData,
};
pub use summary::{
    ContainerSummary, ContainerSummaryHealth, ContainerSummaryHostConfig,
    ContainerSummaryNetworkSettings, Port,
};
