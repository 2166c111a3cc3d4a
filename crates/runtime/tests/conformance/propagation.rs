//! config-linux.md, "Rootfs Mount Propagation".

use std::fs;

use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};
use rustix::mount::{mount, mount_bind, mount_change, unmount};
use serde_json::json;

use crate::bundle::Bundle;
use crate::mountinfo;

tests!(propagation:
    shared_is_a_peer_group_of_its_own,
    slave_receives_mounts_of_the_host,
    rslave_receives_mounts_of_the_host,
    private_receives_none,
    unbindable_cannot_be_bound,
    an_unknown_value_is_an_error,
);

/// A container whose root is in a shared mount of the host; the destination of
/// that mount.
fn shared(propagation: &str) -> (Bundle, String) {
    let mut bundle = Bundle::sleeping();
    let directory = bundle.text("bundle");
    mount_bind(&directory, &directory).expect("mounts");
    mount_change(directory.as_str(), MountPropagationFlags::SHARED).expect("shares");
    bundle.set("/linux/rootfsPropagation", json!(propagation));
    (bundle, directory)
}

/// Mounts something in the root from outside; whether it is seen inside.
#[track_caller]
fn sees_late_mount(bundle: &mut Bundle, directory: &str) -> bool {
    fs::create_dir(bundle.rootfs("late")).expect("a directory");
    bundle.started();
    let late = bundle.text("bundle/rootfs/late");
    mount("tmpfs", &late, "tmpfs", MountFlags::empty(), None).expect("mounts");
    let found = bundle.exec("grep -c ' /late ' /proc/self/mountinfo");
    let delete = ["delete", "--force", &bundle.id];
    bundle.runtime.call(&delete).succeeds();
    unmount(late.as_str(), UnmountFlags::DETACH).expect("unmounts");
    unmount(directory, UnmountFlags::DETACH).expect("unmounts");
    found.stdout.trim_end() == "1"
}

/// Rootfs mount propagation: `shared`: the root belongs to a new peer group.
fn shared_is_a_peer_group_of_its_own() {
    let mut bundle = Bundle::new("cat /proc/self/mountinfo");
    bundle.set("/linux/rootfsPropagation", json!("shared"));
    let root = mountinfo::at(&bundle.output(), "/");
    assert!(root.propagates("shared:"), "{root:?}");
}

/// Rootfs mount propagation: `slave`: mounts of the host appear inside, and not
/// the other way round.
fn slave_receives_mounts_of_the_host() {
    let (mut bundle, directory) = shared("slave");
    bundle.mount("tmpfs", "tmpfs", "/inner", &[]);
    assert!(sees_late_mount(&mut bundle, &directory));
    assert!(bundle.mounts().is_empty(), "{:?}", bundle.mounts());
}

/// The same for `rslave`, which the command lines of engines have.
fn rslave_receives_mounts_of_the_host() {
    let (mut bundle, directory) = shared("rslave");
    assert!(sees_late_mount(&mut bundle, &directory));
}

/// Rootfs mount propagation: `private`: they do not.
fn private_receives_none() {
    let (mut bundle, directory) = shared("private");
    assert!(!sees_late_mount(&mut bundle, &directory));
}

/// Rootfs mount propagation: `unbindable` is private and cannot be bound.
fn unbindable_cannot_be_bound() {
    let mut bundle = Bundle::new("cat /proc/self/mountinfo");
    bundle.set("/linux/rootfsPropagation", json!("unbindable"));
    let root = mountinfo::at(&bundle.output(), "/");
    assert!(root.propagates("unbindable"), "{root:?}");
}

/// Valid values: others MUST be an error.
fn an_unknown_value_is_an_error() {
    for value in ["nonsense", "SHARED", "rrshared"] {
        let mut bundle = Bundle::sleeping();
        bundle.set("/linux/rootfsPropagation", json!(value));
        bundle.refused();
    }
}
