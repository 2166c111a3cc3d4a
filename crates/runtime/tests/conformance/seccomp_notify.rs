//! config-linux.md, "Seccomp": `listenerPath`, and "The Container Process
//! State".

use std::io::Read;

use serde_json::{Value, json};

use crate::bundle::Bundle;
use crate::socket;

tests!(seccomp_notify:
    the_listener_gets_the_state_and_the_descriptor,
    a_listener_that_cannot_be_reached_is_an_error,
    the_path_is_ignored_without_the_action,
    metadata_without_a_path_is_an_error,
);

fn bundle(action: &str) -> Bundle {
    let mut bundle = Bundle::new("mkdir /made; echo done > /done");
    bundle.set("/annotations", json!({"key": "value"}));
    bundle.set(
        "/linux/seccomp",
        json!({
            "defaultAction": "SCMP_ACT_ALLOW",
            "listenerMetadata": "opaque",
            "listenerPath": bundle.text("agent"),
            "syscalls": [{"names": ["mkdir", "mkdirat"], "action": action}],
        }),
    );
    bundle
}

/// Seccomp: the runtime MUST send exactly one container process state per
/// connection, with the descriptor, and MUST close the connection.
fn the_listener_gets_the_state_and_the_descriptor() {
    let mut bundle = bundle("SCMP_ACT_NOTIFY");
    let listener = socket::listen(&bundle.path("agent"));
    let pid = bundle.created();
    let mut stream = socket::accept(&listener);
    let (mut bytes, descriptors) = socket::receive(&stream);
    stream.read_to_end(&mut bytes).expect("it is closed");
    let sent: Value = serde_json::from_slice(&bytes).expect("one document");
    assert_eq!(sent["fds"], json!(["seccompFd"]));
    assert_eq!(sent["pid"], pid);
    assert_eq!(sent["metadata"], "opaque");
    assert!(sent["ociVersion"].is_string());
    assert_eq!(sent["state"]["id"], json!(bundle.id));
    assert_eq!(sent["state"]["pid"], pid);
    assert_eq!(sent["state"]["status"], "creating");
    assert_eq!(sent["state"]["bundle"], json!(bundle.text("bundle")));
    assert_eq!(sent["state"]["annotations"]["key"], "value");
    assert_eq!(descriptors.len(), 1);
    // Without anybody who answers, the call is not there.
    drop(descriptors);
    bundle.call("start").succeeds();
    assert_eq!(bundle.read_eventually("done"), "done");
    assert!(!bundle.rootfs("made").exists());
}

/// Seccomp: if sending fails, the runtime MUST generate an error.
fn a_listener_that_cannot_be_reached_is_an_error() {
    bundle("SCMP_ACT_NOTIFY").refused();
}

/// Seccomp: if the action is not used, the path is ignored.
fn the_path_is_ignored_without_the_action() {
    let mut bundle = bundle("SCMP_ACT_ERRNO");
    bundle.started();
    assert_eq!(bundle.read_eventually("done"), "done");
}

/// Seccomp: `listenerMetadata` MUST NOT be set if `listenerPath` is not.
fn metadata_without_a_path_is_an_error() {
    let mut bundle = bundle("SCMP_ACT_ERRNO");
    bundle.remove("/linux/seccomp/listenerPath");
    bundle.refused();
}
