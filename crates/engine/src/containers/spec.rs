//! From a container's record to the OCI configuration of its next run.

use std::path::Path;

use tare_engine_api::HostConfig;
use tare_oci::runtime::{Linux, Mount, Namespace, NamespaceKind, Process, Root, Spec, User};
use tare_runtime::defaults;
use tare_shim::protocol::TerminalSize;

use super::{Record, devices, inspect, mounts, resources, security};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Bytes of `/dev/shm` when nobody says, as in Docker.
pub(crate) const SHM_SIZE: i64 = 64 << 20;
/// Where programs are looked for when nobody says, as in Docker.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

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
            resources: Some(resources::control_group(host, rules)?),
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
            rlimits: self.process_limits(&record.host_config)?,
            no_new_privileges: options.no_new_privileges,
            apparmor_profile: options
                .apparmor
                .clone()
                .filter(|profile| profile != "unconfined"),
            oom_score_adj: resources::oom_score(&record.host_config)?,
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

#[cfg(test)]
mod tests;
