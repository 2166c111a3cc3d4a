//! From the flags of `run` and `create` to the request that the engine gets:
//! field for field what Docker's client sends, which the tests prove with
//! that client.

pub(crate) mod checks;
mod device;
pub(crate) mod environment;
mod health;
pub(crate) mod mount;
pub(crate) mod network;
mod port;
mod security;
#[cfg(test)]
mod tests;
mod volume;

use std::collections::BTreeMap;

use tare_engine_api::{
    ContainerConfig, ContainerCreateRequest, Empty, HostConfig, LogConfig, NetworkingConfig,
    RestartPolicy,
};

use crate::grammar::Matches;

/// An option that makes no sense, in the words that Docker has for it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct OptionError(pub(crate) String);

impl OptionError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Where the client runs: what some options are resolved against.
pub(crate) struct Surroundings<'s> {
    /// Looks an environment variable up.
    pub(crate) variable: &'s dyn Fn(&str) -> Option<String>,
    /// The working directory, for relative host paths.
    pub(crate) directory: Option<std::path::PathBuf>,
}

/// The request for a container of `arguments[0]`, running the rest.
///
/// # Errors
/// Options that contradict each other or have values that make no sense.
pub(crate) fn create_request(
    matches: &Matches<'_>,
    surroundings: &Surroundings<'_>,
) -> Result<ContainerCreateRequest, OptionError> {
    refuse_unsupported(matches)?;
    let volumes = volume::parse(&matches.list("volume"), surroundings)?;
    let ports = port::parse(&matches.list("publish"), &matches.list("expose"))?;
    let devices = device::parse(&matches.list("device"))?;
    let security = security::parse(&matches.list("security-opt"))?;
    let networks = network::parse(matches)?;

    let attach: Vec<String> = matches.list("attach");
    let attached = |stream: &str| attach.iter().any(|name| name == stream);
    let interactive = matches.switch("interactive");
    let attach_stdin = attached("stdin") || interactive;
    let mut command = matches.arguments.iter();
    let image = command.next().cloned().unwrap_or_default();
    let command: Vec<String> = command.cloned().collect();

    let config = ContainerConfig {
        hostname: matches.text_or_empty("hostname"),
        domainname: matches.text_or_empty("domainname"),
        user: matches.text_or_empty("user"),
        attach_stdin,
        attach_stdout: attach.is_empty() || attached("stdout"),
        attach_stderr: attach.is_empty() || attached("stderr"),
        exposed_ports: ports
            .exposed
            .into_iter()
            .map(|port| (port, Empty {}))
            .collect(),
        tty: matches.switch("tty"),
        open_stdin: interactive,
        // Whoever attaches at the start is the one whose leaving ends input.
        stdin_once: interactive && attach_stdin,
        env: some_list(environment::variables(
            &matches.list("env-file"),
            &matches.list("env"),
            surroundings,
        )?),
        cmd: some_list(command),
        healthcheck: health::parse(matches)?,
        image,
        volumes: Some(
            volumes
                .anonymous
                .into_iter()
                .map(|path| (path, Empty {}))
                .collect(),
        ),
        working_dir: matches.text_or_empty("workdir"),
        // An empty entrypoint resets the image's.
        entrypoint: matches
            .text("entrypoint")
            .map(|program| vec![program.to_owned()]),
        labels: key_values(&environment::labels(
            &matches.list("label-file"),
            &matches.list("label"),
        )?),
        stop_signal: matches.text("stop-signal").map(str::to_owned),
        stop_timeout: matches.number("stop-timeout"),
        ..ContainerConfig::default()
    };
    let restart_policy = restart_policy(
        &matches
            .text("restart")
            .map_or_else(|| "no".to_owned(), str::to_owned),
    )?;
    if matches.switch("rm") && !matches!(restart_policy.name.as_str(), "" | "no") {
        return Err(OptionError::new(
            "conflicting options: cannot specify both --restart and --rm",
        ));
    }
    let host_config = HostConfig {
        binds: some_list(volumes.binds),
        mounts: mount::parse(&matches.list("mount"), surroundings)?,
        tmpfs: tmpfs(&matches.list("tmpfs")),
        volumes_from: some_list(matches.list("volumes-from")),
        volume_driver: matches.text_or_empty("volume-driver"),
        container_id_file: matches.text_or_empty("cidfile"),
        log_config: log_config(matches)?,
        network_mode: networks.mode,
        port_bindings: ports.bindings,
        publish_all_ports: matches.switch("publish-all"),
        restart_policy,
        auto_remove: matches.switch("rm"),
        annotations: key_values(&matches.list("annotation")),
        dns: Some(matches.list("dns")),
        dns_options: Some(matches.list("dns-option")),
        dns_search: Some(matches.list("dns-search")),
        extra_hosts: some_list(matches.list("add-host")),
        group_add: some_list(matches.list("group-add")),
        ipc_mode: matches.text_or_empty("ipc"),
        links: some_list(matches.list("link")),
        oom_score_adj: matches.number("oom-score-adj").unwrap_or_default(),
        pid_mode: mode(matches, "pid", "PID", &["host", "container:"])?,
        uts_mode: mode(matches, "uts", "UTS", &["host"])?,
        userns_mode: mode(matches, "userns", "USER", &["host"])?,
        cgroupns_mode: mode(matches, "cgroupns", "CGROUP", &["private", "host"])?,
        privileged: matches.switch("privileged"),
        readonly_rootfs: matches.switch("read-only"),
        storage_opt: storage_options(&matches.list("storage-opt"))?,
        shm_size: matches.number("shm-size").unwrap_or_default(),
        sysctls: key_values(&matches.list("sysctl")),
        runtime: matches.text_or_empty("runtime"),
        init: matches.changed("init").then(|| matches.switch("init")),
        devices: Some(devices.mappings),
        device_requests: some_list(devices.requests),
        ..HostConfig::default()
    };
    let host_config = security.apply(resources(matches, host_config)?, matches);
    let networking_config = NetworkingConfig {
        endpoints_config: networks.endpoints,
    };
    Ok(ContainerCreateRequest {
        config,
        host_config,
        networking_config,
    })
}

