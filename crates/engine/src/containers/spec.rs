//! From a container's record to the OCI configuration of its next run.

use std::path::Path;

use tare_engine_api::HostConfig;
use tare_oci::runtime::{
    Cpu, Linux, Memory, Mount, Namespace, NamespaceKind, Pids, Process, ResourceLimit, Resources,
    Root, Spec, User,
};
use tare_runtime::defaults;
use tare_shim::protocol::TerminalSize;

use super::{Record, devices, inspect, mounts, security};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Bytes of `/dev/shm` when nobody says, as in Docker.
pub(crate) const SHM_SIZE: i64 = 64 << 20;
/// The least memory a container can be limited to.
const LEAST_MEMORY: i64 = 6 << 20;
/// Where programs are looked for when nobody says, as in Docker.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The period of `--cpus`, in microseconds.
const CPU_PERIOD: i64 = 100_000;

impl Engine {
    /// The configuration; `directory` holds the container's host files.
    pub(crate) fn spec(&self, record: &Record, directory: &Path) -> Result<Spec> {
        let host = &record.host_config;
        let options = security::options(host)?;
        let process = self.init_process(record, &options)?;
        let granted = security::granted(host)?;
        let devices::Devices { nodes, rules } = devices::collect(host)?;
        let linux = Linux {
            sysctl: host.sysctls.clone(),
            resources: Some(resources(host, rules)?),
            cgroups_path: Some(self.cgroup_path(record)),
            namespaces: namespaces(record),
            devices: nodes,
            seccomp: security::seccomp(host, &options, &granted)?,
            masked_paths: host.masked_paths.clone().unwrap_or_default(),
            readonly_paths: host.readonly_paths.clone().unwrap_or_default(),
            ..Linux::default()
        };
        let own_uts = host.uts_mode != "host";
        Ok(Spec {
            version: tare_oci::runtime::VERSION.to_owned(),
            process: Some(process),
            root: Some(Root {
                path: "rootfs".to_owned(),
                readonly: host.readonly_rootfs,
            }),
            hostname: own_uts.then(|| record.config.hostname.clone()),
            domainname: own_uts
                .then(|| record.config.domainname.clone())
                .filter(|name| !name.is_empty()),
            mounts: self.mounts(record, directory)?,
            linux: Some(linux),
            ..Spec::default()
        })
    }

    /// The container's program.
    fn init_process(&self, record: &Record, options: &security::Options) -> Result<Process> {
        let (program, arguments) = inspect::command(&record.config);
        if program.is_empty() {
            return Err(Error::invalid("no command specified"));
        }
        Ok(Process {
            terminal: record.config.tty,
            user: user(&record.config.user, &record.host_config)?,
            args: std::iter::once(program).chain(arguments).collect(),
            env: environment(record, record.config.tty),
            cwd: if record.config.working_dir.is_empty() {
                "/".to_owned()
            } else {
                record.config.working_dir.clone()
            },
            capabilities: Some(security::capabilities(&record.host_config)?),
            rlimits: limits(&record.host_config)?,
            no_new_privileges: options.no_new_privileges,
            apparmor_profile: options
                .apparmor
                .clone()
                .filter(|profile| profile != "unconfined"),
            oom_score_adj: (record.host_config.oom_score_adj != 0)
                .then(|| i32::try_from(record.host_config.oom_score_adj))
                .transpose()
                .map_err(|_| {
                    Error::invalid("Invalid value for OomScoreAdj: the range is -1000 to 1000")
                })?,
            ..Process::default()
        })
    }

    /// The container's control groups, below the engine's or the one asked for.
    pub(crate) fn cgroup_path(&self, record: &Record) -> String {
        let parent = match record.host_config.cgroup_parent.as_str() {
            "" => &self.inner.cgroup_parent,
            parent => parent,
        };
        format!("/{}/{}", parent.trim_matches('/'), record.id)
    }

