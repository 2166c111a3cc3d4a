//! config-linux.md, "Control groups": what `resources` limits.

use std::fs;

use serde_json::{Value, json};

use crate::bundle::Bundle;
use crate::cgroups;

tests!(resources:
    memory_is_limited,
    memory_and_swap_are_limited_together,
    memory_without_a_limit_is_unlimited,
    memory_that_is_used_up_ends_a_process,
    cpu_shares_are_set,
    cpu_quota_and_period_are_set,
    cpu_burst_is_set,
    cpu_idle_is_set,
    cpus_and_memory_nodes_are_set,
    cpus_that_are_not_there_are_an_error,
    pids_are_limited,
    pids_without_a_limit_are_unlimited,
    block_throttling_is_set,
    unified_is_written_or_is_an_error,
    unified_of_an_unknown_controller_is_an_error,
    huge_pages_are_limited_or_an_error,
    network_class_and_priorities_are_set_or_an_error,
    rdma_is_limited_or_an_error,
    limits_are_there_before_the_program_runs,
    update_changes_limits,
    update_from_a_document_changes_limits,
    negative_values_are_an_error,
);

/// What a controller's file says for a container with such resources.
#[track_caller]
fn set(name: &str, value: Value, controller: &str, version1: &str, version2: &str) -> String {
    let mut bundle = Bundle::sleeping();
    bundle.set(&format!("/linux/resources/{name}"), value);
    let pid = bundle.created();
    cgroups::read(pid, controller, version1, version2)
}

/// Memory: `limit` in bytes, and `reservation`.
fn memory_is_limited() {
    let value = json!({"limit": 64 << 20, "reservation": 32 << 20});
    assert_eq!(
        set(
            "memory",
            value.clone(),
            "memory",
            "memory.limit_in_bytes",
            "memory.max"
        ),
        "67108864"
    );
    assert_eq!(
        set(
            "memory",
            value,
            "memory",
            "memory.soft_limit_in_bytes",
            "memory.low"
        ),
        "33554432"
    );
}

/// Memory: `swap` is the limit of memory and swap together.
fn memory_and_swap_are_limited_together() {
    let value = json!({"limit": 64 << 20, "swap": 96 << 20});
    let expected = if cgroups::unified() {
        "33554432"
    } else {
        "100663296"
    };
    assert_eq!(
        set(
            "memory",
            value,
            "memory",
            "memory.memsw.limit_in_bytes",
            "memory.swap.max"
        ),
        expected
    );
}

/// Memory: -1 is unlimited.
fn memory_without_a_limit_is_unlimited() {
    let value = json!({"limit": -1, "swap": -1});
    let text = set(
        "memory",
        value,
        "memory",
        "memory.limit_in_bytes",
        "memory.max",
    );
    assert!(
        text == "max" || text.parse::<u64>().is_ok_and(|limit| limit > 1 << 60),
        "{text}"
    );
}

/// Memory: tasks that take more are killed.
fn memory_that_is_used_up_ends_a_process() {
    let mut bundle = Bundle::new("dd if=/dev/zero of=/dev/null bs=64M count=1 || echo ended");
    bundle.set(
        "/linux/resources/memory",
        json!({"limit": 16 << 20, "swap": 16 << 20}),
    );
    let outcome = bundle.run();
    assert!(
        outcome.code == 137 || outcome.stdout.ends_with("ended\n"),
        "{outcome:?}"
    );
}

/// CPU: `shares`. Version 2 has weights from 1 to 10,000 instead of shares from
/// 2 to 262,144.
fn cpu_shares_are_set() {
    let text = set(
        "cpu",
        json!({"shares": 2048}),
        "cpu",
        "cpu.shares",
        "cpu.weight",
    );
    if cgroups::unified() {
        let weight: u32 = text.parse().expect("a number");
        assert!((79..=200).contains(&weight), "{weight}");
    } else {
        assert_eq!(text, "2048");
    }
}

/// CPU: `quota` and `period` in microseconds.
fn cpu_quota_and_period_are_set() {
    let value = json!({"quota": 20000, "period": 50000});
    let expected = if cgroups::unified() {
        "20000 50000"
    } else {
        "20000"
    };
    let read = set("cpu", value.clone(), "cpu", "cpu.cfs_quota_us", "cpu.max");
    assert_eq!(read, expected);
    let expected = if cgroups::unified() {
        "20000 50000"
    } else {
        "50000"
    };
    assert_eq!(
        set("cpu", value, "cpu", "cpu.cfs_period_us", "cpu.max"),
        expected
    );
}

