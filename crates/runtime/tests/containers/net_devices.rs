//! Interfaces that a container gets from the host, which here is a network
//! namespace of the test's own.

use std::os::fd::{AsFd, OwnedFd};
use std::process::Command;

use tare_oci::runtime::{NamespaceKind, NetDevice, Spec};
use tare_runtime::Identity;
use tare_sys::SingleThreaded;
use tare_sys::namespace::{self, Kinds};

use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(crate) const TESTS: &[Test] = &[
    ("net_devices::interfaces_move_with_their_addresses", moved),
    ("net_devices::the_kernel_chooses_a_number", template),
    (
        "net_devices::a_namespace_to_join_and_a_user_namespace",
        joined,
    ),
    ("net_devices::what_cannot_be_moved_is_refused", refused),
    (
        "net_devices::a_failed_container_gives_them_back",
        given_back,
    ),
    (
        "net_devices::kernel_parameters_are_those_of_them",
        parameters,
    ),
];

/// A host without anything but lo, for as long as this lives.
struct Host {
    before: OwnedFd,
}

impl Host {
    fn new() -> Host {
        let proof = SingleThreaded::verify().expect("one thread");
        let before = namespace::current(Kinds::NETWORK).expect("a namespace");
        namespace::leave(proof, Kinds::NETWORK).expect("a new one");
        Host { before }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let proof = SingleThreaded::verify().expect("one thread");
        namespace::enter(proof, self.before.as_fd(), Kinds::NETWORK).expect("goes back");
    }
}

