use tare_oci::runtime::Resources;

use super::change::*;
use super::size::bytes;

#[test]
fn sizes_are_read_as_runc_reads_them() {
    for (text, expected) in [
        ("0", 0),
        ("512", 512),
        ("512b", 512),
        ("512m", 512 << 20),
        ("512M", 512 << 20),
        ("1.5k", 1536),
        ("1g", 1 << 30),
        ("1GB", 1 << 30),
        ("1GiB", 1 << 30),
        ("2 t", 2 << 40),
        ("1p", 1 << 50),
        ("1e3", 1000),
    ] {
        assert_eq!(bytes(text), Ok(expected), "{text}");
    }
    for (text, expected) in [
        ("", "invalid size: ''"),
        ("m", "invalid size: 'm'"),
        ("-5m", "invalid size: '-5m'"),
        ("5x", "invalid suffix: 'x'"),
        ("5mm", "invalid suffix: 'mm'"),
        ("5bb", "invalid suffix: 'bb'"),
        ("5mibs", "invalid suffix: 'mibs'"),
        ("5é", "invalid suffix: 'é'"),
        ("99999999p", "invalid size: '99999999p'"),
    ] {
        assert_eq!(bytes(text), Err(expected.to_owned()), "{text}");
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn every_flag_becomes_its_limit() {
    let flags = Flags {
        blkio_weight: some("500"),
        cpu_period: some("100000"),
        cpu_quota: some("-1"),
        cpu_burst: some("2000"),
        cpu_rt_period: some("1000"),
        cpu_rt_runtime: some("500"),
        cpu_share: some("100"),
        cpu_idle: some("1"),
        cpuset_cpus: some("0-1"),
        cpuset_mems: some("0"),
        memory: some("32m"),
        memory_reservation: some("16m"),
        memory_swap: some("-1"),
        pids_limit: some("20"),
        ..Flags::default()
    };
    let expected: Resources = serde_json::from_str(
        r#"{
            "memory": {"limit": 33554432, "reservation": 16777216, "swap": -1},
            "cpu": {"shares": 100, "quota": -1, "burst": 2000, "period": 100000,
                "realtimeRuntime": 500, "realtimePeriod": 1000,
                "cpus": "0-1", "mems": "0", "idle": 1},
            "pids": {"limit": 20},
            "blockIO": {"weight": 500}
        }"#,
    )
    .expect("valid");
    assert_eq!(flags.resources().expect("valid"), expected);
    assert_eq!(
        Flags::default().resources().expect("valid"),
        Resources::default()
    );
}

#[test]
fn values_that_are_none_are_refused_by_the_flags_name() {
    let refused = |flags: Flags| flags.resources().expect_err("refused").to_string();
    let error = refused(Flags {
        memory: some("much"),
        ..Flags::default()
    });
    assert_eq!(error, "invalid value for memory: invalid size: 'much'");
    let error = refused(Flags {
        cpu_share: some("-2"),
        ..Flags::default()
    });
    assert!(
        error.starts_with("invalid value for cpu-share: "),
        "{error}"
    );
    let error = refused(Flags {
        l3_cache_schema: some("L3:0=f"),
        ..Flags::default()
    });
    assert!(error.starts_with("Intel RDT/CAT"), "{error}");
    let flags = Flags {
        kernel_memory: some("5m"),
        ..Flags::default()
    };
    assert_eq!(flags.ignored(), ["kernel-memory"]);
}

#[test]
fn what_a_change_does_not_mention_stays() {
    let resources = |text: &str| read(text.as_bytes()).expect("valid");
    let present = resources(
        r#"{
            "devices": [{"allow": false, "access": "rwm"}],
            "memory": {"limit": 100, "swap": 200},
            "cpu": {"quota": 5000, "period": 10000, "cpus": "0"},
            "pids": {"limit": 7},
            "blockIO": {"throttleReadBpsDevice": [
                {"major": 8, "minor": 0, "rate": 1}, {"major": 8, "minor": 1, "rate": 2}]},
            "unified": {"memory.high": "1"}
        }"#,
    );
    let change = resources(
        r#"{
            "memory": {"limit": -1},
            "cpu": {"period": 20000, "cpus": ""},
            "pids": {"limit": 0},
            "blockIO": {"throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 9}]},
            "unified": {"memory.low": "2"}
        }"#,
    );
    let expected = resources(
        r#"{
            "devices": [{"allow": false, "access": "rwm"}],
            "memory": {"limit": -1, "swap": -1},
            "cpu": {"quota": 5000, "period": 20000, "cpus": "0"},
            "pids": {"limit": 7},
            "blockIO": {"throttleReadBpsDevice": [
                {"major": 8, "minor": 1, "rate": 2}, {"major": 8, "minor": 0, "rate": 9}]},
            "unified": {"memory.high": "1", "memory.low": "2"}
        }"#,
    );
    assert_eq!(merge(&present, &change), expected);
    assert_eq!(merge(&present, &Resources::default()), present);
}

#[test]
fn a_file_that_is_no_description_is_refused() {
    for text in ["", "[", "{\"memory\": 5}", "{\"pids\": {\"limit\": \"x\"}}"] {
        assert!(
            matches!(read(text.as_bytes()), Err(Error::Json(_))),
            "{text}"
        );
    }
    let long = std::io::repeat(b' ');
    assert!(matches!(read(long), Err(Error::TooLong)));
}
