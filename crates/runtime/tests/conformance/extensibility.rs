//! config.md, "Extensibility", "Annotations" and "Platform-specific
//! configuration".

use serde_json::json;

use crate::bundle::Bundle;

tests!(extensibility:
    unknown_properties_are_ignored,
    unknown_annotations_are_ignored,
    annotations_must_be_strings,
    an_annotation_without_a_key_is_an_error,
    other_platforms_are_ignored,
    null_is_as_good_as_absent,
);

/// Extensibility: unknown properties MUST be ignored, wherever they are.
fn unknown_properties_are_ignored() {
    let mut bundle = Bundle::new("echo ran");
    for pointer in [
        "",
        "/process",
        "/process/user",
        "/root",
        "/linux",
        "/linux/resources",
        "/linux/namespaces/0",
        "/mounts/0",
        "/process/capabilities",
    ] {
        for value in [json!({"a": [1, {}]}), json!(null), json!("text")] {
            bundle.set(&format!("{pointer}/unknownProperty"), value);
            assert_eq!(bundle.output(), "ran", "{pointer}");
        }
    }
}

/// Annotations: unknown keys are like unknown properties.
fn unknown_annotations_are_ignored() {
    let mut bundle = Bundle::new("echo ran");
    bundle.set(
        "/annotations",
        json!({
            "org.opencontainers.unknown": "x", "com.example.a": "", "plain": "y",
            "run.oci.handler": "krun", "ä": "ö",
        }),
    );
    assert_eq!(bundle.output(), "ran");
}

/// Annotations: values MUST be strings.
fn annotations_must_be_strings() {
    for value in [json!(1), json!({}), json!(["a"]), json!(true)] {
        let mut bundle = Bundle::sleeping();
        bundle.set("/annotations", json!({"key": value}));
        bundle.refused();
    }
}

/// Annotations: keys MUST NOT be an empty string.
fn an_annotation_without_a_key_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/annotations", json!({"": "value"}));
    bundle.refused();
}

/// Platform-specific configuration: that of others is not for this one.
fn other_platforms_are_ignored() {
    let mut bundle = Bundle::new("echo ran");
    bundle.set("/windows", json!({"layerFolders": ["C:\\layers"]}));
    bundle.set("/solaris", json!({"milestone": "x"}));
    bundle.set("/vm", json!({"kernel": {"path": "/absent"}}));
    bundle.set("/process/commandLine", json!("cmd.exe"));
    assert_eq!(bundle.output(), "ran");
}

/// JSON of programs in Go: a null list or object is an absent one.
fn null_is_as_good_as_absent() {
    let mut bundle = Bundle::new("echo ran");
    for pointer in [
        "/hooks",
        "/annotations",
        "/linux/seccomp",
        "/linux/devices",
        "/linux/maskedPaths",
        "/linux/sysctl",
        "/process/rlimits",
        "/process/user/additionalGids",
    ] {
        bundle.set(pointer, json!(null));
    }
    assert_eq!(bundle.output(), "ran");
}
