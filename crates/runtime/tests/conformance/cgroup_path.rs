//! config-linux.md, "Cgroups Path".

use serde_json::json;

use crate::bundle::Bundle;
use crate::cgroups;

tests!(cgroup_path:
    an_absolute_one_is_relative_to_the_mount_point,
    a_relative_one_is_the_same_place_every_time,
    none_is_a_default_of_its_own,
    all_processes_are_in_the_group,
    a_namespace_has_the_group_as_its_root,
    does_not_leave_the_hierarchy,
);

/// Cgroups path: an absolute path MUST be taken to be relative to the mount
/// point, and what is missing is created.
fn an_absolute_one_is_relative_to_the_mount_point() {
    let mut bundle = Bundle::sleeping();
    let path = format!("/{}/deep/er", bundle.id);
    bundle.set("/linux/cgroupsPath", json!(path));
    let pid = bundle.created();
    assert_eq!(cgroups::path_of(pid, "pids"), path);
    assert_eq!(cgroups::path_of(pid, "memory"), path);
    bundle.stop();
    bundle.call("delete").succeeds();
    // Who makes groups on the way may leave or remove them.
    cgroups::remove(&bundle.id);
}

/// Cgroups path: with the same value the runtime MUST consistently attach to
/// the same place.
fn a_relative_one_is_the_same_place_every_time() {
    let mut bundle = Bundle::sleeping();
    let path = format!("{}-relative", bundle.id);
    bundle.set("/linux/cgroupsPath", json!(path));
    let mut seen = Vec::new();
    for _ in 0..2 {
        let pid = bundle.created();
        seen.push(cgroups::path_of(pid, "pids"));
        let delete = ["delete", "--force", &bundle.id];
        bundle.runtime.call(&delete).succeeds();
    }
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].ends_with(&path), "{seen:?}");
}

/// Cgroups path: it is optional. Two containers do not share the default.
fn none_is_a_default_of_its_own() {
    let mut first = Bundle::sleeping();
    let mut second = Bundle::sleeping();
    first.remove("/linux/cgroupsPath");
    second.remove("/linux/cgroupsPath");
    let (first, second) = (first.created(), second.created());
    assert_ne!(
        cgroups::path_of(first, "pids"),
        cgroups::path_of(second, "pids")
    );
    let own = i32::try_from(std::process::id()).expect("a process ID");
    assert_ne!(
        cgroups::path_of(first, "pids"),
        cgroups::path_of(own, "pids")
    );
}

/// Control groups: what the program starts, and what `exec` starts, is in it.
fn all_processes_are_in_the_group() {
    let mut bundle = Bundle::new("sleep 1000 & sleep 1000");
    let pid = bundle.started();
    let expected = cgroups::path_of(pid, "pids");
    let text = bundle
        .exec("cat /proc/self/cgroup; exec cat /proc/1/cgroup")
        .succeeds();
    let count = text
        .lines()
        .filter(|line| line.ends_with(&expected))
        .count();
    assert!(count >= 2, "{text}");
    let directory = cgroups::directory_of(pid, "pids");
    crate::subtree::eventually("the children are there", || {
        std::fs::read_to_string(directory.join("cgroup.procs"))
            .is_ok_and(|text| text.lines().count() >= 2)
    });
}

/// Namespaces, `cgroup`: the container has an isolated view of the hierarchy.
fn a_namespace_has_the_group_as_its_root() {
    let mut bundle = Bundle::new("cat /proc/self/cgroup");
    bundle.push("/linux/namespaces", json!({"type": "cgroup"}));
    let text = bundle.output();
    assert!(!text.contains(&bundle.id), "{text}");
    assert!(text.lines().any(|line| line.ends_with(":/")), "{text}");
}

/// Cgroups path: nothing leads out of the hierarchy: such a path is refused or
/// stays inside.
fn does_not_leave_the_hierarchy() {
    let mut bundle = Bundle::sleeping();
    let path = format!("/../../../../tmp/{}", bundle.id);
    bundle.set("/linux/cgroupsPath", json!(path));
    let outcome = bundle.create();
    if outcome.code == 0 {
        assert_ne!(cgroups::named(&bundle.id).len(), 0);
    }
    assert!(!bundle.path("cgroup.procs").exists());
    let delete = ["delete", "--force", &bundle.id];
    bundle.runtime.call(&delete).succeeds();
    cgroups::remove(&bundle.id);
    // The way there may have been made, too.
    for hierarchy in cgroups::hierarchies() {
        let _ = std::fs::remove_dir(hierarchy.join("tmp"));
    }
}
