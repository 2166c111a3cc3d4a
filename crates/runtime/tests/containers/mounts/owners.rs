//! Mounts whose owners are translated.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};

use tare_oci::runtime::{IdMapping, Mount};
use tare_sys::namespace::Kinds;

use super::options::{make_private, mount_tmpfs, unmount};
use super::{bind, error, output_in};
use crate::background::isolated;
use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(super) const TESTS: &[Test] = &[
    ("mounts::owners_are_translated", translated),
    ("mounts::owners_below_are_translated_when_asked", below),
    ("mounts::owners_need_mappings", without_mappings),
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
        mount_tmpfs(&volume, rustix::mount::MountFlags::empty());
        mount_tmpfs(&volume.join("below"), rustix::mount::MountFlags::empty());
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
