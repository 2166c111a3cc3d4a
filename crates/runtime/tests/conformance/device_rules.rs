//! config-linux.md, "Allowed Device list".
//!
//! Nothing answers to the numbers 240 and 241, so that a device which may be
//! used is told from one which may not by the error.

use serde_json::{Value, json};

use crate::bundle::Bundle;

tests!(device_rules:
    deny_what_is_not_allowed,
    allow_what_is_listed,
    are_applied_in_the_listed_order,
    access_is_any_composition,
    without_numbers_are_for_all,
    block_and_character_devices_differ,
    an_unknown_type_is_an_error,
    an_unknown_access_is_an_error,
);

/// Opens two devices for reading, then for writing; whether that was allowed.
const TRY: &str = "for path in /dev/c /dev/b; do
    for way in if of; do
        case $(dd count=0 $way=$path 2>&1) in
        *'not permitted'*) echo -n 'no ';;
        *) echo -n 'yes ';;
        esac
    done
done";

fn tried(rules: Value) -> String {
    let mut bundle = Bundle::new(TRY);
    for (kind, major) in [("c", 240), ("b", 241)] {
        bundle.push(
            "/linux/devices",
            json!({"type": kind, "path": format!("/dev/{kind}"), "major": major, "minor": 7}),
        );
    }
    bundle.set("/linux/resources/devices", rules);
    bundle.output()
}

/// Allowed device list: an entry denies.
fn deny_what_is_not_allowed() {
    assert_eq!(
        tried(json!([{"allow": false, "access": "rwm"}])),
        "no no no no"
    );
}

/// Allowed device list: an entry allows one device.
fn allow_what_is_listed() {
    assert_eq!(
        tried(json!([
            {"allow": false, "access": "rwm"},
            {"allow": true, "type": "c", "major": 240, "minor": 7, "access": "rwm"},
        ])),
        "yes yes no no"
    );
    assert_eq!(
        tried(json!([
            {"allow": false, "access": "rwm"},
            {"allow": true, "type": "c", "major": 240, "minor": 8, "access": "rwm"},
        ])),
        "no no no no"
    );
}

/// Allowed device list: entries MUST be applied in the listed order.
fn are_applied_in_the_listed_order() {
    let allow = json!({"allow": true, "type": "c", "major": 240, "minor": 7, "access": "rw"});
    let mut deny = allow.clone();
    deny["allow"] = json!(false);
    let all = json!({"allow": false, "access": "rwm"});
    assert_eq!(tried(json!([all, allow, deny])), "no no no no");
    assert_eq!(tried(json!([all, deny, allow])), "yes yes no no");
    assert_eq!(tried(json!([allow, all])), "no no no no");
}

/// Allowed device list: `access` is a composition of r, w and m.
fn access_is_any_composition() {
    let rule = |access: &str| {
        json!([
            {"allow": false, "access": "rwm"},
            {"allow": true, "type": "c", "major": 240, "minor": 7, "access": access},
        ])
    };
    assert_eq!(tried(rule("r")), "yes no no no");
    assert_eq!(tried(rule("w")), "no yes no no");
    assert_eq!(tried(rule("wr")), "yes yes no no");
    assert_eq!(tried(rule("m")), "no no no no");
}

/// Allowed device list: numbers that are not set mean all, and so does a type.
fn without_numbers_are_for_all() {
    let deny = json!({"allow": false, "access": "rwm"});
    for rule in [
        json!({"allow": true, "type": "c", "major": 240, "access": "rw"}),
        json!({"allow": true, "type": "c", "access": "rw"}),
    ] {
        assert_eq!(tried(json!([deny, rule])), "yes yes no no");
    }
    for rule in [
        json!({"allow": true, "access": "rwm"}),
        json!({"allow": true, "type": "a", "access": "rwm"}),
    ] {
        assert_eq!(tried(json!([deny, rule])), "yes yes yes yes");
    }
}

/// Allowed device list: `b` and `c`.
fn block_and_character_devices_differ() {
    assert_eq!(
        tried(json!([
            {"allow": false, "access": "rwm"},
            {"allow": true, "type": "b", "major": 241, "minor": 7, "access": "r"},
            {"allow": true, "type": "b", "major": 240, "minor": 7, "access": "r"},
        ])),
        "no no yes no"
    );
}

/// Valid values: other types MUST be an error.
fn an_unknown_type_is_an_error() {
    for kind in ["x", "char"] {
        let mut bundle = Bundle::sleeping();
        bundle.push(
            "/linux/resources/devices",
            json!({"allow": true, "type": kind, "major": 1, "minor": 1, "access": "r"}),
        );
        bundle.refused();
    }
}

/// Valid values: other letters MUST be an error.
fn an_unknown_access_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.push(
        "/linux/resources/devices",
        json!({"allow": true, "type": "c", "major": 240, "minor": 7, "access": "rx"}),
    );
    bundle.refused();
}