/// CPU: `burst` in microseconds.
fn cpu_burst_is_set() {
    let value = json!({"quota": 20000, "period": 50000, "burst": 10000});
    assert_eq!(
        set("cpu", value, "cpu", "cpu.cfs_burst_us", "cpu.max.burst"),
        "10000"
    );
}

/// CPU: `idle` is SCHED_IDLE for the group.
fn cpu_idle_is_set() {
    let read = set("cpu", json!({"idle": 1}), "cpu", "cpu.idle", "cpu.idle");
    assert_eq!(read, "1");
}

/// CPU: `cpus` and `mems` are lists.
fn cpus_and_memory_nodes_are_set() {
    let mut bundle = Bundle::new("grep Cpus_allowed_list /proc/self/status");
    bundle.set("/linux/resources/cpu", json!({"cpus": "0", "mems": "0"}));
    assert_eq!(bundle.output(), "Cpus_allowed_list:\t0");
}

/// Valid values: unsupported ones MUST be an error.
fn cpus_that_are_not_there_are_an_error() {
    for value in [
        json!({"cpus": "4000"}),
        json!({"mems": "4000"}),
        json!({"cpus": "a"}),
    ] {
        let mut bundle = Bundle::sleeping();
        bundle.set("/linux/resources/cpu", value);
        bundle.refused();
    }
}

/// PIDs: `limit` is the maximum number of tasks.
fn pids_are_limited() {
    assert_eq!(
        set(
            "pids",
            json!({"limit": 123}),
            "pids",
            "pids.max",
            "pids.max"
        ),
        "123"
    );
    let mut bundle = Bundle::new("for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done; echo all");
    bundle.set("/linux/resources/pids", json!({"limit": 5}));
    let outcome = bundle.run();
    assert!(!outcome.stdout.contains("all"), "{outcome:?}");
}

/// PIDs: -1 is unlimited.
fn pids_without_a_limit_are_unlimited() {
    assert_eq!(
        set("pids", json!({"limit": -1}), "pids", "pids.max", "pids.max"),
        "max"
    );
}

/// The numbers of some whole disk.
fn disk() -> (u64, u64) {
    let mut disks: Vec<_> = fs::read_dir("/sys/block")
        .expect("disks")
        .flatten()
        .collect();
    disks.sort_by_key(std::fs::DirEntry::file_name);
    let text = disks
        .iter()
        .filter(|disk| !disk.file_name().to_string_lossy().starts_with("loop"))
        .chain(&disks)
        .find_map(|disk| fs::read_to_string(disk.path().join("dev")).ok())
        .expect("a disk");
    let (major, minor) = text.trim_end().split_once(':').expect("two numbers");
    (
        major.parse().expect("a number"),
        minor.parse().expect("a number"),
    )
}

/// Block IO: rates of a device.
fn block_throttling_is_set() {
    let controller = if cgroups::unified() { "io" } else { "blkio" };
    let (major, minor) = disk();
    let rate = |rate: u64| json!([{"major": major, "minor": minor, "rate": rate}]);
    let value = json!({
        "throttleReadBpsDevice": rate(1 << 20),
        "throttleWriteBpsDevice": rate(2 << 20),
        "throttleReadIOPSDevice": rate(100),
        "throttleWriteIOPSDevice": rate(200),
    });
    let text = set(
        "blockIO",
        value,
        controller,
        "blkio.throttle.read_bps_device",
        "io.max",
    );
    let expected = if cgroups::unified() {
        format!("{major}:{minor} rbps=1048576 wbps=2097152 riops=100 wiops=200")
    } else {
        format!("{major}:{minor} 1048576")
    };
    assert_eq!(text, expected);
}

/// Unified: each key is a file of version 2, which MUST be written; a
/// controller that is not present MUST be an error.
fn unified_is_written_or_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.set(
        "/linux/resources/unified",
        json!({"memory.high": "33554432"}),
    );
    if cgroups::unified() {
        let pid = bundle.created();
        assert_eq!(cgroups::read(pid, "memory", "", "memory.high"), "33554432");
    } else {
        bundle.refused();
    }
}

/// Unified: the same for what no kernel has.
fn unified_of_an_unknown_controller_is_an_error() {
    for name in ["nonsense.max", "memory.nonsense", "../cgroup.procs"] {
        let mut bundle = Bundle::sleeping();
        bundle.set("/linux/resources/unified", json!({name: "1"}));
        bundle.refused();
    }
}

