//! config.md, "Valid values": configurations that are none. Each is an error in
//! one line, with exit status 1, and leaves nothing.

use std::fs;

use serde_json::{Value, json};

use crate::bundle::Bundle;

tests!(bad_input:
    truncated_anywhere_is_an_error,
    empty_and_other_documents_are_an_error,
    wrong_types_are_an_error,
    numbers_out_of_range_are_an_error,
    deep_nesting_is_an_error,
    a_huge_document_is_read_or_an_error,
    a_configuration_that_is_no_file_is_an_error,
    nul_characters_are_an_error,
    many_environment_variables_are_no_error,
    an_error_is_one_line,
);

/// Writes a document as it is; the message of `create`.
#[track_caller]
fn refused(bundle: &Bundle, text: &[u8]) -> String {
    fs::write(bundle.path("bundle/config.json"), text).expect("a file");
    let path = bundle.text("bundle");
    let create = ["create", "--bundle", &path, &bundle.id];
    let message = bundle.runtime.call(&create).fails();
    let state = fs::read_dir(&bundle.runtime.root).expect("the root");
    assert_eq!(state.count(), 0, "state is left");
    message
}

/// A document that ends early.
fn truncated_anywhere_is_an_error() {
    let bundle = Bundle::sleeping();
    let text = serde_json::to_vec(&bundle.config).expect("JSON");
    for part in 0..16 {
        refused(&bundle, &text[..text.len() * part / 16]);
    }
    refused(&bundle, &text[..text.len() - 1]);
    bundle.assert_gone();
}

/// What is no object is no configuration.
fn empty_and_other_documents_are_an_error() {
    let bundle = Bundle::sleeping();
    for text in [
        "",
        " ",
        "null",
        "[]",
        "1",
        "\"text\"",
        "{}",
        "{}{}",
        "\u{feff}{}",
        "\0",
        "<xml/>",
    ] {
        refused(&bundle, text.as_bytes());
    }
    refused(&bundle, &[0xff, 0xfe, 0x00, 0x80]);
    bundle.assert_gone();
}

/// A value of another type than the specification's.
fn wrong_types_are_an_error() {
    for pointer in [
        "/ociVersion",
        "/process",
        "/process/args",
        "/process/env",
        "/process/cwd",
        "/process/user",
        "/process/user/uid",
        "/process/capabilities",
        "/process/capabilities/bounding",
        "/root",
        "/root/path",
        "/mounts",
        "/mounts/0",
        "/mounts/0/destination",
        "/mounts/1/options",
        "/linux",
        "/linux/namespaces",
        "/linux/namespaces/0",
        "/linux/namespaces/0/type",
        "/linux/resources",
        "/linux/resources/devices",
        "/linux/resources/devices/0/allow",
        "/linux/cgroupsPath",
    ] {
        let mut bundle = Bundle::sleeping();
        let wrong = match bundle.config.pointer(pointer) {
            Some(Value::String(_)) => json!({"an": "object"}),
            Some(Value::Number(_) | Value::Bool(_)) => json!("text"),
            Some(Value::Array(_)) => json!({"an": "object"}),
            _ => json!(["a", "list"]),
        };
        bundle.set(pointer, wrong);
        let message = bundle.refused();
        assert!(!message.is_empty());
    }
}

/// A number that its type does not have.
fn numbers_out_of_range_are_an_error() {
    for (pointer, value) in [
        ("/process/user/uid", json!(-1)),
        ("/process/user/uid", json!(1u64 << 32)),
        ("/process/user/gid", json!(1.5)),
        ("/process/oomScoreAdj", json!(1e30)),
        ("/linux/resources/memory", json!({"limit": 1e30})),
        ("/linux/resources/cpu", json!({"shares": 1e40})),
    ] {
        let mut bundle = Bundle::sleeping();
        bundle.set(pointer, value);
        bundle.refused();
    }
}

/// A document that a recursive parser might not survive.
fn deep_nesting_is_an_error() {
    let bundle = Bundle::sleeping();
    let depth = 200_000;
    let text = format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    refused(&bundle, text.as_bytes());
    bundle.assert_gone();
}

/// A document of many megabytes: whether it is accepted or not, nothing bad
/// happens.
fn a_huge_document_is_read_or_an_error() {
    let mut bundle = Bundle::new("echo ran");
    bundle.set("/annotations/long", json!("x".repeat(8 << 20)));
    let outcome = bundle.run();
    if outcome.code == 0 {
        assert_eq!(outcome.stdout, "ran\n");
    } else {
        outcome.fails();
    }
    bundle.assert_gone();
}

/// config.json is a directory, or a fifo that nobody writes to.
fn a_configuration_that_is_no_file_is_an_error() {
    let bundle = Bundle::sleeping();
    fs::create_dir(bundle.path("bundle/config.json")).expect("a directory");
    let path = bundle.text("bundle");
    let create = ["create", "--bundle", &path, &bundle.id];
    bundle.runtime.call(&create).fails();
    bundle.assert_gone();
}

/// A string that cannot be passed to the kernel whole.
fn nul_characters_are_an_error() {
    for (pointer, value) in [
        ("/process/args", json!(["/bin/sh", "a\0b"])),
        ("/process/args", json!(["/bin/sh\0"])),
        ("/process/env", json!(["PATH=/bin", "A=\0"])),
        ("/process/cwd", json!("/etc\0")),
        ("/hostname", json!("a\0b")),
    ] {
        let mut bundle = Bundle::sleeping();
        bundle.set(pointer, value);
        bundle.refused_before_it_runs();
        let delete = ["delete", "--force", &bundle.id];
        bundle.runtime.call(&delete).succeeds();
    }
}

/// As many as engines pass.
fn many_environment_variables_are_no_error() {
    let mut bundle = Bundle::new("env | wc -l");
    for number in 0..10_000 {
        bundle.push("/process/env", json!(format!("VARIABLE_{number}={number}")));
    }
    let count: usize = bundle.output().parse().expect("a number");
    assert!(count > 10_000, "{count}");
}

/// An error is one line, which says where the value is.
fn an_error_is_one_line() {
    for (pointer, value, word) in [
        ("/process/cwd", json!("relative"), "cwd"),
        ("/root/path", json!("absent"), "absent"),
        ("/linux/namespaces/0/type", json!("nonsense"), "namespace"),
    ] {
        let mut bundle = Bundle::sleeping();
        bundle.set(pointer, value);
        let message = bundle.refused();
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(message.to_lowercase().contains(word), "{message}");
    }
}
