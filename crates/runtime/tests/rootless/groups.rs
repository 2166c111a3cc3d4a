//! Limits, where the caller may make no control groups.

use serde_json::json;

use crate::caller::Caller;

tests!(groups:
    limits_are_refused_by_their_field,
    a_resource_class_is_refused,
    rules_for_devices_alone_are_no_limits,
);

fn limits_are_refused_by_their_field() {
    for (resources, field) in [
        (
            json!({"memory": {"limit": 67_108_864}}),
            "linux.resources.memory",
        ),
        (json!({"pids": {"limit": 7}}), "linux.resources.pids"),
        (json!({"cpu": {"shares": 512}}), "linux.resources.cpu"),
        (
            json!({"unified": {"memory.high": "1"}}),
            "linux.resources.unified",
        ),
    ] {
        let mut caller = Caller::sleeping();
        caller.set("/linux/resources", resources);
        let message = caller.refused();
        assert!(message.contains(field), "{field}: {message}");
    }
}

fn a_resource_class_is_refused() {
    let mut caller = Caller::sleeping();
    caller.set("/linux/intelRdt", json!({"closID": "x"}));
    let message = caller.refused();
    assert!(message.contains("intelRdt"), "{message}");
}

/// Every configuration has them; nobody in a user namespace can make a device.
fn rules_for_devices_alone_are_no_limits() {
    let mut caller = Caller::new("cat /proc/self/cgroup | wc -l; head -c 1 /dev/zero | wc -c");
    caller.set(
        "/linux/resources",
        json!({"devices": [{"allow": false, "access": "rwm"}]}),
    );
    assert!(caller.run().succeeds().ends_with("\n1"));
}
