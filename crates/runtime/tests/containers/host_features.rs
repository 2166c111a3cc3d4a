//! What the host may lack: asked for, it is refused by name before anything is
//! made.

use std::path::Path;

use tare_oci::runtime::{ConsoleSize, IntelRdt, Spec};

use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(crate) const TESTS: &[Test] = &[
    ("host_features::labels_need_their_modules", labels),
    ("host_features::classes_of_service_need_resctrl", classes),
    ("host_features::odd_numbers_are_refused", odd_numbers),
];

fn refused(sandbox: &Sandbox, change: impl FnOnce(&mut Spec)) -> String {
    let mut spec = sandbox.spec(&["true"]);
    change(&mut spec);
    let error = sandbox.run(&spec).expect_err("refused").to_string();
    assert!(!sandbox.has_cgroups());
    error
}

fn labels() {
    let sandbox = Sandbox::new();
    let text = std::fs::read_to_string("/sys/module/apparmor/parameters/enabled");
    if !text.is_ok_and(|text| text.starts_with('Y')) {
        let error = refused(&sandbox, |spec| {
            spec.process.as_mut().expect("a process").apparmor_profile = Some("some".to_owned());
        });
        assert!(error.starts_with("process.apparmorProfile: "), "{error}");
    }
    let mut spec = sandbox.spec(&["true"]);
    spec.process.as_mut().expect("a process").apparmor_profile = Some("unconfined".to_owned());
    assert_eq!(sandbox.run(&spec).expect("runs").code, 0);
    if !Path::new("/sys/fs/selinux/enforce").exists() {
        let error = refused(&sandbox, |spec| {
            spec.process.as_mut().expect("a process").selinux_label = Some("a:b:c:s0".to_owned());
        });
        assert!(error.starts_with("process.selinuxLabel: "), "{error}");
        let error = refused(&sandbox, |spec| {
            spec.linux.as_mut().expect("linux").mount_label = Some("a:b:c:s0".to_owned());
        });
        assert!(error.starts_with("linux.mountLabel: "), "{error}");
    }
}

fn classes() {
    let table = std::fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    if table.contains(" - resctrl ") {
        return;
    }
    let sandbox = Sandbox::new();
    let error = refused(&sandbox, |spec| {
        spec.linux.as_mut().expect("linux").intel_rdt = Some(IntelRdt::default());
    });
    assert!(
        error.starts_with("linux.intelRdt: no resctrl file system is mounted"),
        "{error}"
    );
}

fn odd_numbers() {
    let sandbox = Sandbox::new();
    let error = refused(&sandbox, |spec| {
        spec.process.as_mut().expect("a process").user.umask = Some(0o1000);
    });
    assert!(error.starts_with("process.user.umask: "), "{error}");
    let error = refused(&sandbox, |spec| {
        spec.process.as_mut().expect("a process").console_size = Some(ConsoleSize {
            height: 65536,
            width: 1,
        });
    });
    assert!(error.starts_with("process.consoleSize.height: "), "{error}");
}