/// Huge page limits: `limit` of a page size. Where it cannot be set the runtime
/// MUST say so.
fn huge_pages_are_limited_or_an_error() {
    let value = json!([{"pageSize": "2MB", "limit": 4 << 20}]);
    if cgroups::has("hugetlb") {
        let read = set(
            "hugepageLimits",
            value,
            "hugetlb",
            "hugetlb.2MB.limit_in_bytes",
            "hugetlb.2MB.max",
        );
        assert_eq!(read, "4194304");
    } else if let Some(mount) = cgroups::beside("hugetlb") {
        // A runtime may also look only where the other controllers are.
        let mut bundle = Bundle::sleeping();
        bundle.set("/linux/resources/hugepageLimits", value);
        if bundle.create().code == 0 {
            let text = std::fs::read_to_string(format!("/proc/{}/cgroup", bundle.pid()));
            let text = text.expect("the groups");
            let group = text.lines().find_map(|line| line.strip_prefix("0::/"));
            let file = mount.join(group.expect("a group")).join("hugetlb.2MB.max");
            assert_eq!(std::fs::read_to_string(file).expect("a limit"), "4194304\n");
        }
    } else {
        let mut bundle = Bundle::sleeping();
        bundle.set("/linux/resources/hugepageLimits", value);
        bundle.refused();
    }
}

/// Network: `classID` and `priorities` are of version 1 only.
fn network_class_and_priorities_are_set_or_an_error() {
    if !cgroups::unified() && cgroups::has("net_cls") {
        let value = json!({"classID": 1_048_577});
        assert_eq!(
            set("network", value, "net_cls", "net_cls.classid", ""),
            "1048577"
        );
    } else {
        for value in [
            json!({"classID": 1_048_577}),
            json!({"priorities": [{"name": "lo", "priority": 5}]}),
        ] {
            let mut bundle = Bundle::sleeping();
            bundle.set("/linux/resources/network", value);
            bundle.refused();
        }
    }
}

/// RDMA: there is no such device here.
fn rdma_is_limited_or_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.set(
        "/linux/resources/rdma",
        json!({"absent0": {"hcaHandles": 3}}),
    );
    bundle.refused();
}

/// Lifecycle 2: the environment is there before the program.
fn limits_are_there_before_the_program_runs() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/linux/resources/pids", json!({"limit": 77}));
    let pid = bundle.created();
    assert_eq!(cgroups::read(pid, "pids", "pids.max", "pids.max"), "77");
    bundle.call("start").succeeds();
    assert_eq!(cgroups::read(pid, "pids", "pids.max", "pids.max"), "77");
}

/// runc's command line: `update` changes what it is told and nothing else.
fn update_changes_limits() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/linux/resources/memory", json!({"limit": 64 << 20}));
    let pid = bundle.started();
    let update = ["update", "--pids-limit", "55", &bundle.id];
    bundle.runtime.call(&update).succeeds();
    let memory = cgroups::read(pid, "memory", "memory.limit_in_bytes", "memory.max");
    assert_eq!(memory, "67108864");
    assert_eq!(cgroups::read(pid, "pids", "pids.max", "pids.max"), "55");
    let update = ["update", "--memory", "33554432", &bundle.id];
    bundle.runtime.call(&update).succeeds();
    let memory = cgroups::read(pid, "memory", "memory.limit_in_bytes", "memory.max");
    assert_eq!(memory, "33554432");
    assert_eq!(cgroups::read(pid, "pids", "pids.max", "pids.max"), "55");
}

/// The same from a document as `resources` is.
fn update_from_a_document_changes_limits() {
    let mut bundle = Bundle::sleeping();
    let pid = bundle.started();
    fs::write(bundle.path("new"), r#"{"pids": {"limit": 44}}"#).expect("a file");
    let path = bundle.text("new");
    let update = ["update", "--resources", &path, &bundle.id];
    bundle.runtime.call(&update).succeeds();
    assert_eq!(cgroups::read(pid, "pids", "pids.max", "pids.max"), "44");
}

/// Valid values: what cannot be is an error.
fn negative_values_are_an_error() {
    for (name, value) in [
        ("cpu", json!({"shares": -1})),
        ("cpu", json!({"period": -1})),
        ("memory", json!({"limit": -2})),
        ("memory", json!({"swappiness": 101})),
    ] {
        let mut bundle = Bundle::sleeping();
        bundle.set(&format!("/linux/resources/{name}"), value);
        bundle.refused();
    }
}
