//! Mounts whose owners are translated.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use tare_oci::runtime::{IdMapping, Mount};
use tare_sys::namespace::Kinds;

use super::options::{make_private, unmount};
use super::{bind, error, output_in};
use crate::background::isolated;
use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(super) const TESTS: &[Test] = &[
    ("mounts::owners_are_translated", translated),
    ("mounts::owners_below_are_translated_when_asked", below),
    ("mounts::owners_need_mappings", without_mappings),
    (
        "mounts::a_user_namespace_is_shown_what_its_root_cannot_reach",
        out_of_reach,
    ),
];

fn mapping(container_id: u32, host_id: u32, size: u32) -> Vec<IdMapping> {
    vec![IdMapping {
        container_id,
        host_id,
        size,
    }]
}

fn mapped(mut mount: Mount) -> Mount {
    mount.uid_mappings = mapping(0, 10_000, 2000);
    mount.gid_mappings = mapping(0, 20_000, 2000);
    mount
}

fn translated() {
    let sandbox = Sandbox::new();
    let volume = sandbox.directory.join("volume");
    fs::create_dir(&volume).expect("directory");
    fs::write(volume.join("one"), "").expect("file");
    chown(volume.join("one"), Some(1000), Some(1001)).expect("owner");
    let text = output_in(
        &sandbox,
        [
            mapped(bind(&volume, "/a", &["bind", "idmap"])),
            // As runc: the mappings alone are enough.
            mapped(bind(&volume, "/b", &["bind"])),
            bind(&volume, "/c", &["bind"]),
        ],
        "stat -c '%u %g' /a/one /b/one /c/one /a; touch /a/new 2>/dev/null || echo refused
        busybox chown 10005:20006 /b/one",
    );
    assert_eq!(
        text,
        "11000 21001\n11000 21001\n1000 1001\n10000 20000\nrefused"
    );
    let status = fs::metadata(volume.join("one")).expect("status");
    assert_eq!((status.uid(), status.gid()), (5, 6));
}

fn below() {
    isolated(Kinds::MOUNT, || {
        let sandbox = Sandbox::new();
        make_private();
        let volume = sandbox.directory.join("volume");
        // Not a tmpfs, whose owners can be translated since Linux 6.3 only.
        for path in [volume.clone(), volume.join("below")] {
            fs::create_dir(&path).expect("directory");
            rustix::mount::mount_bind(&path, &path).expect("mounts");
        }
        let text = output_in(
            &sandbox,
            [
                mapped(bind(&volume, "/one", &["rbind", "idmap"])),
                mapped(bind(&volume, "/all", &["rbind", "ridmap"])),
            ],
            "stat -c %u /one /one/below /all /all/below",
        );
        assert_eq!(text, "10000\n0\n10000\n10000");
        unmount(&volume.join("below"));
        unmount(&volume);
    });
}

fn without_mappings() {
    let sandbox = Sandbox::new();
    let volume = sandbox.directory.join("volume");
    fs::create_dir(&volume).expect("directory");
    let one_kind = Mount {
        uid_mappings: mapping(0, 1, 1),
        ..bind(&volume, "/a", &["bind"])
    };
    let overlapping = Mount {
        uid_mappings: [mapping(0, 1, 10), mapping(5, 50, 10)].concat(),
        gid_mappings: mapping(0, 1, 1),
        ..bind(&volume, "/a", &["bind"])
    };
    for (mount, expected) in [
        (
            bind(&volume, "/a", &["bind", "idmap"]),
            "needs mappings, of the mount or of a user namespace",
        ),
        (one_kind, "gidMappings: is missing"),
        (overlapping, "overlaps with range 0"),
        (
            mapped(bind(std::path::Path::new("/proc"), "/a", &["bind"])),
            "translating its owners: invalid argument",
        ),
    ] {
        let message = error(&sandbox, [mount]);
        assert!(message.contains(expected), "{message}");
    }
}

/// With its own privileges, and without a way back to the host.
fn out_of_reach() {
    use rustix::mount::MountPropagationFlags as Flags;
    isolated(Kinds::MOUNT, || {
        make_private();
        rustix::mount::mount_change("/", Flags::SHARED | Flags::REC).expect("changes");
        let sandbox = Sandbox::new();
        let closed = sandbox.directory.join("closed");
        let volume = closed.join("volume");
        fs::create_dir_all(volume.join("inner")).expect("directory");
        fs::write(volume.join("file"), "content").expect("file");
        for path in [&volume, &volume.join("inner"), &volume.join("file")] {
            chown(path, Some(100_000), Some(100_000)).expect("owner");
        }
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).expect("mode");
        for name in ["data", "mapped"] {
            fs::create_dir(sandbox.lower(name)).expect("directory");
        }
        let script = "cat /data/file; echo; stat -c '%u' /data/file /mapped/file; touch /data/new
            mount -t tmpfs x /data/inner && echo mounted; stat -c %t:%T /dev/null
            cat /proc/self/mountinfo; touch /sys/fs/cgroup/x";
        let mut spec = super::with(
            &sandbox,
            [
                bind(&volume, "/data", &["rbind"]),
                bind(&volume, "/mapped", &["rbind", "idmap"]),
            ],
            script,
        );
        let linux = spec.linux.as_mut().expect("linux");
        linux.namespaces.push(tare_oci::runtime::Namespace {
            kind: tare_oci::runtime::NamespaceKind::User,
            path: None,
        });
        linux.uid_mappings = mapping(0, 100_000, 65_536);
        linux.gid_mappings = mapping(0, 100_000, 65_536);
        linux.seccomp = None;
        let process = spec.process.as_mut().expect("a process");
        let sets = process.capabilities.as_mut().expect("capabilities");
        for set in [&mut sets.bounding, &mut sets.effective, &mut sets.permitted] {
            set.push("CAP_SYS_ADMIN".to_owned());
        }
        let before = fs::read_to_string("/proc/self/mountinfo").expect("mounts");
        let running = sandbox
            .start_on(
                tare_runtime::Rootfs::Path(sandbox.lower("")),
                &spec,
                tare_runtime::Identity::Configured,
            )
            .expect("starts");
        let text = running.finish().output;
        assert_eq!(
            fs::read_to_string("/proc/self/mountinfo").expect("mounts"),
            before,
            "a mount shows on the host"
        );
        // Owned by the first mapped ID: root inside. Translated once more it is
        // nobody's.
        assert!(
            text.starts_with("content\n0\n65534\nmounted\n1:3\n"),
            "{text}"
        );
        for line in text.lines().filter(|line| line.contains(" - ")) {
            assert!(!line.contains(" shared:"), "{line}");
        }
        assert_eq!(
            fs::metadata(volume.join("new")).expect("made").uid(),
            100_000
        );
    });
}
