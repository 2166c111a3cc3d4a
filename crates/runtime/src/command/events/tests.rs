use super::*;

#[test]
fn times_are_read_as_go_reads_them() {
    for (text, milliseconds) in [
        ("5s", 5000),
        ("250ms", 250),
        ("1m30s", 90_000),
        ("1.5h", 5_400_000),
        ("+1s500000us", 1500),
        (".5s", 500),
    ] {
        let expected = Duration::from_millis(milliseconds);
        assert_eq!(interval(text), Ok(expected), "{text}");
    }
    for (text, expected) in [
        ("", "time: invalid duration \"\""),
        ("5", "time: missing unit in duration \"5\""),
        ("s", "time: invalid duration \"s\""),
        ("5d", "time: unknown unit \"d\" in duration \"5d\""),
        ("0", "duration interval must be greater than 0"),
        ("0s", "duration interval must be greater than 0"),
        ("-5s", "duration interval must be greater than 0"),
        ("9999999999h", "time: invalid duration \"9999999999h\""),
    ] {
        assert_eq!(interval(text), Err(expected.to_owned()), "{text}");
    }
}

#[test]
fn events_have_runcs_shape() {
    let event = |kind, data| {
        serde_json::to_value(Event {
            kind,
            id: "x",
            data,
        })
        .expect("JSON")
    };
    assert_eq!(
        event(Kind::Oom, None),
        serde_json::json!({"type": "oom", "id": "x"})
    );
    let empty = serde_json::json!({"limit": 0, "failcnt": 0});
    assert_eq!(
        event(Kind::Stats, Some(Usage::default())),
        serde_json::json!({"type": "stats", "id": "x", "data": {
            "cpu": {"usage": {"kernel": 0, "user": 0}, "throttling": {}},
            "cpuset": {
                "cpu_exclusive": 0, "mem_hardwall": 0, "mem_exclusive": 0,
                "memory_migrate": 0, "memory_spread_page": 0, "memory_spread_slab": 0,
                "memory_pressure": 0, "sched_load_balance": 0, "sched_relax_domain_level": 0
            },
            "memory": {"usage": empty, "swap": empty, "kernel": empty, "kernelTCP": empty},
            "pids": {}, "blkio": {}, "hugetlb": {}, "intel_rdt": {},
            "network_interfaces": null
        }})
    );
}
