//! config-linux.md, "User namespace mappings": what a container in a user
//! namespace has although its root is nobody on the host.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, chown};

use serde_json::json;

use crate::bundle::Bundle;
use crate::{cgroups, subtree};

tests!(user_namespaces:
    owners_are_translated_both_ways,
    a_limit_that_the_host_does_not_grant_is_an_error,
    limits_and_the_score_are_set,
    configured_devices_are_there,
    parameters_of_the_network_are_set,
    queues_and_sys_are_mounted,
    sys_of_the_hosts_network_is_the_hosts,
    the_control_groups_are_the_containers,
    another_containers_namespaces_are_joined_together,
    another_containers_user_namespace_alone_is_joined,
);

/// The host's ID of root inside.
const ROOT: u32 = 100_000;

/// A container in a user namespace of its own.
fn mapped(script: &str) -> Bundle {
    let mut bundle = Bundle::new(script);
    let mappings = json!([{"containerID": 0, "hostID": ROOT, "size": 65_536}]);
    bundle.push("/linux/namespaces", json!({"type": "user"}));
    bundle.set("/linux/uidMappings", mappings.clone());
    bundle.set("/linux/gidMappings", mappings);
    bundle
}

/// User namespace mappings: from the host to the container.
fn owners_are_translated_both_ways() {
    let script = "stat -c %u:%g /volume/theirs /volume/hosts; echo > /volume/own";
    let mut bundle = mapped(script);
    let volume = bundle.path("volume");
    fs::create_dir(&volume).expect("a directory");
    chown(&volume, Some(ROOT), Some(ROOT)).expect("root may");
    for (name, owner) in [("theirs", ROOT + 5), ("hosts", 0)] {
        fs::write(volume.join(name), "").expect("a file");
        chown(volume.join(name), Some(owner), Some(owner + 1)).expect("root may");
    }
    // In a root that is the host's nobody inside can make anything.
    fs::create_dir(bundle.rootfs("volume")).expect("a directory");
    let source = bundle.text("volume");
    bundle.mount("bind", &source, "/volume", &["rbind"]);
    // Whom the namespace does not have is the kernel's nobody.
    assert_eq!(bundle.output(), "5:6\n65534:65534");
    let own = fs::metadata(volume.join("own")).expect("it was made");
    assert_eq!((own.uid(), own.gid()), (ROOT, ROOT));
}

/// POSIX process, rlimits: what cannot be set MUST be an error.
fn a_limit_that_the_host_does_not_grant_is_an_error() {
    // Above this nobody can go, whatever his capabilities.
    let most = fs::read_to_string("/proc/sys/fs/nr_open").expect("the kernel has it");
    let most: u64 = most.trim().parse().expect("a number");
    let mut bundle = mapped("exec sleep 1000");
    bundle.push(
        "/process/rlimits",
        json!({"type": "RLIMIT_NOFILE", "soft": 10, "hard": most + 1}),
    );
    let message = bundle.refused_before_it_runs();
    assert!(
        message.contains("RLIMIT_NOFILE") || message.contains("rlimit"),
        "{message}"
    );
}

/// Process: rlimits and oomScoreAdj.
fn limits_and_the_score_are_set() {
    let mut bundle = mapped("ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj");
    bundle.push(
        "/process/rlimits",
        json!({"type": "RLIMIT_NOFILE", "soft": 33, "hard": 44}),
    );
    bundle.set("/process/oomScoreAdj", json!(321));
    assert_eq!(bundle.output(), "33\n44\n321");
}