/// Fills in what a container may use.
fn resources(matches: &Matches<'_>, host_config: HostConfig) -> Result<HostConfig, OptionError> {
    let number = |flag| matches.number(flag).unwrap_or_default();
    let swappiness = matches.number("memory-swappiness").unwrap_or(-1);
    if !(-1..=100).contains(&swappiness) {
        return Err(OptionError(format!(
            "invalid value: {swappiness}. Valid memory swappiness range is 0-100"
        )));
    }
    Ok(HostConfig {
        cgroup_parent: matches.text_or_empty("cgroup-parent"),
        memory: number("memory"),
        memory_reservation: number("memory-reservation"),
        memory_swap: number("memory-swap"),
        memory_swappiness: Some(swappiness),
        kernel_memory: number("kernel-memory"),
        oom_kill_disable: Some(matches.switch("oom-kill-disable")),
        nano_cpus: number("cpus"),
        cpu_shares: number("cpu-shares"),
        cpu_period: number("cpu-period"),
        cpu_quota: number("cpu-quota"),
        cpu_realtime_period: number("cpu-rt-period"),
        cpu_realtime_runtime: number("cpu-rt-runtime"),
        cpuset_cpus: matches.text_or_empty("cpuset-cpus"),
        cpuset_mems: matches.text_or_empty("cpuset-mems"),
        pids_limit: Some(number("pids-limit")),
        blkio_weight: number("blkio-weight"),
        blkio_weight_device: Some(device::weights(&matches.list("blkio-weight-device"))),
        blkio_device_read_bps: Some(device::throttles(&matches.list("device-read-bps"))),
        blkio_device_write_bps: Some(device::throttles(&matches.list("device-write-bps"))),
        blkio_device_read_iops: Some(device::throttles(&matches.list("device-read-iops"))),
        blkio_device_write_iops: Some(device::throttles(&matches.list("device-write-iops"))),
        device_cgroup_rules: some_list(matches.list("device-cgroup-rule")),
        ulimits: Some(security::ulimits(&matches.list("ulimit"))),
        ..host_config
    })
}

