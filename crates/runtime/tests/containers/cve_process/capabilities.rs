//! Capabilities that a program inherits and nobody meant to give.

use std::fs;

use tare_runtime::Identity;

use super::bundle::{Bundle, said};
use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(crate) const TESTS: &[Test] = &[
    (
        "cve_process::file_capabilities_find_nothing_to_inherit_cve_2022_24769",
        inherited,
    ),
    (
        "cve_process::exec_gives_nothing_to_inherit_cve_2022_29162",
        exec_inherited,
    ),
];

const CAPABILITIES: &str = "grep -E 'Cap(Inh|Prm|Amb)' /proc/self/status";

/// A busybox that has CAP_NET_RAW and CAP_SYS_CHROOT if whoever runs it has
/// them to inherit (`cap_net_raw,cap_sys_chroot+ei`).
fn make_heir(sandbox: &Sandbox) {
    let directory = sandbox.lower("heir");
    fs::create_dir(&directory).expect("directory");
    let path = directory.join("busybox");
    fs::copy("/bin/busybox", &path).expect("busybox-static must be installed");
    const BITS: u32 = 1 << 13 | 1 << 18;
    // struct vfs_cap_data, revision 2, in force at once.
    let words = [0x0200_0001, 0, BITS, 0, 0];
    let value: Vec<u8> = words
        .iter()
        .flat_map(|word: &u32| word.to_le_bytes())
        .collect();
    rustix::fs::setxattr(
        &path,
        "security.capability",
        &value,
        rustix::fs::XattrFlags::empty(),
    )
    .expect("file capabilities");
}

/// The values of the lines that [`CAPABILITIES`] finds.
fn values(text: &str) -> Vec<&str> {
    let values: Vec<&str> = text.split_whitespace().skip(1).step_by(2).collect();
    assert_eq!(values.len(), 3, "{text}");
    values
}

const NONE: &str = "0000000000000000";

fn inherited() {
    let sandbox = Sandbox::new();
    make_heir(&sandbox);
    let heir = "/heir/busybox grep -E 'Cap(Inh|Prm|Amb)' /proc/self/status";
    let alice = || Identity::Named {
        user: "alice".to_owned(),
        groups: Vec::new(),
    };
    let outcome = sandbox
        .run_as(&sandbox.spec(&["sh", "-c", heir]), alice())
        .expect("runs");
    assert_eq!(values(&outcome.output), [NONE; 3]);
    // The same where the user is configured by number, and for a further
    // program.
    let mut spec = sandbox.spec(&["sh", "-c", heir]);
    spec.process.as_mut().expect("a process").user.uid = 1000;
    assert_eq!(values(&sandbox.run(&spec).expect("runs").output), [NONE; 3]);
    let running = sandbox
        .start(&sandbox.spec(&["sleep", "100"]), Identity::Configured)
        .expect("starts");
    let process = spec.process.clone().expect("a process");
    let outcome = running.exec(&process, Identity::Configured).expect("runs");
    assert_eq!(values(&outcome.output), [NONE; 3]);
    running.stop();
    // What is asked for is inherited: the attack works on a program that has
    // something to inherit.
    let process = spec.process.as_mut().expect("a process");
    let sets = process.capabilities.as_mut().expect("capabilities");
    sets.inheritable = vec!["CAP_NET_RAW".to_owned()];
    let outcome = sandbox.run(&spec).expect("runs");
    assert_eq!(
        values(&outcome.output),
        ["0000000000002000", "0000000000002000", NONE]
    );
}

fn exec_inherited() {
    let bundle = Bundle::new();
    make_heir(&bundle.sandbox);
    bundle.start_sleeping();
    let root = bundle.exec(&["--cap", "CAP_NET_ADMIN"], &["sh", "-c", CAPABILITIES]);
    assert_eq!(values(&said(&root)), [NONE, "00000000a80435fb", NONE]);
    let heir = "/heir/busybox grep -E 'Cap(Inh|Prm|Amb)' /proc/self/status";
    for flags in [
        &["--user", "1000"][..],
        &["--user", "1000", "--cap", "CAP_NET_RAW"],
    ] {
        let output = bundle.exec(flags, &["sh", "-c", heir]);
        assert_eq!(values(&said(&output)), [NONE; 3], "{flags:?}");
    }
}
