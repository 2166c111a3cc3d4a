//! Containers without a mount namespace of their own.

use std::fs;

use tare_oci::runtime::{NamespaceKind, Spec};
use tare_runtime::{Identity, Rootfs};
use tare_sys::namespace::Kinds;

use super::options::make_private;
use super::{bind, tmpfs, with};
use crate::background::isolated;
use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(super) const TESTS: &[Test] = &[
    (
        "mounts::a_container_can_be_without_a_mount_namespace",
        lives,
    ),
    (
        "mounts::a_failed_container_leaves_no_mount_on_the_host",
        fails,
    ),
    ("mounts::masks_need_a_mount_namespace", masks),
];

fn mounts() -> String {
    fs::read_to_string("/proc/self/mountinfo").expect("mounts")
}

fn without_namespace(spec: &mut Spec) {
    let linux = spec.linux.as_mut().expect("linux");
    linux
        .namespaces
        .retain(|namespace| namespace.kind != NamespaceKind::Mount);
    linux.masked_paths.clear();
    linux.readonly_paths.clear();
}

fn lives() {
    use rustix::mount::MountPropagationFlags as Flags;
    isolated(Kinds::MOUNT, || {
        make_private();
        rustix::mount::mount_change("/", Flags::SHARED | Flags::REC).expect("changes");
        let sandbox = Sandbox::new();
        let volume = sandbox.directory.join("volume");
        fs::create_dir(&volume).expect("directory");
        fs::write(volume.join("file"), "content").expect("file");
        let script = "cat /data/file; ls /; touch /x 2>/dev/null || echo refused; sleep 100; true";
        let mut spec = with(
            &sandbox,
            [bind(&volume, "/data", &["rbind", "ro"]), tmpfs("/t", &[])],
            script,
        );
        without_namespace(&mut spec);
        spec.root.as_mut().expect("a root").readonly = true;
        let rootfs = Rootfs::Path(sandbox.lower(""));
        let before = mounts();
        let running = sandbox
            .start_on(rootfs, &spec, Identity::Configured)
            .expect("starts");
        let during = mounts();
        let place = sandbox.lower("").display().to_string();
        let place = place.trim_end_matches('/');
        for below in ["", "/proc", "/data", "/t", "/dev/pts"] {
            assert!(
                during.contains(&format!(" {place}{below} ")),
                "{place}{below} in {during}"
            );
        }
        // What is mounted inside is shared with nobody.
        for line in during.lines().filter(|line| line.contains(place)) {
            assert!(!line.contains(" shared:"), "{line}");
        }
        let process = sandbox
            .spec(&[
                "sh",
                "-c",
                // The program has said everything when it sleeps.
                "until cat /proc/[0-9]*/comm 2>/dev/null | grep -q sleep; do true; done
                cat /data/file /proc/1/comm",
            ])
            .process
            .expect("a process");
        let outcome = running.exec(&process, Identity::Configured).expect("runs");
        assert_eq!(outcome.output, "contentsh");
        let text = running.stop().output;
        assert!(text.starts_with("contentbin\n"), "{text}");
        assert!(text.ends_with("refused"), "{text}");
        assert!(!text.contains("work\n"), "the host's root: {text}");
        assert_eq!(mounts(), before);
    });
}

fn fails() {
    isolated(Kinds::MOUNT, || {
        make_private();
        let sandbox = Sandbox::new();
        let before = mounts();
        let mut spec = with(
            &sandbox,
            [bind(&sandbox.directory.join("nothing"), "/data", &["bind"])],
            "true",
        );
        without_namespace(&mut spec);
        let result = sandbox.start_on(Rootfs::Path(sandbox.lower("")), &spec, Identity::Configured);
        assert!(result.is_err(), "runs");
        assert_eq!(mounts(), before);
        // Nor when all was mounted before it failed.
        let mut spec = with(&sandbox, [], "true");
        without_namespace(&mut spec);
        spec.process.as_mut().expect("a process").args = vec!["/nothing".to_owned()];
        let result = sandbox.start_on(Rootfs::Path(sandbox.lower("")), &spec, Identity::Configured);
        assert!(result.is_err(), "runs");
        assert_eq!(mounts(), before);
    });
}

fn masks() {
    let sandbox = Sandbox::new();
    let mut spec = with(&sandbox, [], "true");
    let masked = spec.linux.as_ref().expect("linux").masked_paths.clone();
    without_namespace(&mut spec);
    spec.linux.as_mut().expect("linux").masked_paths = masked;
    let error = sandbox.run(&spec).expect_err("refused").to_string();
    assert!(
        error.contains("mount namespace") || error.contains("MNT namespace"),
        "{error}"
    );
    assert!(!sandbox.has_cgroups());
}