/// Devices: those of the configuration, which nobody in a user namespace can
/// make.
fn configured_devices_are_there() {
    let device = fs::metadata("/dev/kmsg").expect("the host has one");
    assert!(device.file_type().is_char_device());
    let mut bundle = mapped("stat -c %F:%t:%T /dev/kmsg");
    bundle.push(
        "/linux/devices",
        json!({"path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11}),
    );
    assert_eq!(bundle.output(), "character special file:1:b");
}

/// Sysctl: those of the container's namespaces.
fn parameters_of_the_network_are_set() {
    let name = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
    let host = fs::read_to_string(name).expect("the kernel has it");
    let mut bundle = mapped(&format!("cat {name}"));
    bundle.set(
        "/linux/sysctl",
        json!({"net.ipv4.ip_unprivileged_port_start": "77"}),
    );
    assert_eq!(bundle.output(), "77");
    assert_eq!(fs::read_to_string(name).expect("the kernel has it"), host);
}

/// Mounts: those that every ordinary configuration has.
fn queues_and_sys_are_mounted() {
    let script = "while read a b c d e f; do echo $b $c; done < /proc/mounts";
    let mut bundle = mapped(script);
    bundle.mount(
        "mqueue",
        "mqueue",
        "/dev/mqueue",
        &["nosuid", "noexec", "nodev"],
    );
    let output = bundle.output();
    for expected in ["/dev/mqueue mqueue", "/sys sysfs", "/proc proc"] {
        assert!(output.lines().any(|line| line == expected), "{output}");
    }
}

/// A sysfs shows a network, and can be made by its owner only.
fn sys_of_the_hosts_network_is_the_hosts() {
    let mut bundle = mapped("ls /sys/class/net; touch /sys/x 2>/dev/null || echo closed");
    bundle.without_namespace("network");
    let output = bundle.output();
    let (devices, closed) = output.rsplit_once('\n').expect("lines");
    assert_eq!(closed, "closed");
    let mut host: Vec<_> = fs::read_dir("/sys/class/net")
        .expect("sysfs")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    host.sort();
    assert_eq!(devices.lines().collect::<Vec<_>>(), host);
}

/// Mounts: control groups; they are the container's own.
fn the_control_groups_are_the_containers() {
    let group = if cgroups::unified() { "" } else { "/pids" };
    let mut bundle = mapped(&format!(
        "cat /sys/fs/cgroup{group}/cgroup.procs; echo 1 > /sys/fs/cgroup{group}/pids.max || echo closed"
    ));
    // Without a control group namespace version 2 is seen from its root.
    bundle.push("/linux/namespaces", json!({"type": "cgroup"}));
    bundle.mount(
        "cgroup",
        "cgroup",
        "/sys/fs/cgroup",
        &["nosuid", "noexec", "nodev", "relatime", "ro"],
    );
    let output = bundle.output();
    assert!(output.starts_with("1\n"), "{output}");
    assert!(output.ends_with("closed"), "{output}");
}

fn namespace(pid: i32, file: &str) -> String {
    let link = fs::read_link(format!("/proc/{pid}/ns/{file}")).expect("a namespace");
    link.to_string_lossy().into_owned()
}

/// Makes a container join another's namespaces.
fn join(bundle: &mut Bundle, other: i32, kinds: &[(&str, &str)]) {
    for (kind, file) in kinds {
        bundle.without_namespace(kind);
        let path = format!("/proc/{other}/ns/{file}");
        bundle.push("/linux/namespaces", json!({"type": kind, "path": path}));
    }
}

/// Namespaces: with a path they are joined; all of a pod at once.
fn another_containers_namespaces_are_joined_together() {
    let kinds = [("user", "user"), ("network", "net"), ("pid", "pid")];
    let mut first = mapped("exec sleep 1000");
    let other = first.started();
    let mut second = Bundle::new("exec sleep 2000");
    join(&mut second, other, &kinds);
    let pid = second.started();
    for (_, file) in kinds {
        assert_eq!(namespace(pid, file), namespace(other, file), "{file}");
    }
    assert_ne!(namespace(pid, "mnt"), namespace(other, "mnt"));
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    assert!(status.contains(&format!("Uid:\t{ROOT}\t")), "{status}");
    // The first process is the other container's.
    let seen = second.exec("id -u; cat /proc/1/cmdline; readlink /proc/self/ns/pid");
    let expected = format!("0\nsleep\x001000\0{}", namespace(other, "pid"));
    assert_eq!(seen.succeeds(), expected);
    second.stop();
    assert!(subtree::runs(other), "the other container goes on");
}

/// Namespaces: with a path they are joined; the others are new, and theirs.
fn another_containers_user_namespace_alone_is_joined() {
    let mut first = mapped("exec sleep 1000");
    let other = first.started();
    let mut second = Bundle::new("exec sleep 2000");
    join(&mut second, other, &[("user", "user")]);
    let pid = second.started();
    assert_eq!(namespace(pid, "user"), namespace(other, "user"));
    for file in ["pid", "net", "mnt", "ipc", "uts"] {
        assert_ne!(namespace(pid, file), namespace(other, file), "{file}");
    }
    let script = "id -u; readlink /proc/self/ns/user; echo x > /dev/null && echo open";
    let seen = second.exec(script).succeeds();
    assert_eq!(seen, format!("0\n{}\nopen", namespace(other, "user")));
}
