use super::*;

#[test]
fn a_hybrid_mount_table_gives_every_hierarchy_once() {
    let table = "\
21 20 0:5 / /proc rw,relatime - proc proc rw
30 20 0:26 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
32 30 0:28 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/x,name=systemd
33 30 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
34 30 0:27 / /mnt/second rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 30 0:30 / /odd\\040place rw - cgroup cgroup rw,pids
";
    let layout = Layout::parse(table);
    assert_eq!(
        layout.unified.as_deref(),
        Some(Path::new("/sys/fs/cgroup/unified"))
    );
    let found: Vec<_> = layout
        .hierarchies
        .iter()
        .map(|one| {
            (
                one.mount.to_str().unwrap_or_default(),
                one.controllers.join(","),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("/sys/fs/cgroup/cpu,cpuacct", "cpu,cpuacct".to_owned()),
            ("/sys/fs/cgroup/systemd", "name=systemd".to_owned()),
            ("/odd place", "pids".to_owned()),
        ]
    );
    assert!(layout.hierarchy("cpuacct").is_some());
    assert!(layout.hierarchy("memory").is_none());
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    for path in ["", "/", "..", "/a/../b", "system.slice:docker:1", "."] {
        assert!(create::relative(path).is_err(), "{path}");
    }
    for path in ["/tare/x", "tare/x", "//tare/./x/"] {
        let relative = create::relative(path).expect("valid");
        assert_eq!(relative, Path::new("tare/x"), "{path}");
    }
}

#[test]
fn shares_become_weights_through_the_three_fixed_points() {
    for (shares, expected) in [
        (0, 1),
        (2, 1),
        (1024, 100),
        (262_144, 10_000),
        (1 << 40, 10_000),
    ] {
        assert_eq!(v2::weight(shares), expected, "{shares}");
    }
}

#[test]
fn counters_of_block_devices_are_read_from_both_formats() {
    let entry = |operation: &str, value| IoEntry {
        major: 8,
        minor: 16,
        operation: operation.to_owned(),
        value,
    };
    assert_eq!(
        stats::entries_v1("8:16 Read 4096\n8:16 Write 5\nTotal 4101\n"),
        [entry("read", 4096), entry("write", 5)]
    );
    let both = stats::entries_v2("8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\nbad\n");
    assert_eq!(both.bytes, [entry("read", 1), entry("write", 2)]);
    assert_eq!(both.operations, [entry("read", 3), entry("write", 4)]);
}
