//! runtime.md, "State" and "Query State".

use serde_json::json;

use crate::bundle::Bundle;
use crate::subtree;

tests!(state:
    names_version_id_status_pid_and_bundle,
    bundle_is_absolute_though_given_relatively,
    annotations_are_those_of_the_configuration,
    no_annotations_are_none,
    pid_is_the_first_process_seen_from_the_host,
    status_follows_the_container,
    status_is_stopped_before_and_after_the_process_is_reaped,
    of_an_unknown_container_is_an_error,
    without_an_id_is_an_error,
    of_one_container_is_not_of_another,
);

/// State: it MUST include `ociVersion`, `id`, `status`, `pid` of a created
/// container, and `bundle`.
fn names_version_id_status_pid_and_bundle() {
    let mut bundle = Bundle::sleeping();
    let pid = bundle.created();
    let state = bundle.state();
    let version = state["ociVersion"].as_str().expect("a string");
    assert!(version.split('.').count() >= 3, "{version} is not SemVer");
    assert_eq!(state["id"], json!(bundle.id));
    assert_eq!(state["status"], "created");
    assert!(subtree::runs(pid));
    assert_eq!(state["bundle"], json!(bundle.text("bundle")));
}

/// State: `bundle` is the absolute path to the bundle's directory.
fn bundle_is_absolute_though_given_relatively() {
    let bundle = Bundle::sleeping();
    bundle.write();
    let mut command = bundle
        .runtime
        .command(&["create", "--bundle", "bundle", &bundle.id]);
    let outcome = bundle.runtime.finish(command.current_dir(bundle.path("")));
    outcome.succeeds();
    assert_eq!(bundle.state()["bundle"], json!(bundle.text("bundle")));
}

/// State: `annotations` contains the annotations of the container.
fn annotations_are_those_of_the_configuration() {
    let mut bundle = Bundle::sleeping();
    let annotations = json!({"com.example.key": "value", "empty": ""});
    bundle.set("/annotations", annotations.clone());
    bundle.created();
    assert_eq!(bundle.state()["annotations"], annotations);
}

/// State: without annotations the property is absent or an empty map.
fn no_annotations_are_none() {
    let mut bundle = Bundle::sleeping();
    bundle.created();
    let state = bundle.state();
    let annotations = state.get("annotations").unwrap_or(&json!({})).clone();
    assert!(annotations.is_null() || annotations == json!({}), "{state}");
}

/// State: `pid` is the container process's ID as the host sees it.
fn pid_is_the_first_process_seen_from_the_host() {
    let mut bundle = Bundle::sleeping();
    let pid = bundle.started();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let inner = status.lines().find(|line| line.starts_with("NSpid:"));
    let inner = inner.and_then(|line| line.split_whitespace().last());
    assert_eq!(inner, Some("1"));
}

/// State: `status` is `created` before the program, `running` with it and
/// `stopped` after it.
fn status_follows_the_container() {
    let mut bundle = Bundle::sleeping();
    bundle.created();
    assert_eq!(bundle.state()["status"], "created");
    bundle.call("start").succeeds();
    assert_eq!(bundle.state()["status"], "running");
    bundle.stop();
    assert_eq!(bundle.state()["status"], "stopped");
}

/// State: `stopped` is the container whose process has exited, whether or not
/// its parent has looked.
fn status_is_stopped_before_and_after_the_process_is_reaped() {
    let mut bundle = Bundle::new("exit 3");
    bundle.started();
    // The process is this program's child, and nobody has waited for it.
    bundle.wait();
    assert_eq!(bundle.state()["status"], "stopped");
    subtree::assert_none();
    assert_eq!(bundle.state()["status"], "stopped");
}

/// Query State: querying a container that does not exist MUST be an error.
fn of_an_unknown_container_is_an_error() {
    let bundle = Bundle::sleeping();
    bundle.call("state").fails();
}

/// Query State: it MUST be an error when no ID is given.
fn without_an_id_is_an_error() {
    let bundle = Bundle::sleeping();
    bundle.runtime.call(&["state"]).fails();
}

/// State: `id` is unique: two containers are told apart.
fn of_one_container_is_not_of_another() {
    let mut first = Bundle::sleeping();
    let second = Bundle::sleeping();
    first.started();
    second.write();
    let path = second.text("bundle");
    let create = ["create", "--bundle", &path, &second.id];
    first.runtime.call(&create).succeeds();
    let state = first.runtime.call(&["state", &second.id]).succeeds();
    assert!(
        state.contains(&path) && state.contains("\"created\""),
        "{state}"
    );
    assert_eq!(first.state()["status"], "running");
    let delete = ["delete", "--force", &second.id];
    first.runtime.call(&delete).succeeds();
    assert_eq!(first.state()["status"], "running");
}