    fn mounts(&self, record: &Record, directory: &Path) -> Result<Vec<Mount>> {
        let host = &record.host_config;
        let requested = mounts::requested(host)?;
        let mut all = defaults::mounts(host.shm_size.unsigned_abs());
        if host.privileged {
            for mount in all
                .iter_mut()
                .filter(|mount| mount.destination.starts_with("/sys"))
            {
                mount.options.retain(|option| option != "ro");
            }
        }
        if host.ipc_mode == "host" {
            for path in ["/dev/shm", "/dev/mqueue"] {
                if let Some(mount) = all.iter_mut().find(|mount| mount.destination == path) {
                    *mount = bind(path, path, "rw");
                }
            }
        }
        // A file system in memory on a directory of these would hide them.
        let mut taken: Vec<String> = Vec::new();
        for mount in &requested {
            mount.prepare()?;
            let mount = mount.to_oci();
            all.retain(|default| default.destination != mount.destination);
            taken.push(mount.destination.clone());
            all.push(mount);
        }
        let access = if host.readonly_rootfs { "ro" } else { "rw" };
        for (file, target) in [
            ("resolv.conf", "/etc/resolv.conf"),
            ("hostname", "/etc/hostname"),
            ("hosts", "/etc/hosts"),
        ] {
            if !taken.iter().any(|destination| destination == target) {
                all.push(bind(
                    &directory.join(file).display().to_string(),
                    target,
                    access,
                ));
            }
        }
        // A mount below another comes after it.
        all.sort_by_key(|mount| {
            mount
                .destination
                .split('/')
                .filter(|part| !part.is_empty())
                .count()
        });
        Ok(all)
    }
}

fn bind(source: &str, destination: &str, access: &str) -> Mount {
    Mount {
        destination: destination.to_owned(),
        kind: Some("bind".to_owned()),
        source: Some(source.to_owned()),
        options: ["rbind", access, "rprivate"].map(str::to_owned).to_vec(),
        ..Mount::default()
    }
}

/// The identity as the client wrote it; the runtime looks the names up in the
/// container's own files, which are only mounted there.
pub(crate) fn user(name: &str, host: &HostConfig) -> Result<User> {
    let mut words = vec![name.to_owned()];
    for group in host.group_add.iter().flatten() {
        if group.is_empty() || group.contains([':', ',']) {
            return Err(Error::invalid(format!(
                "unable to find group {group}: no matching entries in group file"
            )));
        }
        words.push(group.clone());
    }
    Ok(User {
        username: Some(words.join(",")),
        ..User::default()
    })
}

/// `PATH`, `HOSTNAME` and `TERM` as Docker sets them, then the container's own.
pub(crate) fn environment(record: &Record, terminal: bool) -> Vec<String> {
    let mut environment = vec![
        format!("PATH={PATH}"),
        format!("HOSTNAME={}", record.config.hostname),
    ];
    if terminal {
        environment.push("TERM=xterm".to_owned());
    }
    merge(
        &mut environment,
        record.config.env.as_deref().unwrap_or_default(),
    );
    environment
}

/// Adds variables; one without `=` removes, one that exists is replaced.
pub(crate) fn merge(environment: &mut Vec<String>, more: &[String]) {
    for variable in more {
        let (name, _) = variable.split_once('=').unwrap_or((variable, ""));
        let same = |known: &String| {
            known
                .split_once('=')
                .is_some_and(|(known, _)| known == name)
        };
        match (environment.iter().position(same), variable.contains('=')) {
            (Some(position), true) => environment[position].clone_from(variable),
            (Some(position), false) => drop(environment.remove(position)),
            (None, true) => environment.push(variable.clone()),
            (None, false) => {}
        }
    }
}

/// A terminal's size from the numbers of a client.
pub(crate) fn terminal_size(height: i64, width: i64) -> Result<TerminalSize> {
    match (u16::try_from(height), u16::try_from(width)) {
        (Ok(height), Ok(width)) => Ok(TerminalSize { height, width }),
        _ => Err(Error::invalid(format!(
            "invalid terminal size: {height} rows, {width} columns"
        ))),
    }
}