/// What cannot work on Linux, or not yet, by name.
fn refuse_unsupported(matches: &Matches<'_>) -> Result<(), OptionError> {
    for flag in ["cpu-count", "cpu-percent", "io-maxbandwidth", "io-maxiops"] {
        if matches.changed(flag) {
            return Err(OptionError(format!(
                "\"--{flag}\" is for engines on Windows only"
            )));
        }
    }
    if matches
        .text("isolation")
        .is_some_and(|value| !matches!(value, "" | "default"))
    {
        return Err(OptionError::new(
            "\"--isolation\" is for engines on Windows only",
        ));
    }
    for (flag, remedy) in [
        ("gpus", "pass the GPU's device nodes with --device"),
        ("use-api-socket", "mount the engine's socket with --volume"),
    ] {
        if matches.changed(flag) {
            return Err(OptionError(format!(
                "\"--{flag}\" is not supported yet; {remedy}"
            )));
        }
    }
    Ok(())
}

fn mode(
    matches: &Matches<'_>,
    flag: &str,
    name: &str,
    known: &[&str],
) -> Result<String, OptionError> {
    let value = matches.text_or_empty(flag);
    let fits = |candidate: &&str| match candidate.strip_suffix(':') {
        Some(_) => value
            .strip_prefix(candidate)
            .is_some_and(|rest| !rest.is_empty()),
        None => value == *candidate,
    };
    if value.is_empty() || known.iter().any(fits) {
        return Ok(value);
    }
    Err(OptionError(format!("--{flag}: invalid {name} mode")))
}

fn restart_policy(text: &str) -> Result<RestartPolicy, OptionError> {
    let (name, count) = match text.split_once(':') {
        Some((name, count)) => (name, Some(count)),
        None => (text, None),
    };
    if name.is_empty() && count.is_some() {
        return Err(OptionError::new(
            "invalid restart policy format: no policy provided before colon",
        ));
    }
    let maximum_retry_count = match count.filter(|count| !count.is_empty()).map(str::parse) {
        None => 0,
        Some(Ok(count)) => count,
        Some(Err(_)) => {
            return Err(OptionError::new(
                "invalid restart policy format: maximum retry count must be an integer",
            ));
        }
    };
    Ok(RestartPolicy {
        name: name.to_owned(),
        maximum_retry_count,
    })
}

fn log_config(matches: &Matches<'_>) -> Result<LogConfig, OptionError> {
    let config = key_values(&matches.list("log-opt"));
    let kind = matches.text_or_empty("log-driver");
    if kind == "none" && !config.is_empty() {
        return Err(OptionError::new("invalid logging opts for driver none"));
    }
    Ok(LogConfig { kind, config })
}

fn storage_options(options: &[String]) -> Result<BTreeMap<String, String>, OptionError> {
    if options.iter().any(|option| !option.contains('=')) {
        return Err(OptionError::new("invalid storage option"));
    }
    Ok(key_values(options))
}

fn tmpfs(specifications: &[String]) -> BTreeMap<String, String> {
    specifications
        .iter()
        .map(|text| text.split_once(':').unwrap_or((text, "")))
        .map(|(path, options)| (path.to_owned(), options.to_owned()))
        .collect()
}

/// `key=value` texts as a map; the last of equal keys counts.
pub(crate) fn key_values(texts: &[String]) -> BTreeMap<String, String> {
    texts
        .iter()
        .map(|text| text.split_once('=').unwrap_or((text, "")))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// Go's clients send null for a list that was never filled.
fn some_list<T>(list: Vec<T>) -> Option<Vec<T>> {
    if list.is_empty() { None } else { Some(list) }
}
