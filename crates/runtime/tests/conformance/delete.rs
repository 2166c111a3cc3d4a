//! runtime.md, "Delete".

use std::fs;

use serde_json::json;

use crate::bundle::Bundle;
use crate::{cgroups, subtree};

tests!(delete:
    needs_an_id,
    of_an_unknown_container_is_an_error,
    of_a_running_container_is_an_error_without_effect,
    of_a_created_container_is_an_error_without_effect,
    removes_what_create_made,
    removes_processes_that_outlive_the_first,
    lets_the_id_be_used_again,
    keeps_the_bundle_and_bound_files,
    keeps_control_groups_above_its_own,
    keeps_a_control_group_that_was_there_before,
    keeps_namespaces_that_were_joined,
    twice_is_an_error,
    with_force_ends_a_running_container,
    with_force_removes_a_created_container,
    with_force_of_an_unknown_container_succeeds,
);

/// Delete: it MUST be an error when no ID is given.
fn needs_an_id() {
    let bundle = Bundle::sleeping();
    bundle.runtime.call(&["delete"]).fails();
}

/// Delete: deleting a container that does not exist MUST be an error.
fn of_an_unknown_container_is_an_error() {
    let bundle = Bundle::sleeping();
    bundle.call("delete").fails();
}

/// Delete: deleting a container that is not `stopped` MUST have no effect on
/// it and MUST be an error.
fn of_a_running_container_is_an_error_without_effect() {
    let mut bundle = Bundle::sleeping();
    let pid = bundle.started();
    let before = bundle.state();
    bundle.call("delete").fails();
    assert!(subtree::runs(pid));
    assert_eq!(bundle.state(), before);
    assert_eq!(bundle.exec("echo works").succeeds(), "works");
}

/// Delete: the same for one that is `created`.
fn of_a_created_container_is_an_error_without_effect() {
    let mut bundle = Bundle::new("echo ran");
    let pid = bundle.created();
    bundle.call("delete").fails();
    assert!(subtree::runs(pid));
    bundle.call("start").succeeds();
    bundle.wait();
    assert_eq!(bundle.printed(), "ran");
}

/// Delete: the resources that `create` made MUST be deleted.
fn removes_what_create_made() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/linux/resources/pids", json!({"limit": 100}));
    bundle.mount("tmpfs", "tmpfs", "/mnt", &[]);
    bundle.started();
    assert_ne!(cgroups::named(&bundle.id).len(), 0);
    bundle.stop();
    bundle.call("delete").succeeds();
    bundle.assert_gone();
    let left = fs::read_dir(&bundle.runtime.root).expect("the root");
    // What belongs to no container has a name that no container can have.
    let left = left
        .flatten()
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('@'));
    assert_eq!(left.count(), 0);
}

/// Delete: likewise the processes that are still in a container without a PID
/// namespace when its first process has ended.
fn removes_processes_that_outlive_the_first() {
    let mut bundle = Bundle::new("sleep 1000 & exit 0");
    bundle.without_namespace("pid");
    bundle.started();
    bundle.wait();
    // `delete` may need to be told, as runc's does.
    bundle.runtime.call(&["delete", "--force", &bundle.id]);
    bundle.assert_gone();
}

/// Delete: the ID of a deleted container MAY be used by another one.
fn lets_the_id_be_used_again() {
    let mut bundle = Bundle::new("true");
    for _ in 0..3 {
        bundle.started();
        bundle.wait();
        bundle.call("delete").succeeds();
    }
}

/// Delete: what the container did not make MUST NOT be deleted: its bundle,
/// and files that were bound into it.
fn keeps_the_bundle_and_bound_files() {
    let mut bundle = Bundle::new("true");
    fs::create_dir(bundle.path("data")).expect("a directory");
    fs::write(bundle.path("data/file"), "kept").expect("a file");
    let data = bundle.text("data");
    bundle.mount("none", &data, "/data", &["rbind"]);
    bundle.started();
    bundle.wait();
    bundle.call("delete").succeeds();
    for path in [
        "data/file",
        "bundle/config.json",
        "bundle/rootfs/bin/busybox",
    ] {
        assert!(bundle.path(path).exists(), "{path}");
    }
}

/// Delete: nor the control groups above its own.
fn keeps_control_groups_above_its_own() {
    let mut bundle = Bundle::new("true");
    let parent = format!("{}-parent", bundle.id);
    let parents: Vec<_> = cgroups::hierarchies()
        .into_iter()
        .map(|hierarchy| hierarchy.join(&parent))
        .collect();
    for path in &parents {
        fs::create_dir(path).expect("a group");
    }
    bundle.set("/linux/cgroupsPath", json!(format!("/{parent}/child")));
    bundle.started();
    bundle.wait();
    bundle.call("delete").succeeds();
    for path in &parents {
        assert!(!path.join("child").exists(), "{}", path.display());
        fs::remove_dir(path).expect("it is still there");
    }
}

/// Delete: nor a control group that was there before it.
fn keeps_a_control_group_that_was_there_before() {
    let mut bundle = Bundle::new("true");
    let groups: Vec<_> = cgroups::hierarchies()
        .into_iter()
        .map(|hierarchy| hierarchy.join(&bundle.id))
        .collect();
    for path in &groups {
        fs::create_dir(path).expect("a group");
    }
    bundle.started();
    bundle.wait();
    bundle.call("delete").succeeds();
    for path in &groups {
        fs::remove_dir(path).expect("it is still there");
    }
}

/// Delete: nor namespaces that it joined, or who is in them.
fn keeps_namespaces_that_were_joined() {
    let mut other = subtree::helper(&["unshare", "--net", "sleep", "1000"]);
    let path = format!("/proc/{}/ns/net", other.id());
    let own = fs::read_link("/proc/self/ns/net").expect("a namespace");
    subtree::eventually("it is elsewhere", || {
        fs::read_link(&path).is_ok_and(|theirs| theirs != own)
    });
    let mut bundle = Bundle::new("true");
    bundle.without_namespace("network");
    bundle.push(
        "/linux/namespaces",
        json!({"type": "network", "path": path}),
    );
    bundle.started();
    bundle.wait();
    bundle.call("delete").succeeds();
    assert_eq!(other.try_wait().expect("a child"), None);
    other.kill().expect("kills");
    other.wait().expect("a child");
}

/// Delete: after it the container does not exist, so the next is an error.
fn twice_is_an_error() {
    let mut bundle = Bundle::new("true");
    bundle.started();
    bundle.wait();
    bundle.call("delete").succeeds();
    bundle.call("delete").fails();
}

/// `delete --force` of runc's command line kills what runs.
fn with_force_ends_a_running_container() {
    let mut bundle = Bundle::new("trap '' TERM; sleep 1000 & sleep 1000");
    let pid = bundle.started();
    let delete = ["delete", "--force", &bundle.id];
    bundle.runtime.call(&delete).succeeds();
    assert!(!subtree::runs(pid));
    bundle.assert_gone();
}

/// `delete --force` removes a container that never ran.
fn with_force_removes_a_created_container() {
    let mut bundle = Bundle::new("echo ran > /ran");
    bundle.created();
    let delete = ["delete", "--force", &bundle.id];
    bundle.runtime.call(&delete).succeeds();
    bundle.assert_gone();
    assert!(!bundle.rootfs("ran").exists());
}

/// `delete --force` finds nothing to do where nothing is.
fn with_force_of_an_unknown_container_succeeds() {
    let bundle = Bundle::sleeping();
    let delete = ["delete", "--force", &bundle.id];
    bundle.runtime.call(&delete).succeeds();
}
