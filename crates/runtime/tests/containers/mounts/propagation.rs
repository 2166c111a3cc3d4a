//! `linux.rootfsPropagation` and the mounts' own.

use tare_oci::runtime::RootfsPropagation;
use tare_sys::namespace::Kinds;

use super::{tmpfs, with};
use crate::background::isolated;
use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(super) const TESTS: &[Test] = &[
    ("mounts::the_root_has_the_propagation_asked_for", root),
    ("mounts::mounts_have_the_propagation_asked_for", each),
];

/// The propagation fields of a place in mountinfo, without numbers.
fn fields(mountinfo: &str, place: &str) -> String {
    let line = mountinfo
        .lines()
        .rev()
        .find(|line| line.split(' ').nth(4) == Some(place))
        .unwrap_or_else(|| panic!("{place} in {mountinfo}"));
    line.split(' ')
        .skip(6)
        .take_while(|field| *field != "-")
        .map(|field| field.split(':').next().unwrap_or(field))
        .collect::<Vec<_>>()
        .join(" ")
}

fn root() {
    use RootfsPropagation as P;
    // Shared among themselves, as a host's mounts are.
    isolated(Kinds::MOUNT, || {
        use rustix::mount::MountPropagationFlags as Flags;
        super::options::make_private();
        rustix::mount::mount_change("/", Flags::SHARED | Flags::REC).expect("changes");
        // Value, the root's fields, those of a mount in it.
        for (value, root, inner) in [
            // As runc 1.1 has it, asked in the same way.
            (None, "master", ""),
            (Some(P::Private), "", ""),
            (Some(P::Rprivate), "", ""),
            (Some(P::Slave), "master", ""),
            (Some(P::Rslave), "master", ""),
            // runc 1.1 forgets these, and fails with the last two.
            (Some(P::Shared), "shared", ""),
            (Some(P::Rshared), "shared", "shared"),
            (Some(P::Unbindable), "unbindable", ""),
            (Some(P::Runbindable), "unbindable", "unbindable"),
        ] {
            let sandbox = Sandbox::new();
            let mut spec = with(&sandbox, [tmpfs("/in", &[])], "cat /proc/self/mountinfo");
            spec.linux.as_mut().expect("linux").rootfs_propagation = value;
            let before = std::fs::read_to_string("/proc/self/mountinfo").expect("mounts");
            let running = sandbox
                .start_on(
                    tare_runtime::Rootfs::Path(sandbox.lower("")),
                    &spec,
                    tare_runtime::Identity::Configured,
                )
                .expect("starts");
            let during = std::fs::read_to_string("/proc/self/mountinfo").expect("mounts");
            assert_eq!(before, during, "{value:?}: mounts show outside");
            let text = running.finish().output;
            assert_eq!(fields(&text, "/"), root, "{value:?}");
            assert_eq!(fields(&text, "/in"), inner, "{value:?}");
        }
    });
}

fn each() {
    let sandbox = Sandbox::new();
    let places = ["private", "shared", "slave", "unbindable", "rshared"];
    let mounts = places.map(|option| tmpfs(&format!("/{option}"), &[option]));
    let spec = with(&sandbox, mounts, "cat /proc/self/mountinfo");
    let text = sandbox.run(&spec).expect("runs").output;
    let found = places.map(|option| fields(&text, &format!("/{option}")));
    assert_eq!(found, ["", "shared", "", "unbindable", "shared"]);
}
