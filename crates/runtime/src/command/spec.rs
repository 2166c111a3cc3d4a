//! `spec`: a configuration to begin with, written as a bundle's config.json.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use tare_oci::runtime::{
    Capabilities, DeviceRule, IdMapping, Linux, Mount, Namespace, NamespaceKind, Process,
    ResourceLimit, Resources, Root, Spec, VERSION,
};

use super::flags::{Count, Flag, Parsed, Verb};
use super::{Error, Globals};
use crate::cgroup::Layout;

pub(super) const VERB: Verb = Verb {
    name: "spec",
    arguments: "",
    about: "write a configuration to begin with",
    flags: &[
        Flag::value("bundle", "DIR", "the bundle that gets it").short('b'),
        Flag::switch("rootless", "one for somebody who is not root"),
    ],
    count: Count::Exactly(0),
    has_command: false,
    run,
};

fn run(_: &Globals, parsed: &Parsed) -> Result<ExitCode, Error> {
    let bundle = parsed.value("bundle").filter(|path| !path.is_empty());
    let path = Path::new(bundle.unwrap_or(".")).join("config.json");
    let has_cgroup_namespace = Layout::detect().is_ok_and(|layout| layout.hierarchies.is_empty());
    let mut spec = example(has_cgroup_namespace);
    if parsed.has("rootless") {
        let user = rustix::process::geteuid().as_raw();
        make_rootless(&mut spec, user, rustix::process::getegid().as_raw());
    }
    // One that is there is somebody's work.
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o666)
        .open(&path);
    match file {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Error::State(
            "File config.json exists. Remove it first".to_owned(),
        )),
        file => file
            .and_then(|mut file| file.write_all(&encode(&spec)))
            .map(|()| ExitCode::SUCCESS)
            .map_err(|source| Error::io("writing", &path, source)),
    }
}

/// Indented by tabs, as runc does.
fn encode(spec: &Spec) -> Vec<u8> {
    let mut text = Vec::new();
    let indented = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, indented);
    // Writing to memory, and a map's keys are texts: nothing to go wrong.
    let _ = spec.serialize(&mut serializer);
    text
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|&one| one.to_owned()).collect()
}

/// The configuration that `runc spec` writes, but for the host name: a shell
/// on a terminal, with very few capabilities.
fn example(has_cgroup_namespace: bool) -> Spec {
    let capabilities = strings(&["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]);
    let mut namespaces = vec![
        NamespaceKind::Pid,
        NamespaceKind::Network,
        NamespaceKind::Ipc,
        NamespaceKind::Uts,
        NamespaceKind::Mount,
    ];
    if has_cgroup_namespace {
        namespaces.push(NamespaceKind::Cgroup);
    }
    Spec {
        version: VERSION.to_owned(),
        process: Some(Process {
            terminal: true,
            args: strings(&["sh"]),
            env: strings(&[
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "TERM=xterm",
            ]),
            cwd: "/".to_owned(),
            capabilities: Some(Capabilities {
                bounding: capabilities.clone(),
                effective: capabilities.clone(),
                permitted: capabilities,
                ..Capabilities::default()
            }),
            rlimits: vec![ResourceLimit {
                kind: "RLIMIT_NOFILE".to_owned(),
                hard: 1024,
                soft: 1024,
            }],
            no_new_privileges: true,
            ..Process::default()
        }),
        root: Some(Root {
            path: "rootfs".to_owned(),
            readonly: true,
        }),
        hostname: Some("tare".to_owned()),
        mounts: mounts(),
        linux: Some(Linux {
            resources: Some(Resources {
                devices: vec![DeviceRule {
                    allow: false,
                    access: Some("rwm".to_owned()),
                    ..DeviceRule::default()
                }],
                ..Resources::default()
            }),
            namespaces: namespaces.into_iter().map(new_namespace).collect(),
            masked_paths: strings(&[
                "/proc/acpi",
                "/proc/asound",
                "/proc/kcore",
                "/proc/keys",
                "/proc/latency_stats",
                "/proc/timer_list",
                "/proc/timer_stats",
                "/proc/sched_debug",
                "/sys/firmware",
                "/proc/scsi",
            ]),
            readonly_paths: strings(&crate::defaults::READONLY_PATHS),
            ..Linux::default()
        }),
        ..Spec::default()
    }
}

fn mounts() -> Vec<Mount> {
    let mount = |destination: &str, kind: &str, source: &str, options: &[&str]| Mount {
        destination: destination.to_owned(),
        kind: Some(kind.to_owned()),
        source: Some(source.to_owned()),
        options: strings(options),
        ..Mount::default()
    };
    vec![
        mount("/proc", "proc", "proc", &[]),
        mount(
            "/dev",
            "tmpfs",
            "tmpfs",
            &["nosuid", "strictatime", "mode=755", "size=65536k"],
        ),
        mount(
            "/dev/pts",
            "devpts",
            "devpts",
            &[
                "nosuid",
                "noexec",
                "newinstance",
                "ptmxmode=0666",
                "mode=0620",
                "gid=5",
            ],
        ),
        mount(
            "/dev/shm",
            "tmpfs",
            "shm",
            &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
        ),
        mount(
            "/dev/mqueue",
            "mqueue",
            "mqueue",
            &["nosuid", "noexec", "nodev"],
        ),
        mount(
            "/sys",
            "sysfs",
            "sysfs",
            &["nosuid", "noexec", "nodev", "ro"],
        ),
        mount(
            "/sys/fs/cgroup",
            "cgroup",
            "cgroup",
            &["nosuid", "noexec", "nodev", "relatime", "ro"],
        ),
    ]
}

fn new_namespace(kind: NamespaceKind) -> Namespace {
    Namespace { kind, path: None }
}

/// Changes a configuration to what somebody who is not root can have: root
/// inside is the caller outside and there is nobody else, the network is the
/// host's, and so /sys can only be the host's as well.
fn make_rootless(spec: &mut Spec, user: u32, group: u32) {
    let only = |host_id| {
        vec![IdMapping {
            container_id: 0,
            host_id,
            size: 1,
        }]
    };
    let linux = spec.linux.get_or_insert_default();
    linux.namespaces.retain(|namespace| {
        !matches!(namespace.kind, NamespaceKind::Network | NamespaceKind::User)
    });
    linux.namespaces.push(new_namespace(NamespaceKind::User));
    linux.uid_mappings = only(user);
    linux.gid_mappings = only(group);
    linux.resources = None;
    for mount in &mut spec.mounts {
        if mount.destination == "/sys" {
            mount.kind = Some("none".to_owned());
            mount.source = Some("/sys".to_owned());
            mount.options = strings(&["rbind", "nosuid", "noexec", "nodev", "ro"]);
        }
        let is_owner = |option: &String| option.starts_with("uid=") || option.starts_with("gid=");
        mount.options.retain(|option| !is_owner(option));
    }
}

#[cfg(test)]
mod tests;
