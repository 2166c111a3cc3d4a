//! config.md, "Linux Process": `scheduler`, `ioPriority`, `execCPUAffinity`.

use serde_json::json;

use crate::bundle::Bundle;

tests!(scheduling:
    policy_and_nice_are_set,
    the_idle_policy_is_set,
    an_unknown_policy_is_an_error,
    an_unknown_flag_is_an_error,
    io_priority_is_set,
    an_unknown_io_class_is_an_error,
    an_io_priority_out_of_range_is_an_error,
    exec_has_its_final_affinity,
    exec_affinity_is_not_for_the_first_process,
    a_malformed_affinity_is_an_error,
);

/// Policy, real-time priority and nice value of the program itself: fields 41,
/// 40 and 19 of /proc/PID/stat.
const STAT: &str = "read -r line < /proc/self/stat; set -- ${line##*) }; echo ${39} ${38} ${17}";

/// Linux Process: `scheduler` has a policy and a nice value.
fn policy_and_nice_are_set() {
    let mut bundle = Bundle::new(STAT);
    bundle.set(
        "/process/scheduler",
        json!({"policy": "SCHED_BATCH", "nice": 5}),
    );
    assert_eq!(bundle.output(), "3 0 5");
    bundle.set(
        "/process/scheduler",
        json!({"policy": "SCHED_OTHER", "nice": 7}),
    );
    assert_eq!(bundle.output(), "0 0 7");
}

/// Linux Process: values that are not set are 0.
fn the_idle_policy_is_set() {
    let mut bundle = Bundle::new(STAT);
    bundle.set("/process/scheduler", json!({"policy": "SCHED_IDLE"}));
    assert_eq!(bundle.output(), "5 0 0");
}

/// Valid values: unknown ones MUST be an error.
fn an_unknown_policy_is_an_error() {
    for policy in ["SCHED_NONSENSE", "", "batch"] {
        let mut bundle = Bundle::sleeping();
        bundle.set("/process/scheduler", json!({"policy": policy}));
        bundle.refused();
    }
}

/// The same for flags.
fn an_unknown_flag_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.set(
        "/process/scheduler",
        json!({"policy": "SCHED_BATCH", "flags": ["SCHED_FLAG_NONSENSE"]}),
    );
    bundle.refused();
}

/// Linux Process: `ioPriority` has a class and a level.
fn io_priority_is_set() {
    let mut bundle = Bundle::new("ionice");
    bundle.set(
        "/process/ioPriority",
        json!({"class": "IOPRIO_CLASS_BE", "priority": 6}),
    );
    assert_eq!(bundle.output(), "best-effort: prio 6");
    bundle.set(
        "/process/ioPriority",
        json!({"class": "IOPRIO_CLASS_IDLE", "priority": 0}),
    );
    assert!(bundle.output().starts_with("idle"));
}

/// Valid values: unknown ones MUST be an error.
fn an_unknown_io_class_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.set(
        "/process/ioPriority",
        json!({"class": "IOPRIO_CLASS_NONSENSE", "priority": 0}),
    );
    bundle.refused();
}

/// Linux Process: the level ranges from 0 to 7.
fn an_io_priority_out_of_range_is_an_error() {
    for priority in [8, -1] {
        let mut bundle = Bundle::sleeping();
        bundle.set(
            "/process/ioPriority",
            json!({"class": "IOPRIO_CLASS_BE", "priority": priority}),
        );
        bundle.refused();
    }
}

/// Linux Process: `execCPUAffinity.final` is where a process of `exec` runs in
/// the end.
fn exec_has_its_final_affinity() {
    let mut bundle = Bundle::sleeping();
    bundle.set(
        "/process/execCPUAffinity",
        json!({"initial": "0", "final": "0"}),
    );
    bundle.started();
    let text = bundle
        .exec("grep Cpus_allowed_list /proc/self/status")
        .succeeds();
    assert_eq!(text, "Cpus_allowed_list:\t0");
}

/// Linux Process: it is not applicable to the container's first process.
fn exec_affinity_is_not_for_the_first_process() {
    let script = "grep Cpus_allowed_list /proc/self/status";
    let plain = Bundle::new(script).output();
    let mut bundle = Bundle::new(script);
    bundle.set(
        "/process/execCPUAffinity",
        json!({"initial": "0", "final": "0"}),
    );
    assert_eq!(bundle.output(), plain);
}

/// Linux Process: its values are comma-separated numbers and ranges.
fn a_malformed_affinity_is_an_error() {
    for list in ["a", "1-", "3-1", "-1", "0-1-2"] {
        let mut bundle = Bundle::sleeping();
        bundle.set("/process/execCPUAffinity", json!({"final": list}));
        bundle.refused();
    }
}
