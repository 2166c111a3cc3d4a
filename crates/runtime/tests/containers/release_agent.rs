//! The v1 hierarchies' release agent: a program that the host's kernel runs,
//! as the host's root, when a group becomes empty (CVE-2022-0492).

use tare_oci::runtime::{IdMapping, Linux, Namespace, NamespaceKind, Spec};
use tare_runtime::Identity;
use tare_runtime::cgroup::Layout;

use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(crate) const TESTS: &[Test] = &[
    (
        "release_agent::is_out_of_reach_by_default_cve_2022_0492",
        by_default,
    ),
    (
        "release_agent::is_out_of_reach_of_a_user_namespace_cve_2022_0492",
        in_user_namespace,
    ),
    (
        "release_agent::is_not_in_the_view_of_the_own_group_cve_2022_0492",
        own_view,
    ),
];

/// Says which of the ways to an agent is open. Nothing is written but what is
/// there: nothing.
const ATTACK: &str = "
    for file in $(find /sys/fs/cgroup -name release_agent 2>/dev/null); do
        echo seen $file
    done
    for group in /sys/fs/cgroup /sys/fs/cgroup/*; do
        (echo 1 > $group/notify_on_release) 2>/dev/null && echo notified $group
        mkdir $group/nested 2>/dev/null && echo nested $group && rmdir $group/nested
    done
    mkdir -p /dev/shm/hierarchy
    for controller in memory cpu pids devices rdma; do
        mount -t cgroup -o $controller cgroup /dev/shm/hierarchy 2>/dev/null || continue
        agent=/dev/shm/hierarchy/release_agent
        [ -s $agent ] || (echo > $agent) 2>/dev/null && echo written $controller
        umount /dev/shm/hierarchy
    done
    echo tried";

/// The attack's words in a container that is allowed all that it needs but
/// what `change` takes away.
fn attack(change: impl FnOnce(&mut Spec, &mut Linux)) -> String {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&["sh", "-c", ATTACK]);
    let mut linux = spec.linux.take().expect("linux");
    change(&mut spec, &mut linux);
    spec.linux = Some(linux);
    sandbox
        .run_as(&spec, Identity::Configured)
        .expect("runs")
        .output
}

fn allow_mounts(spec: &mut Spec, linux: &mut Linux) {
    let process = spec.process.as_mut().expect("a process");
    let capabilities = process.capabilities.as_mut().expect("capabilities");
    for set in [
        &mut capabilities.bounding,
        &mut capabilities.effective,
        &mut capabilities.permitted,
    ] {
        set.push("CAP_SYS_ADMIN".to_owned());
    }
    linux.seccomp = None;
}

fn by_default() {
    assert_eq!(attack(|_, _| {}), "tried");
    // Nor is it the filter alone that keeps it away.
    assert_eq!(attack(|_, linux| linux.seccomp = None), "tried");
}

fn in_user_namespace() {
    let mapping = || {
        vec![IdMapping {
            container_id: 0,
            host_id: 100_000,
            size: 65_536,
        }]
    };
    let output = attack(|spec, linux| {
        allow_mounts(spec, linux);
        linux.namespaces.push(Namespace {
            kind: NamespaceKind::User,
            path: None,
        });
        linux.uid_mappings = mapping();
        linux.gid_mappings = mapping();
    });
    assert_eq!(output, "tried");
}

fn own_view() {
    // Who may mount on the host's behalf gets there, which proves the attack;
    // what the container was given does not lead there even so.
    let output = attack(|spec, linux| {
        allow_mounts(spec, linux);
        linux
            .namespaces
            .retain(|namespace| namespace.kind != NamespaceKind::Cgroup);
        for mount in &mut spec.mounts {
            if mount.kind.as_deref() == Some("cgroup") {
                mount.options.retain(|option| option != "ro");
            }
        }
    });
    assert!(!output.contains("seen"), "{output}");
    let has_v1 = Layout::detect()
        .expect("hierarchies")
        .hierarchies
        .iter()
        .any(|hierarchy| hierarchy.controllers.iter().any(|name| name == "memory"));
    if has_v1 {
        assert!(output.contains("written memory"), "{output}");
    }
}
