//! runtime.md, "Lifecycle", "Create" and "Start".

use std::fs;

use serde_json::json;

use crate::bundle::Bundle;
use crate::cgroups;

tests!(lifecycle:
    create_does_not_run_the_program,
    create_makes_the_environment,
    create_needs_an_id,
    create_needs_a_bundle,
    create_refuses_an_id_in_use_and_leaves_its_owner_alone,
    create_refuses_invalid_ids,
    a_changed_configuration_has_no_effect_after_create,
    a_removed_configuration_has_no_effect_after_create,
    start_runs_the_program,
    start_needs_an_id,
    start_of_an_unknown_container_is_an_error,
    start_of_a_running_container_is_an_error_without_effect,
    start_of_a_stopped_container_is_an_error_without_effect,
    a_process_is_required_to_start,
);

/// Lifecycle 2, Create: the program MUST NOT be run by `create`.
fn create_does_not_run_the_program() {
    let mut bundle = Bundle::new("echo ran > /ran");
    bundle.created();
    // What would run it is waiting for `start`: a program that was running
    // would have gone on meanwhile.
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert!(!bundle.rootfs("ran").exists());
    assert_eq!(bundle.state()["status"], "created");
}

/// Lifecycle 2, Create: the resources of the configuration MUST be there.
fn create_makes_the_environment() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/hostname", json!("conformance"));
    let pid = bundle.created();
    for kind in ["mnt", "pid", "net", "ipc", "uts"] {
        let theirs = fs::read_link(format!("/proc/{pid}/ns/{kind}")).expect("it lives");
        let ours = fs::read_link(format!("/proc/self/ns/{kind}")).expect("so do we");
        assert_ne!(theirs, ours, "{kind}");
    }
    let group = cgroups::path_of(pid, "pids");
    assert!(group.ends_with(&bundle.id), "{group}");
}

/// Create: it MUST be an error when no ID is given.
fn create_needs_an_id() {
    let bundle = Bundle::sleeping();
    bundle.write();
    let path = bundle.text("bundle");
    bundle.runtime.call(&["create", "--bundle", &path]).fails();
}

/// Create: it MUST be an error when there is no bundle at the path.
fn create_needs_a_bundle() {
    let bundle = Bundle::sleeping();
    for path in [bundle.text("absent"), bundle.text("bundle")] {
        let create = ["create", "--bundle", &path, &bundle.id];
        bundle.runtime.call(&create).fails();
        bundle.assert_gone();
    }
}

/// Create: an ID that is not unique MUST be an error, and no new container
/// made; Errors: the environment is as it was.
fn create_refuses_an_id_in_use_and_leaves_its_owner_alone() {
    let mut bundle = Bundle::new("echo first");
    bundle.created();
    let before = bundle.state();
    let (path, id) = (bundle.text("bundle"), bundle.id.clone());
    let create = ["create", "--bundle", &path, &id];
    bundle.runtime.call(&create).fails();
    assert_eq!(bundle.state(), before);
    bundle.call("start").succeeds();
    bundle.wait();
    assert_eq!(bundle.printed(), "first");
    bundle.runtime.call(&create).fails();
    assert_eq!(bundle.state()["status"], "stopped");
}

/// Create: an ID that is invalid in any way MUST be an error, and no container
/// made.
fn create_refuses_invalid_ids() {
    let bundle = Bundle::sleeping();
    bundle.write();
    let path = bundle.text("bundle");
    for id in ["", ".", "..", "../outside", "a/b", "/a", "a b", "a\nb", "ä"] {
        let create = ["create", "--bundle", &path, id];
        bundle.runtime.call(&create).fails();
        let state = fs::read_dir(&bundle.runtime.root).expect("the root");
        assert_eq!(state.count(), 0, "{id:?}");
        assert!(!bundle.path("outside").exists());
    }
}

/// Lifecycle 2: updates of config.json after `create` MUST NOT affect the
/// container.
fn a_changed_configuration_has_no_effect_after_create() {
    let mut bundle = Bundle::new("echo created with this");
    bundle.set("/annotations", json!({"when": "before"}));
    bundle.created();
    bundle.arguments(&["/bin/echo", "changed"]);
    bundle.set("/annotations", json!({"when": "after"})).write();
    assert_eq!(bundle.state()["annotations"]["when"], "before");
    bundle.call("start").succeeds();
    bundle.wait();
    assert_eq!(bundle.printed(), "created with this");
}

/// Lifecycle 2: the same when the file is gone or nonsense.
fn a_removed_configuration_has_no_effect_after_create() {
    let mut bundle = Bundle::new("echo ran; exec sleep 1000");
    bundle.created();
    fs::remove_file(bundle.path("bundle/config.json")).expect("it is there");
    bundle.call("start").succeeds();
    fs::write(bundle.path("bundle/config.json"), "{").expect("a file");
    assert_eq!(bundle.state()["status"], "running");
    bundle.stop();
    bundle.call("delete").succeeds();
}

/// Start: the program MUST be run as `process` says.
fn start_runs_the_program() {
    let mut bundle = Bundle::new("echo ran > /ran; exec sleep 1000");
    bundle.started();
    assert_eq!(bundle.read_eventually("ran"), "ran");
    assert_eq!(bundle.state()["status"], "running");
}

/// Start: it MUST be an error when no ID is given.
fn start_needs_an_id() {
    let bundle = Bundle::sleeping();
    bundle.runtime.call(&["start"]).fails();
}

/// Start: starting a container that does not exist MUST be an error.
fn start_of_an_unknown_container_is_an_error() {
    let bundle = Bundle::sleeping();
    bundle.call("start").fails();
    bundle.assert_gone();
}

/// Start: starting a container that is not `created` MUST have no effect on it
/// and MUST be an error.
fn start_of_a_running_container_is_an_error_without_effect() {
    let mut bundle = Bundle::new("echo ran >> /ran; exec sleep 1000");
    bundle.started();
    bundle.read_eventually("ran");
    let before = bundle.state();
    bundle.call("start").fails();
    assert_eq!(bundle.state(), before);
    assert_eq!(bundle.read_eventually("ran"), "ran");
}

/// Start: the same for one that has stopped.
fn start_of_a_stopped_container_is_an_error_without_effect() {
    let mut bundle = Bundle::new("echo ran >> /ran");
    bundle.started();
    bundle.wait();
    bundle.call("start").fails();
    assert_eq!(bundle.state()["status"], "stopped");
    assert_eq!(bundle.read_eventually("ran"), "ran");
}

/// config.md, Process: the property is required when `start` is called.
fn a_process_is_required_to_start() {
    let mut bundle = Bundle::sleeping();
    bundle.remove("/process");
    bundle.refused_before_it_runs();
}
