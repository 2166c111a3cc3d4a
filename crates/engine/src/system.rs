//! What the engine says of itself and its host.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tare_engine_api::{
    Commit, ComponentVersion, IndexInfo, PluginsInfo, RegistryServiceConfig, Runtime, SwarmInfo,
    SystemInfo, SystemVersion, VersionPlatform,
};

use tare_runtime::cgroup::Layout;

use crate::engine::Engine;
use crate::error::{Error, Result};

/// The newest version of the Engine API that this engine speaks.
pub const API_VERSION: &str = "1.51";
/// The oldest.
pub const MIN_API_VERSION: &str = "1.40";
/// The engine's own version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Engine {
    /// The answer to `GET /version`.
    pub fn version(&self) -> SystemVersion {
        let kernel = kernel_release();
        let details = BTreeMap::from([
            ("ApiVersion".to_owned(), API_VERSION.to_owned()),
            ("Arch".to_owned(), go_architecture().to_owned()),
            ("Experimental".to_owned(), "false".to_owned()),
            ("KernelVersion".to_owned(), kernel.clone()),
            ("MinAPIVersion".to_owned(), MIN_API_VERSION.to_owned()),
            ("Os".to_owned(), "linux".to_owned()),
        ]);
        SystemVersion {
            platform: VersionPlatform {
                name: "Tare".to_owned(),
            },
            components: vec![ComponentVersion {
                name: "Engine".to_owned(),
                version: VERSION.to_owned(),
                details,
            }],
            version: VERSION.to_owned(),
            api_version: API_VERSION.to_owned(),
            min_api_version: MIN_API_VERSION.to_owned(),
            os: "linux".to_owned(),
            arch: go_architecture().to_owned(),
            kernel_version: kernel,
            ..SystemVersion::default()
        }
    }

    /// The answer to `GET /info`.
    pub async fn info(&self) -> Result<SystemInfo> {
        let engine = self.clone();
        tokio::task::spawn_blocking(move || engine.collect_info()).await?
    }

    fn collect_info(&self) -> Result<SystemInfo> {
        let config = &self.inner.config;
        let containers = self.inner.containers.all();
        let running = containers
            .iter()
            .filter(|container| container.is_running())
            .count();
        let images = self.inner.store.images().map_err(Error::internal)?.len();
        let cgroup = Controllers::detect()?;
        let forwarding = fs::read_to_string("/proc/sys/net/ipv4/ip_forward")
            .is_ok_and(|value| value.trim() == "1");
        Ok(SystemInfo {
            id: self.inner.id.clone(),
            containers: count(containers.len()),
            containers_running: count(running),
            containers_stopped: count(containers.len() - running),
            images: count(images),
            driver: "overlay2".to_owned(),
            driver_status: vec![
                [
                    "Backing Filesystem".to_owned(),
                    backing_file_system(&config.data_root),
                ],
                ["Supports d_type".to_owned(), "true".to_owned()],
            ],
            plugins: PluginsInfo {
                volume: Vec::new(),
                network: ["bridge", "host", "null"].map(str::to_owned).to_vec(),
                authorization: None,
                log: ["json-file", "local", "none"].map(str::to_owned).to_vec(),
            },
            memory_limit: cgroup.has("memory"),
            swap_limit: cgroup.has("memory") && cgroup.limits_swap(),
            cpu_cfs_period: cgroup.has("cpu"),
            cpu_cfs_quota: cgroup.has("cpu"),
            cpu_shares: cgroup.has("cpu"),
            cpu_set: cgroup.has("cpuset"),
            pids_limit: cgroup.has("pids"),
            ipv4_forwarding: forwarding,
            debug: config.debug,
            n_fd: count(fs::read_dir("/proc/self/fd")?.count()),
            system_time: Timestamp::now().to_string(),
            logging_driver: crate::containers::DEFAULT_LOG_DRIVER.to_owned(),
            cgroup_driver: "cgroupfs".to_owned(),
            cgroup_version: if cgroup.unified { "2" } else { "1" }.to_owned(),
            kernel_version: kernel_release(),
            operating_system: os_release("PRETTY_NAME").unwrap_or_else(|| "Linux".to_owned()),
            os_version: os_release("VERSION_ID").unwrap_or_default(),
            os_type: "linux".to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            index_server_address: "https://index.docker.io/v1/".to_owned(),
            registry_config: self.registry_config(),
            ncpu: count(std::thread::available_parallelism().map_or(1, usize::from)),
            mem_total: memory_total()?,
            docker_root_dir: config.data_root.display().to_string(),
            name: host_name(),
            labels: config.labels.clone(),
            server_version: VERSION.to_owned(),
            runtimes: BTreeMap::from([(
                "tare".to_owned(),
                Runtime {
                    path: "tare".to_owned(),
                    ..Runtime::default()
                },
            )]),
            default_runtime: "tare".to_owned(),
            swarm: SwarmInfo {
                local_node_state: "inactive".to_owned(),
                ..SwarmInfo::default()
            },
            live_restore_enabled: true,
            containerd_commit: Commit::default(),
            runc_commit: Commit::default(),
            init_commit: Commit::default(),
            security_options: security_options(),
            ..SystemInfo::default()
        })
    }

    fn registry_config(&self) -> RegistryServiceConfig {
        let config = &self.inner.config;
        let hub = IndexInfo {
            name: "docker.io".to_owned(),
            mirrors: config.registry_mirrors.clone(),
            secure: true,
            official: true,
        };
        let (ranges, names): (Vec<_>, Vec<_>) = config
            .insecure_registries
            .iter()
            .cloned()
            .partition(|registry| registry.parse::<ipnet::IpNet>().is_ok());
        let mut index_configs: BTreeMap<_, _> = names
            .into_iter()
            .map(|name| {
                (
                    name.clone(),
                    IndexInfo {
                        name,
                        ..IndexInfo::default()
                    },
                )
            })
            .collect();
        index_configs.insert("docker.io".to_owned(), hub);
        RegistryServiceConfig {
            insecure_registry_cidrs: ranges
                .into_iter()
                .chain(["::1/128", "127.0.0.0/8"].map(str::to_owned))
                .collect(),
            index_configs,
            mirrors: Some(config.registry_mirrors.clone()),
        }
    }
}

