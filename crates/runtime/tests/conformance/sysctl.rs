//! config-linux.md, "Sysctl".

use std::fs;

use serde_json::json;

use crate::bundle::Bundle;

tests!(sysctl:
    parameters_of_the_network_are_set,
    parameters_of_ipc_are_set,
    a_slash_may_separate,
    of_the_host_are_an_error,
    without_their_namespace_are_an_error,
    unknown_ones_are_an_error,
);

/// Sysctl: kernel parameters are modified for the container.
fn parameters_of_the_network_are_set() {
    let mut bundle = Bundle::new(
        "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ip_unprivileged_port_start",
    );
    bundle.set(
        "/linux/sysctl",
        json!({"net.ipv4.ip_forward": "1", "net.ipv4.ip_unprivileged_port_start": "7"}),
    );
    assert_eq!(bundle.output(), "1\n7");
}

/// Sysctl: likewise those of IPC, of the container only.
fn parameters_of_ipc_are_set() {
    let before = fs::read_to_string("/proc/sys/kernel/msgmax").expect("a parameter");
    let mut bundle = Bundle::new("cat /proc/sys/kernel/msgmax");
    bundle.set("/linux/sysctl", json!({"kernel.msgmax": "12345"}));
    assert_eq!(bundle.output(), "12345");
    let after = fs::read_to_string("/proc/sys/kernel/msgmax").expect("a parameter");
    assert_eq!(before, after);
}

/// sysctl(8): the separator is a dot or a slash.
fn a_slash_may_separate() {
    let mut bundle = Bundle::new("cat /proc/sys/net/ipv4/conf/lo/forwarding");
    bundle.set("/linux/sysctl", json!({"net/ipv4/conf/lo/forwarding": "1"}));
    assert_eq!(bundle.output(), "1");
}

/// Valid values: what is the whole host's cannot be modified for a container.
fn of_the_host_are_an_error() {
    for name in ["kernel.panic", "vm.swappiness", "fs.file-max"] {
        let mut bundle = Bundle::sleeping();
        bundle.set("/linux/sysctl", json!({name: "1"}));
        bundle.refused();
    }
}

/// Valid values: nor what would be the host's.
fn without_their_namespace_are_an_error() {
    for (kind, name) in [("network", "net.ipv4.ip_forward"), ("ipc", "kernel.msgmax")] {
        let mut bundle = Bundle::sleeping();
        bundle.without_namespace(kind);
        bundle.set("/linux/sysctl", json!({name: "1"}));
        bundle.refused();
    }
}

/// Valid values: nor what is not there.
fn unknown_ones_are_an_error() {
    for name in ["net.nonsense", "net/../kernel/panic", ""] {
        let mut bundle = Bundle::sleeping();
        bundle.set("/linux/sysctl", json!({name: "1"}));
        bundle.refused();
    }
}