fn ip(arguments: &str) -> String {
    let output = Command::new("ip")
        .args(arguments.split(' '))
        .output()
        .expect("iproute2 must be installed");
    assert!(output.status.success(), "ip {arguments}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn has(name: &str) -> bool {
    let output = Command::new("ip").args(["link", "show", name]).output();
    output.expect("iproute2 must be installed").status.success()
}

/// Both ends of a cable, one with addresses, both up.
fn cable(one: &str, other: &str) {
    ip(&format!("link add {one} type veth peer name {other}"));
    ip(&format!("addr add 10.9.8.7/24 brd + dev {one}"));
    ip(&format!("addr add 10.9.8.8/32 scope link dev {one}"));
    ip(&format!("addr add fd00::5/64 dev {one} nodad"));
    ip(&format!("link set {one} mtu 1400 up"));
    ip(&format!("link set {other} up"));
}

fn spec(sandbox: &Sandbox, script: &str, devices: &[(&str, &str)]) -> Spec {
    let mut spec = sandbox.spec(&["sh", "-c", script]);
    spec.linux.as_mut().expect("linux").net_devices = devices
        .iter()
        .map(|(name, inside)| {
            let inside = Some((*inside).to_owned()).filter(|inside| !inside.is_empty());
            ((*name).to_owned(), NetDevice { name: inside })
        })
        .collect();
    spec
}

const SHOW: &str = "busybox ip addr; busybox ip -6 route";

fn moved() {
    let _host = Host::new();
    cable("ta", "tb");
    let address = ip("-o link show ta");
    let address = address.split("link/ether ").nth(1).expect("an address");
    let address = address.split(' ').next().expect("an address").to_owned();
    let sandbox = Sandbox::new();
    let (stdio, output) = crate::sandbox::pipes();
    let spec = spec(&sandbox, SHOW, &[("ta", "eth7"), ("tb", "")]);
    let mut container = tare_runtime::Container::builder(&sandbox.id, &spec)
        .rootfs(sandbox.rootfs())
        .stdio(stdio)
        .create()
        .expect("creates");
    // Before the program runs already.
    assert!(!has("ta") && !has("tb"));
    container.start().expect("starts");
    let outcome = crate::sandbox::finish(&container.pidfd, output);
    container.destroy();
    let text = &outcome.output;
    for expected in [
        "eth7@",
        "tb@",
        "mtu 1400",
        address.as_str(),
        "inet 10.9.8.7/24 brd 10.9.8.255 scope global eth7",
        "inet6 fd00::5/64 scope global",
        "fd00::/64 dev eth7",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in {text}");
    }
    assert!(!text.contains("10.9.8.8"), "an address of the link: {text}");
    for line in text.lines().filter(|line| line.contains("@")) {
        assert!(line.contains(",UP"), "{line}");
    }
    // The namespace is gone, and with it what was virtual.
    assert!(!has("ta") && !has("tb"));
}

fn template() {
    let _host = Host::new();
    cable("ta", "tb");
    let sandbox = Sandbox::new();
    let spec = spec(&sandbox, SHOW, &[("ta", "net%d"), ("tb", "net%d")]);
    let text = sandbox.run(&spec).expect("runs").output;
    assert_eq!(text.matches(": net").count(), 2, "{text}");
    assert!(text.contains("inet 10.9.8.7/24"), "{text}");
}

fn joined() {
    let _host = Host::new();
    cable("ta", "tb");
    let sandbox = Sandbox::new();
    let other = Sandbox::new();
    let running = other
        .start(&other.spec(&["sleep", "100"]), Identity::Configured)
        .expect("starts");
    let mut joining = spec(&sandbox, SHOW, &[("ta", "eth0")]);
    for namespace in &mut joining.linux.as_mut().expect("linux").namespaces {
        if namespace.kind == NamespaceKind::Network {
            namespace.path = Some(format!("/proc/{}/ns/net", running.container.pid));
        }
    }
    let text = sandbox.run(&joining).expect("runs").output;
    assert!(text.contains("10.9.8.7/24"), "{text}");
    // It stays where the namespace stays, and its name is taken there.
    ip("link add tc type veth peer name td");
    joining.linux.as_mut().expect("linux").net_devices = [(
        "tc".to_owned(),
        NetDevice {
            name: Some("eth0".to_owned()),
        },
    )]
    .into();
    let error = sandbox.run(&joining).expect_err("taken").to_string();
    assert_eq!(
        error,
        "linux.netDevices.tc: the container has an interface eth0 already"
    );
    assert!(has("tc"));
    running.stop();

    let mut with_users = spec(&sandbox, SHOW, &[("tc", "eth0")]);
    let linux = with_users.linux.as_mut().expect("linux");
    linux.namespaces.push(tare_oci::runtime::Namespace {
        kind: NamespaceKind::User,
        path: None,
    });
    let mapping = tare_oci::runtime::IdMapping {
        container_id: 0,
        host_id: 0,
        size: 65536,
    };
    linux.uid_mappings = vec![mapping];
    linux.gid_mappings = vec![mapping];
    let text = sandbox.run(&with_users).expect("runs").output;
    assert!(text.contains("eth0"), "{text}");
}

fn refused() {
    let _host = Host::new();
    cable("ta", "tb");
    ip("link property add dev tb altname anothername");
    let sandbox = Sandbox::new();
    for (devices, expected) in [
        (
            &[("ta", ""), ("tx", "")][..],
            "linux.netDevices.tx: there is no such interface",
        ),
        (
            &[("anothername", "a"), ("tb", "b")],
            "linux.netDevices.tb: is the same interface as anothername",
        ),
        (
            &[("ta", "lo")],
            "linux.netDevices.ta: the container has an interface lo already",
        ),
        (&[("lo", "x")], "linux.netDevices.lo: "),
    ] {
        let error = sandbox
            .run(&spec(&sandbox, "true", devices))
            .expect_err(expected)
            .to_string();
        assert!(error.starts_with(expected), "{error}");
        assert!(!sandbox.has_cgroups());
        assert!(has("ta") && has("tb"));
    }
    let mut hosts = spec(&sandbox, "true", &[("ta", "")]);
    hosts
        .linux
        .as_mut()
        .expect("linux")
        .namespaces
        .retain(|namespace| namespace.kind != NamespaceKind::Network);
    let error = sandbox.run(&hosts).expect_err("the host's").to_string();
    assert_eq!(
        error,
        "linux.netDevices: needs a network namespace of the container's own"
    );
    hosts
        .linux
        .as_mut()
        .expect("linux")
        .namespaces
        .push(tare_oci::runtime::Namespace {
            kind: NamespaceKind::Network,
            path: Some("/proc/self/ns/net".to_owned()),
        });
    let error = sandbox.run(&hosts).expect_err("the host's").to_string();
    assert!(error.starts_with("linux.netDevices: needs"), "{error}");
    // Nothing of it has changed.
    assert!(ip("addr show ta").contains("10.9.8.7/24"));
}

fn given_back() {
    let _host = Host::new();
    cable("ta", "tb");
    ip("link add tbridge type bridge");
    ip("link set tb master tbridge");
    let before = (ip("addr show ta"), ip("link show tb"));
    let sandbox = Sandbox::new();
    let mut nothing = spec(&sandbox, "true", &[("ta", "eth0"), ("tb", "eth1")]);
    nothing.process.as_mut().expect("a process").args = vec!["/no/such/program".to_owned()];
    let error = sandbox.run(&nothing).expect_err("no such program");
    assert_eq!(error.exit_code(), 127, "{error}");
    // The second one fails after the first has been moved.
    let taken = spec(&sandbox, "true", &[("ta", "eth0"), ("tb", "lo")]);
    sandbox.run(&taken).expect_err("taken");
    let now = (ip("addr show ta"), ip("link show tb"));
    for expected in [
        "10.9.8.7/24 brd 10.9.8.255",
        "fd00::5/64",
        ",UP",
        "mtu 1400",
    ] {
        assert!(
            before.0.contains(expected) && now.0.contains(expected),
            "{now:?}"
        );
    }
    assert!(
        now.1.contains("master tbridge") && now.1.contains(",UP"),
        "{now:?}"
    );
}

fn parameters() {
    let _host = Host::new();
    cable("ta", "tb");
    let sandbox = Sandbox::new();
    let mut spec = spec(
        &sandbox,
        "cat /proc/sys/net/ipv4/conf/eth0/forwarding",
        &[("ta", "eth0")],
    );
    spec.linux.as_mut().expect("linux").sysctl =
        [("net.ipv4.conf.eth0.forwarding".to_owned(), "1".to_owned())].into();
    assert_eq!(sandbox.run(&spec).expect("runs").output, "1");
}
