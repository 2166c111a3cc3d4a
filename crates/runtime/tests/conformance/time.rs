//! config-linux.md, "Offset for Time Namespace".

use serde_json::json;

use crate::bundle::Bundle;

tests!(time:
    offsets_move_the_clocks,
    exec_has_the_same_clocks,
    offsets_without_a_namespace_are_an_error,
    an_unknown_clock_is_an_error,
);

fn shifted(script: &str) -> Bundle {
    let mut bundle = Bundle::new(script);
    bundle.push("/linux/namespaces", json!({"type": "time"}));
    bundle.set(
        "/linux/timeOffsets",
        json!({"boottime": {"secs": 1_000_000_000}, "monotonic": {"secs": 2000, "nanosecs": 5}}),
    );
    bundle
}

/// Whether the time since the start, which it ends with, has been moved.
fn is_moved(text: &str) -> bool {
    let uptime = text.split(['.', ' ']).next().expect("a number");
    uptime.parse::<u64>().expect("a number") > 1_000_000_000
}

/// Time offsets: the offset of each clock in the container.
fn offsets_move_the_clocks() {
    assert!(is_moved(&shifted("cat /proc/uptime").output()));
    let text = shifted("cat /proc/self/timens_offsets").output();
    let words: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(
        words,
        ["monotonic", "2000", "5", "boottime", "1000000000", "0"]
    );
}

/// What `exec` runs is in the namespace.
fn exec_has_the_same_clocks() {
    let mut bundle = shifted("exec sleep 1000");
    bundle.started();
    assert!(is_moved(&bundle.exec("cat /proc/uptime").succeeds()));
}

/// Valid values: offsets of nothing are an error.
fn offsets_without_a_namespace_are_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/linux/timeOffsets", json!({"boottime": {"secs": 1}}));
    bundle.refused();
}

/// Valid values: so are clocks that the kernel does not move.
fn an_unknown_clock_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.push("/linux/namespaces", json!({"type": "time"}));
    bundle.set("/linux/timeOffsets", json!({"realtime": {"secs": 1}}));
    bundle.refused();
}
