use super::*;
use crate::cgroup::sets;

/// What is wrong with resources, if anything.
fn refusal(text: &str) -> Option<String> {
    let resources = serde_json::from_str(text).expect("resources");
    check(&resources).err().map(|error| error.to_string())
}

#[test]
fn limits_that_make_no_sense_are_refused_by_their_field() {
    for (text, field) in [
        (r#"{"memory": {"limit": -2}}"#, "memory.limit"),
        (r#"{"memory": {"swap": 5}}"#, "memory.swap"),
        (r#"{"memory": {"limit": 5, "swap": 4}}"#, "memory.swap"),
        (r#"{"memory": {"reservation": -9}}"#, "memory.reservation"),
        (r#"{"memory": {"swappiness": 101}}"#, "memory.swappiness"),
        (r#"{"cpu": {"period": 5}}"#, "cpu.period"),
        (r#"{"cpu": {"period": 2000000}}"#, "cpu.period"),
        (r#"{"cpu": {"quota": -5}}"#, "cpu.quota"),
        (r#"{"cpu": {"quota": 5}}"#, "cpu.quota"),
        (r#"{"cpu": {"quota": 5000, "burst": 6000}}"#, "cpu.burst"),
        (r#"{"cpu": {"idle": 2}}"#, "cpu.idle"),
        (
            r#"{"cpu": {"realtimeRuntime": 9, "realtimePeriod": 8}}"#,
            "cpu.realtimeRuntime",
        ),
        (r#"{"cpu": {"cpus": "3-1"}}"#, "cpu.cpus"),
        (r#"{"cpu": {"mems": "x"}}"#, "cpu.mems"),
        (r#"{"cpu": {"cpus": "99999"}}"#, "cpu.cpus"),
        (r#"{"pids": {"limit": -2}}"#, "pids.limit"),
        (r#"{"blockIO": {"weight": 5}}"#, "blockIO.weight"),
        (r#"{"blockIO": {"leafWeight": 1001}}"#, "blockIO.leafWeight"),
        (
            r#"{"blockIO": {"weightDevice": [{"major": 8, "minor": -1}]}}"#,
            "blockIO.weightDevice",
        ),
        (
            r#"{"blockIO": {"throttleReadIOPSDevice": [{"major": -1, "minor": 0, "rate": 1}]}}"#,
            "blockIO.throttleReadIOPSDevice",
        ),
        (
            r#"{"hugepageLimits": [{"pageSize": "../2MB", "limit": 1}]}"#,
            "hugepageLimits.pageSize",
        ),
        (
            r#"{"hugepageLimits": [{"pageSize": "MB", "limit": 1}]}"#,
            "hugepageLimits.pageSize",
        ),
        (
            r#"{"network": {"priorities": [{"name": "a b", "priority": 1}]}}"#,
            "network.priorities",
        ),
        (r#"{"rdma": {"": {}}}"#, "rdma"),
        (r#"{"unified": {"../x.y": "1"}}"#, "unified"),
        (r#"{"unified": {"memory": "1"}}"#, "unified"),
        (r#"{"unified": {"cgroup.procs": "1"}}"#, "unified"),
        (r#"{"devices": [{"allow": true, "type": "x"}]}"#, "devices"),
    ] {
        let error = refusal(text).unwrap_or_else(|| panic!("{text} passes"));
        let expected = format!("linux.resources.{field}: ");
        assert!(error.starts_with(&expected), "{text}: {error}");
    }
}

#[test]
fn the_words_for_no_limit_pass() {
    for text in [
        "{}",
        r#"{"memory": {"limit": -1, "swap": -1, "reservation": 0}}"#,
        r#"{"memory": {"limit": 5, "swap": 5}}"#,
        r#"{"cpu": {"quota": -1, "period": 0, "burst": 0, "cpus": "", "realtimeRuntime": 0}}"#,
        r#"{"cpu": {"cpus": "0-3, 7,", "mems": "0", "idle": 0}}"#,
        r#"{"pids": {"limit": -1}}"#,
        r#"{"pids": {"limit": 0}}"#,
        r#"{"blockIO": {"weight": 0}}"#,
        r#"{"hugepageLimits": [{"pageSize": "2MB", "limit": 0}, {"pageSize": "64KB", "limit": 1}]}"#,
        r#"{"unified": {"memory.high": "max", "hugetlb.2MB.max": "0"}}"#,
    ] {
        assert_eq!(refusal(text), None, "{text}");
    }
}

#[test]
fn lists_become_numbers_and_bits() {
    assert_eq!(sets::numbers("0-2,7,1"), [0, 1, 2, 7]);
    assert_eq!(sets::numbers(""), [0; 0]);
    assert_eq!(sets::bits("0-1,8"), Ok(vec![0b11, 1]));
    assert!(sets::bits(",").is_err());
}