/// The controllers that containers can be limited by.
struct Controllers {
    /// They are those of the v2 hierarchy.
    unified: bool,
    names: BTreeSet<String>,
    memory: Option<PathBuf>,
}

impl Controllers {
    fn detect() -> Result<Self> {
        let layout = Layout::detect()?;
        let unified = layout.hierarchies.is_empty();
        let memory = layout
            .hierarchy("memory")
            .map(|hierarchy| hierarchy.mount.clone());
        let names = match &layout.unified {
            Some(mount) if unified => {
                let text = fs::read_to_string(mount.join("cgroup.controllers"))?;
                text.split_whitespace().map(str::to_owned).collect()
            }
            _ => layout
                .hierarchies
                .into_iter()
                .flat_map(|hierarchy| hierarchy.controllers)
                .collect(),
        };
        Ok(Self {
            unified,
            names,
            memory,
        })
    }

    fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// On v1 it is a kernel option; on v2 the file is there when swap is.
    fn limits_swap(&self) -> bool {
        match &self.memory {
            Some(mount) => mount.join("memory.memsw.limit_in_bytes").exists(),
            None => Path::new("/proc/swaps").exists(),
        }
    }
}

fn security_options() -> Vec<String> {
    let mut options = vec!["name=seccomp,profile=builtin".to_owned()];
    if fs::read_to_string("/sys/module/apparmor/parameters/enabled")
        .is_ok_and(|value| value.trim() == "Y")
    {
        options.insert(0, "name=apparmor".to_owned());
    }
    options.push("name=cgroupns".to_owned());
    options
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn kernel_release() -> String {
    rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned()
}

pub(crate) fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// The architecture in Go's (and so Docker's) words.
pub(crate) fn go_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// A value of `/etc/os-release`, unquoted.
fn os_release(key: &str) -> Option<String> {
    let text = fs::read_to_string("/etc/os-release")
        .or_else(|_| fs::read_to_string("/usr/lib/os-release"))
        .ok()?;
    text.lines().find_map(|line| {
        let value = line.strip_prefix(key)?.strip_prefix('=')?;
        Some(value.trim_matches('"').to_owned())
    })
}

fn memory_total() -> Result<i64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    text.lines()
        .find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .trim()
                .strip_suffix("kB")?
                .trim()
                .parse::<i64>()
                .ok()
        })
        .map(|kibibytes| kibibytes * 1024)
        .ok_or_else(|| Error::internal("/proc/meminfo names no MemTotal"))
}

/// The file system below the data root, in Docker's words.
fn backing_file_system(path: &std::path::Path) -> String {
    let Ok(status) = rustix::fs::statfs(path) else {
        return "unknown".to_owned();
    };
    match status.f_type {
        0xEF53 => "extfs".to_owned(),
        0x5846_5342 => "xfs".to_owned(),
        0x0102_1994 => "tmpfs".to_owned(),
        0x9123_683E => "btrfs".to_owned(),
        0x2FC1_2FC1 => "zfs".to_owned(),
        0x794C_7630 => "overlayfs".to_owned(),
        other => format!("0x{other:x}"),
    }
}
