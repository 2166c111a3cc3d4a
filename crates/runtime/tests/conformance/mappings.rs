//! config-linux.md, "User namespace mappings".

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};

use crate::bundle::Bundle;

tests!(mappings:
    are_those_of_the_namespace,
    several_entries_are_all_there,
    the_user_is_one_of_the_namespace,
    the_owner_of_the_root_is_not_changed,
    the_default_devices_are_there,
    an_exec_is_in_the_namespace,
    without_a_namespace_are_an_error,
    that_overlap_are_an_error,
    of_no_size_are_an_error,
);

/// A container in a user namespace with the same mapping for users and groups.
fn mapped(script: &str, mappings: &Value) -> Bundle {
    let mut bundle = Bundle::new(script);
    bundle.push("/linux/namespaces", json!({"type": "user"}));
    bundle.set("/linux/uidMappings", mappings.clone());
    bundle.set("/linux/gidMappings", mappings.clone());
    bundle
}

fn usual() -> Value {
    json!([{"containerID": 0, "hostID": 100_000, "size": 65_536}])
}

/// A map's numbers.
fn numbers(text: &str) -> Vec<u64> {
    text.split_whitespace()
        .map(|word| word.parse().expect("a number"))
        .collect()
}

/// User namespace mappings: from the host's IDs to the container's.
fn are_those_of_the_namespace() {
    let mut bundle = mapped("exec sleep 1000", &usual());
    let pid = bundle.started();
    for name in ["uid_map", "gid_map"] {
        let text = fs::read_to_string(format!("/proc/{pid}/{name}")).expect("a map");
        assert_eq!(numbers(&text), [0, 100_000, 65_536], "{name}");
    }
    assert_eq!(bundle.exec("id -u; id -g").succeeds(), "0\n0");
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    assert!(status.contains("Uid:\t100000\t100000\t100000\t100000\n"));
}

/// User namespace mappings: an array.
fn several_entries_are_all_there() {
    let bundle = mapped(
        "cat /proc/self/uid_map",
        &json!([
            {"containerID": 0, "hostID": 100_000, "size": 10},
            {"containerID": 1000, "hostID": 200_000, "size": 1},
            {"containerID": 2000, "hostID": 300_000, "size": 500},
        ]),
    );
    assert_eq!(
        numbers(&bundle.output()),
        [0, 100_000, 10, 1000, 200_000, 1, 2000, 300_000, 500]
    );
}

/// config.md, User: `uid` and `gid` are those of the container's namespace.
fn the_user_is_one_of_the_namespace() {
    let mut bundle = mapped("exec sleep 1000", &usual());
    bundle.set(
        "/process/user",
        json!({"uid": 5, "gid": 6, "additionalGids": [7]}),
    );
    let pid = bundle.started();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    assert!(status.contains("Uid:\t100005\t"), "{status}");
    assert!(status.contains("Gid:\t100006\t"), "{status}");
    assert!(status.contains("100007"), "{status}");
}

/// User namespace mappings: the runtime SHOULD NOT modify the ownership of
/// file systems.
fn the_owner_of_the_root_is_not_changed() {
    let bundle = mapped("true", &usual());
    bundle.output();
    for path in ["", "bin/busybox", "etc"] {
        let metadata = fs::metadata(bundle.rootfs(path)).expect("it is there");
        assert_eq!(metadata.uid(), 0, "{path}");
    }
}

/// Default devices: they MUST be supplied here, too.
fn the_default_devices_are_there() {
    let script = "for name in null zero full random urandom tty; do
        stat -c %n:%t:%T /dev/$name; done; echo x > /dev/null && head -c 1 /dev/zero | wc -c";
    assert_eq!(
        mapped(script, &usual()).output(),
        "/dev/null:1:3\n/dev/zero:1:5\n/dev/full:1:7\n/dev/random:1:8\n/dev/urandom:1:9\n/dev/tty:5:0\n1"
    );
}

/// What `exec` runs is in the container's namespace.
fn an_exec_is_in_the_namespace() {
    let mut bundle = mapped("exec sleep 1000", &usual());
    let pid = bundle.started();
    let inside = bundle.exec("readlink /proc/self/ns/user; cat /proc/self/uid_map");
    let theirs = fs::read_link(format!("/proc/{pid}/ns/user")).expect("it runs");
    let text = inside.succeeds();
    assert!(text.starts_with(&*theirs.to_string_lossy()), "{text}");
    assert!(text.contains("100000"), "{text}");
}

/// Valid values: mappings of nothing MUST be an error.
fn without_a_namespace_are_an_error() {
    for name in ["uidMappings", "gidMappings"] {
        let mut bundle = Bundle::sleeping();
        bundle.set(&format!("/linux/{name}"), usual());
        bundle.refused();
    }
}

/// Valid values: nor can one ID be two.
fn that_overlap_are_an_error() {
    for second in [
        json!({"containerID": 50, "hostID": 200_000, "size": 100}),
        json!({"containerID": 500, "hostID": 100_050, "size": 100}),
    ] {
        let first = json!({"containerID": 0, "hostID": 100_000, "size": 100});
        mapped("true", &json!([first, second])).refused();
    }
}

/// Valid values: nor can an entry map nothing.
fn of_no_size_are_an_error() {
    mapped(
        "true",
        &json!([{"containerID": 0, "hostID": 100_000, "size": 0}]),
    )
    .refused();
}
