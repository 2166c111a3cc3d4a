//! Everything about one container.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tare_engine_api::{
    ContainerConfig, ContainerInspectResponse, ContainerState, DriverData, MountPoint,
    NetworkSettings,
};

use super::{Record, Status, bindings};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// How Go prints a time that never was.
const NEVER: &str = "0001-01-01T00:00:00Z";

impl Engine {
    /// The answer to `GET /containers/{id}/json`.
    pub async fn container_inspect(
        &self,
        reference: &str,
        size: bool,
    ) -> Result<ContainerInspectResponse> {
        let container = self.inner.containers.find(reference)?;
        let record = container.record();
        let snapshot = self.inner.store.snapshot(&record.id).map_err(|error| {
            // It has been removed since it was found.
            match self.inner.containers.get(&record.id) {
                Some(_) => Error::internal(error),
                None => Error::not_found(format!("No such container: {reference}")),
            }
        })?;
        let directory = self.container_directory(&record.id);
        let (path, arguments) = command(&record.config);
        let sizes = if size {
            Some(self.container_sizes(&container).await?)
        } else {
            None
        };
        let file = |name: &str| directory.join(name).display().to_string();
        let graph_driver = DriverData {
            name: "overlay2".to_owned(),
            data: Some(graph_directories(&snapshot)),
        };
        Ok(ContainerInspectResponse {
            id: record.id.clone(),
            created: record.created.to_string(),
            path,
            args: arguments,
            state: state(&record),
            image: record.image_id.clone(),
            resolv_conf_path: file("resolv.conf"),
            hostname_path: file("hostname"),
            hosts_path: file("hosts"),
            log_path: super::logs::path(&record, &directory)
                .map_or_else(String::new, |path| path.display().to_string()),
            name: format!("/{}", record.name),
            driver: "overlay2".to_owned(),
            platform: "linux".to_owned(),
            app_armor_profile: super::security::apparmor_profile(&record.host_config)
                .unwrap_or_default(),
            exec_ids: self.inner.execs.unfinished(&record.id),
            host_config: record.host_config.clone(),
            graph_driver,
            size_rw: sizes.map(|(writable, _)| writable),
            size_root_fs: sizes.map(|(_, root)| root),
            mounts: mount_points(&record),
            config: record.config.clone(),
            network_settings: self.network_settings(&record),
            ..ContainerInspectResponse::default()
        })
    }

    fn network_settings(&self, record: &Record) -> NetworkSettings {
        let networks = self.endpoint_settings(record);
        let bridge = networks.get("bridge").cloned().unwrap_or_default();
        let bound = record
            .endpoint
            .as_ref()
            .map_or(&[][..], |endpoint| &endpoint.ports);
        let ports = if record.state.status == Status::Running {
            bindings::port_map(&record.config, bound)
        } else {
            BTreeMap::default()
        };
        NetworkSettings {
            sandbox_id: if record.state.status == Status::Running {
                record.id.clone()
            } else {
                String::new()
            },
            sandbox_key: match record.state.pid {
                0 => String::new(),
                pid => format!("/proc/{pid}/ns/net"),
            },
            ports,
            endpoint_id: bridge.endpoint_id.clone(),
            gateway: bridge.gateway.clone(),
            ip_address: bridge.ip_address.clone(),
            ip_prefix_len: bridge.ip_prefix_len,
            mac_address: bridge.mac_address.clone(),
            networks,
            ..NetworkSettings::default()
        }
    }
}

/// The program and its arguments.
pub(crate) fn command(config: &ContainerConfig) -> (String, Vec<String>) {
    let mut words = config
        .entrypoint
        .iter()
        .flatten()
        .chain(config.cmd.iter().flatten())
        .cloned();
    (words.next().unwrap_or_default(), words.collect())
}

/// A time as Go prints it.
pub(crate) fn time(time: Option<Timestamp>) -> String {
    time.map_or_else(|| NEVER.to_owned(), |time| time.to_string())
}

fn state(record: &Record) -> ContainerState {
    let state = &record.state;
    ContainerState {
        status: state.status.as_str().to_owned(),
        running: state.status == Status::Running,
        oom_killed: state.oom_killed,
        pid: i64::from(state.pid),
        exit_code: state.exit_code,
        error: state.error.clone(),
        started_at: time(state.started),
        finished_at: time(state.finished),
        ..ContainerState::default()
    }
}

fn graph_directories(snapshot: &tare_storage::Snapshot) -> BTreeMap<String, String> {
    let lower: Vec<_> = snapshot
        .lower
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    BTreeMap::from([
        ("LowerDir".to_owned(), lower.join(":")),
        ("UpperDir".to_owned(), snapshot.upper.display().to_string()),
        ("WorkDir".to_owned(), snapshot.work.display().to_string()),
    ])
}

/// The mounts that a client asked for.
pub(crate) fn mount_points(record: &Record) -> Vec<MountPoint> {
    let Ok(mounts) = super::mounts::requested(&record.host_config) else {
        return Vec::new();
    };
    mounts
        .into_iter()
        .filter_map(|mount| mount.point())
        .collect()
}