fn namespaces(record: &Record) -> Vec<Namespace> {
    let host = &record.host_config;
    let wanted = [
        (NamespaceKind::Mount, true),
        (NamespaceKind::Network, host.network_mode != "host"),
        (NamespaceKind::Uts, host.uts_mode != "host"),
        (NamespaceKind::Pid, host.pid_mode != "host"),
        (NamespaceKind::Ipc, host.ipc_mode != "host"),
        (NamespaceKind::Cgroup, host.cgroupns_mode != "host"),
    ];
    wanted
        .into_iter()
        .filter(|(_, own)| *own)
        .map(|(kind, _)| Namespace { kind, path: None })
        .collect()
}

pub(crate) fn limits(host: &HostConfig) -> Result<Vec<ResourceLimit>> {
    host.ulimits
        .iter()
        .flatten()
        .map(|limit| {
            let kind = format!("RLIMIT_{}", limit.name.to_ascii_uppercase());
            // -1 is no limit, which the kernel writes as the largest number.
            let number = |value: i64| u64::try_from(value).unwrap_or(u64::MAX);
            if number(limit.soft) > number(limit.hard) {
                return Err(Error::invalid(format!(
                    "ulimit soft limit must be less than or equal to hard limit: {} > {}",
                    limit.soft, limit.hard
                )));
            }
            Ok(ResourceLimit {
                kind,
                hard: number(limit.hard),
                soft: number(limit.soft),
            })
        })
        .collect()
}

/// Limits of the control groups; the checks are Docker's, in its words.
pub(crate) fn resources(
    host: &HostConfig,
    devices: Vec<tare_oci::runtime::DeviceRule>,
) -> Result<Resources> {
    let set = |value: i64| (value != 0).then_some(value);
    let positive = |value: i64| u64::try_from(value).ok().filter(|value| *value > 0);
    if host.memory != 0 && host.memory < LEAST_MEMORY {
        return Err(Error::invalid("Minimum memory limit allowed is 6MB"));
    }
    if host.memory_swap > 0 && host.memory == 0 {
        return Err(Error::invalid(
            "You should always set the Memory limit when using Memoryswap limit, see usage",
        ));
    }
    if host.memory_swap > 0 && host.memory_swap < host.memory {
        return Err(Error::invalid(
            "Minimum memoryswap limit should be larger than memory limit, see usage",
        ));
    }
    if host.memory > 0 && host.memory_reservation > host.memory {
        return Err(Error::invalid(
            "Minimum memory limit can not be less than memory reservation limit, see usage",
        ));
    }
    if host.nano_cpus > 0 && (host.cpu_period > 0 || host.cpu_quota > 0) {
        return Err(Error::invalid(
            "Conflicting options: Nano CPUs and CPU Period/Quota cannot both be set",
        ));
    }
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    let most = i64::try_from(available)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000_000_000);
    if host.nano_cpus < 0 || host.nano_cpus > most {
        return Err(Error::invalid(format!(
            "range of CPUs is from 0.01 to {available}.00, as there are only {available} CPUs available"
        )));
    }
    let (quota, period) = if host.nano_cpus > 0 {
        (
            Some(host.nano_cpus / (1_000_000_000 / CPU_PERIOD)),
            positive(CPU_PERIOD),
        )
    } else {
        (set(host.cpu_quota), positive(host.cpu_period))
    };
    // Without a limit of its own, swap may be as large again as the memory.
    let swap = match (host.memory_swap, host.memory) {
        (0, limit) if limit > 0 => Some(limit.saturating_mul(2)),
        (swap, _) => set(swap),
    };
    let text = |value: &String| (!value.is_empty()).then(|| value.clone());
    Ok(Resources {
        devices,
        memory: Some(Memory {
            limit: set(host.memory),
            reservation: set(host.memory_reservation),
            swap,
            swappiness: host
                .memory_swappiness
                .and_then(|value| u64::try_from(value).ok()),
            ..Memory::default()
        }),
        cpu: Some(Cpu {
            shares: positive(host.cpu_shares),
            quota,
            period,
            cpus: text(&host.cpuset_cpus),
            mems: text(&host.cpuset_mems),
            ..Cpu::default()
        }),
        pids: host
            .pids_limit
            .filter(|limit| *limit != 0)
            .map(|limit| Pids { limit }),
        ..Resources::default()
    })
}

#[cfg(test)]
mod tests;
