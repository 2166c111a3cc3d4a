//! Limits, rules for devices and annotations as properties.

use std::collections::BTreeMap;

use tare_oci::runtime::{DeviceRule, Resources};

use super::super::annotation::{annotated, parse};
use super::super::properties::{Property, devices, limits};
use super::super::value::Value;
use crate::cgroup::devices as rules;

fn resources(text: &str) -> Resources {
    serde_json::from_str(text).expect("valid")
}

fn number(name: &str, value: u64) -> Property {
    (name.to_owned(), Value::Uint64(value))
}

#[test]
fn limits_become_properties() {
    let all = resources(
        r#"{
            "memory": {"limit": 100, "swap": 300, "reservation": 50},
            "cpu": {"shares": 1024, "quota": 33333, "cpus": "0,9", "mems": "0"},
            "pids": {"limit": -1},
            "blockIO": {"weight": 1000},
            "unified": {"memory.high": "max", "cpu.max": "max 50000", "misc.max": "x 1"}
        }"#,
    );
    assert_eq!(
        limits(&all, true).expect("valid"),
        [
            number("MemoryMax", 100),
            number("MemoryLow", 50),
            number("MemorySwapMax", 200),
            number("CPUWeight", 100),
            // A third of a CPU, up to whole percents.
            number("CPUQuotaPerSecUSec", 340_000),
            ("AllowedCPUs".to_owned(), Value::bytes(&[1, 2])),
            ("AllowedMemoryNodes".to_owned(), Value::bytes(&[1])),
            number("TasksMax", u64::MAX),
            number("IOWeight", 10_000),
            number("CPUQuotaPeriodUSec", 50_000),
            number("CPUQuotaPerSecUSec", u64::MAX),
            number("MemoryHigh", u64::MAX),
        ]
    );
    assert_eq!(
        limits(&all, false).expect("valid")[..2],
        [number("MemoryLimit", 100), number("CPUShares", 1024)]
    );
    assert_eq!(limits(&Resources::default(), true).expect("valid"), []);
    assert!(limits(&resources(r#"{"unified": {"pids.max": "many"}}"#), true).is_err());
}

#[test]
fn rules_for_devices_become_a_list_where_they_are_one() {
    let properties = |text: &str| {
        let rules: Vec<DeviceRule> = serde_json::from_str(text).expect("valid");
        devices(&rules::check(&rules).expect("valid"))
    };
    let pair =
        |one: &str, other: &str| Value::Struct(vec![Value::string(one), Value::string(other)]);
    let list = |items| {
        (
            "DeviceAllow".to_owned(),
            Value::Array("(ss)".to_owned(), items),
        )
    };
    let policy = |text: &str| ("DevicePolicy".to_owned(), Value::string(text));
    assert_eq!(
        properties(
            r#"[{"allow": false},
                {"allow": true, "type": "c", "major": 1, "minor": 3, "access": "rw"},
                {"allow": true, "type": "b", "major": 8, "access": "r"},
                {"allow": true, "type": "c", "access": "m"}]"#
        ),
        [
            policy("strict"),
            list(vec![]),
            list(vec![
                pair("/dev/char/1:3", "rw"),
                pair("block-8", "r"),
                pair("char-*", "m")
            ])
        ]
    );
    for other in [
        r#"[{"allow": true}]"#,
        r#"[{"allow": true}, {"allow": false, "type": "c", "major": 1, "access": "w"}]"#,
        r#"[{"allow": false}, {"allow": true, "type": "c", "minor": 3, "access": "w"}]"#,
    ] {
        assert_eq!(properties(other), [policy("auto"), list(vec![])], "{other}");
    }
}

#[test]
fn values_of_annotations_are_read() {
    for (text, expected) in [
        ("true", Value::Bool(true)),
        ("5", Value::Int32(5)),
        ("-5", Value::Int32(-5)),
        ("1.5", Value::Double(1.5)),
        ("uint64 0x10", Value::Uint64(16)),
        ("'it\\'s'", Value::string("it's")),
        ("\"x\"", Value::string("x")),
        ("['a', 'b, c']", Value::strings(&["a", "b, c"])),
        ("[byte 0x1, 2]", Value::bytes(&[1, 2])),
        ("@as []", Value::strings(&[])),
    ] {
        assert_eq!(parse(text), Some(expected), "{text}");
    }
    for text in [
        "",
        "x",
        "'x",
        "'x'y",
        "[]",
        "[1, 'x']",
        "byte 300",
        "uint32 -1",
        "@as [1]",
        "[",
        "['a]",
        "5000000000",
        "@",
        "\u{e9}",
        "'\\",
    ] {
        assert_eq!(parse(text), None, "{text}");
    }
    assert_eq!(parse(&format!("'{}'", "x".repeat(5000))), None);
}

#[test]
fn annotations_become_properties() {
    let read = |key: &str, value: &str| {
        annotated(&BTreeMap::from([(key.to_owned(), value.to_owned())]))
            .map_err(|error| error.to_string())
    };
    assert_eq!(
        read("org.systemd.property.TimeoutStopSec", "1.5"),
        Ok(vec![number("TimeoutStopUSec", 1_500_000)])
    );
    assert_eq!(
        read("org.systemd.property.CollectMode", "'inactive'"),
        Ok(vec![("CollectMode".to_owned(), Value::string("inactive"))])
    );
    assert_eq!(read("org.example.property.X", "?"), Ok(vec![]));
    for (key, value) in [
        ("org.systemd.property.", "1"),
        ("org.systemd.property.A b", "1"),
        ("org.systemd.property.Delegate", "yes"),
        ("org.systemd.property.StopSec", "-1"),
    ] {
        let error = read(key, value).expect_err("refused");
        assert!(
            error.starts_with(&format!("annotations[{key:?}]: ")),
            "{error}"
        );
    }
}
