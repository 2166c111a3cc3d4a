//! Documents of the right form that make no sense.

use super::*;

#[test]
fn versions_of_the_specification() {
    let check = |version: &str| {
        let document = format!(r#"{{"ociVersion":{version:?}}}"#);
        validate(&parse(document.as_bytes()).expect("valid"), &ANY_ROOT)
    };
    for version in [
        "1.0.0",
        "1.0.2-dev",
        "1.0.0-rc5",
        "1.3.0",
        "1.99.0+build.01",
        "1.0.0-a.1-b",
    ] {
        check(version).unwrap_or_else(|error| panic!("{error}"));
    }
    for version in [
        "",
        "1",
        "1.0",
        "v1.0.0",
        "1.0.0.0",
        "01.0.0",
        "1.0.0-",
        "1.0.0-01",
        "1.0.0+",
        "1.0.0-a..b",
        "1.0.x",
        "1.0.0 ",
        "2.0.0",
        "0.5.0-dev",
    ] {
        let error = check(version).expect_err(version).to_string();
        assert!(error.starts_with("ociVersion: "), "{error}");
    }
}

#[test]
fn the_root() {
    let context = Context::default();
    check_all(
        &[
            (r#""hostname":null"#, "root: is missing"),
            (r#""root":{"path":""}"#, "root.path: is empty"),
            (
                r#""root":{"path":"a\u0000b"}"#,
                "root.path: holds a NUL byte",
            ),
        ],
        &context,
    );
    validate(&spec(r#""root":{"path":"rootfs"}"#), &context).expect("relative to the bundle");
}

#[test]
fn the_process() {
    let with = |rest: &str| format!(r#""process":{{"cwd":"/","args":["a"],{rest}}}"#);
    for (properties, expected) in [
        (r#""env":["A"]"#, "process.env[0]: \"A\" has no '='"),
        (
            r#""env":["A=","=b"]"#,
            "process.env[1]: \"=b\" has no name before its '='",
        ),
        (r#""env":["A=\u0000"]"#, "process.env[0]: holds a NUL byte"),
        (
            r#""consoleSize":{"height":65536,"width":1}"#,
            "process.consoleSize.height: 65536 is above 65535",
        ),
        (
            r#""user":{"umask":512}"#,
            "process.user.umask: 512 is above 511",
        ),
        (
            r#""oomScoreAdj":1001"#,
            "process.oomScoreAdj: 1001 is not between",
        ),
        (
            r#""oomScoreAdj":-1001"#,
            "process.oomScoreAdj: -1001 is not between",
        ),
        (
            r#""capabilities":{"bounding":[""]}"#,
            "process.capabilities.bounding[0]: is empty",
        ),
        (
            r#""rlimits":[{"type":"RLIMIT_MOON","soft":1,"hard":1}]"#,
            "process.rlimits[0].type: RLIMIT_MOON: no such limit",
        ),
        (
            r#""rlimits":[{"type":"RLIMIT_CPU","soft":2,"hard":1}]"#,
            "process.rlimits[0].soft: RLIMIT_CPU: the soft limit 2 is above the hard limit 1",
        ),
        (
            r#""rlimits":[{"type":"RLIMIT_CPU","soft":1,"hard":1},{"type":"RLIMIT_CPU","soft":1,"hard":1}]"#,
            "process.rlimits[1].type: RLIMIT_CPU is listed twice",
        ),
        (
            r#""apparmorProfile":"a\u0000""#,
            "process.apparmorProfile: holds a NUL byte",
        ),
        (
            r#""scheduler":{"policy":"SCHED_OTHER","nice":20}"#,
            "process.scheduler.nice: 20 is not between",
        ),
        (
            r#""scheduler":{"policy":"SCHED_OTHER","priority":1}"#,
            "process.scheduler.priority: is for SCHED_FIFO",
        ),
        (
            r#""scheduler":{"policy":"SCHED_FIFO"}"#,
            "process.scheduler.priority: is needed",
        ),
        (
            r#""scheduler":{"policy":"SCHED_RR","priority":-1}"#,
            "process.scheduler.priority: -1 is not",
        ),
        (
            r#""scheduler":{"policy":"SCHED_BATCH","runtime":1}"#,
            "process.scheduler.runtime: is for SCHED_DEADLINE",
        ),
        (
            r#""scheduler":{"policy":"SCHED_DEADLINE"}"#,
            "process.scheduler.runtime: is needed",
        ),
        (
            r#""scheduler":{"policy":"SCHED_DEADLINE","runtime":9,"deadline":8}"#,
            "process.scheduler.deadline: is below",
        ),
        (
            r#""scheduler":{"policy":"SCHED_DEADLINE","runtime":7,"deadline":8,"period":7}"#,
            "process.scheduler.period: is below",
        ),
        (
            r#""scheduler":{"policy":"SCHED_OTHER","flags":["x"]}"#,
            "process.scheduler.flags[0]: \"x\" is no flag",
        ),
        (
            r#""ioPriority":{"class":"IOPRIO_CLASS_BE","priority":8}"#,
            "process.ioPriority.priority: 8 is not",
        ),
        (
            r#""execCPUAffinity":{"initial":"0-"}"#,
            "process.execCPUAffinity.initial: \"0-\" is no number",
        ),
        (
            r#""execCPUAffinity":{"final":"3-1"}"#,
            "process.execCPUAffinity.final: \"3-1\" ends before",
        ),
    ] {
        let error = refused(&with(properties), &ANY_ROOT);
        assert!(error.starts_with(expected), "{properties}\n{error}");
    }
    check_all(
        &[
            (
                r#""process":{"cwd":"/"}"#,
                "process.args: must not be empty",
            ),
            (
                r#""process":{"cwd":"/","args":["a\u0000"]}"#,
                "process.args[0]: holds a NUL byte",
            ),
            (
                r#""process":{"cwd":"","args":["a"]}"#,
                "process.cwd: is empty",
            ),
            (
                r#""process":{"cwd":"a","args":["a"]}"#,
                "process.cwd: \"a\" is not an absolute path",
            ),
        ],
        &ANY_ROOT,
    );
    // Required at the start only.
    validate(&spec(r#""process":null"#), &ANY_ROOT).expect("can be created");
    let valid = with(
        r#""env":["A==","B="],"rlimits":[{"type":"RLIMIT_CPU","soft":1,"hard":18446744073709551615}],
        "scheduler":{"policy":"SCHED_FIFO","priority":99,"flags":["SCHED_FLAG_RESET_ON_FORK"]},
        "execCPUAffinity":{"initial":"0-3, 7","final":"0-7"}"#,
    );
    validate(&spec(&valid), &ANY_ROOT).expect("valid");
}

#[test]
fn namespaces_and_what_needs_them() {
    check_all(
        &[
            (
                r#""hostname":"h""#,
                "hostname: needs a UTS namespace of the container's own",
            ),
            (r#""domainname":"h""#, "domainname: needs a UTS namespace"),
            (
                r#""linux":{"namespaces":[{"type":"pid"},{"type":"pid","path":"/x"}]}"#,
                "linux.namespaces[1].type: pid is listed twice",
            ),
            (
                r#""linux":{"namespaces":[{"type":"pid","path":"x"}]}"#,
                "linux.namespaces[0].path: \"x\" is not an absolute path",
            ),
            (
                r#""linux":{"timeOffsets":{"monotonic":{"secs":1}}}"#,
                "linux.timeOffsets: needs a time namespace",
            ),
            (
                r#""linux":{"timeOffsets":{"moon":{}},"namespaces":[{"type":"time"}]}"#,
                "linux.timeOffsets: \"moon\" is no clock",
            ),
            (
                r#""linux":{"timeOffsets":{"boottime":{"nanosecs":1000000000}},"namespaces":[{"type":"time"}]}"#,
                "linux.timeOffsets.boottime.nanosecs: 1000000000 is a second",
            ),
        ],
        &ANY_ROOT,
    );
    let long = format!(
        r#""hostname":"{}","linux":{{"namespaces":[{{"type":"uts"}}]}}"#,
        "h".repeat(65)
    );
    assert_eq!(
        refused(&long, &ANY_ROOT),
        "hostname: is longer than 64 bytes"
    );
    let given = Context {
        given: &[NamespaceKind::Uts],
        ..ANY_ROOT
    };
    validate(&spec(r#""hostname":"h""#), &given).expect("the caller has one");
    // A path that leads to the runtime's own namespace is none of the container's.
    assert_eq!(
        refused(
            r#""hostname":"h","linux":{"namespaces":[{"type":"uts","path":"/proc/self/ns/uts"}]}"#,
            &ANY_ROOT
        ),
        "hostname: needs a UTS namespace of the container's own"
    );
}

#[test]
fn mappings_of_user_namespaces() {
    let user = |rest: &str| {
        let one = r#"[{"containerID":0,"hostID":1000,"size":10}]"#;
        let rest = rest.replace("ONE", one);
        format!(r#""linux":{{"namespaces":[{{"type":"user"}}],{rest}}}"#)
    };
    let map = |ranges: &[(u32, u32, u32)]| {
        let ranges: Vec<String> = ranges
            .iter()
            .map(|(inside, outside, size)| {
                format!(r#"{{"containerID":{inside},"hostID":{outside},"size":{size}}}"#)
            })
            .collect();
        user(&format!(
            r#""gidMappings":ONE,"uidMappings":[{}]"#,
            ranges.join(",")
        ))
    };
    let many: Vec<_> = (0..341).map(|number| (number, number, 1)).collect();
    for (properties, expected) in [
        (map(&[(0, 0, 0)]), "linux.uidMappings[0].size: is zero"),
        (
            map(&[(u32::MAX, 0, 1)]),
            "linux.uidMappings[0].containerID: 1 IDs from 4294967295 on",
        ),
        (
            map(&[(0, 4_294_967_290, 6)]),
            "linux.uidMappings[0].hostID: 6 IDs from 4294967290 on",
        ),
        (
            map(&[(0, 0, 10), (9, 100, 1)]),
            "linux.uidMappings[1].containerID: overlaps with range 0",
        ),
        (
            map(&[(0, 0, 10), (10, 5, 1)]),
            "linux.uidMappings[1].hostID: overlaps with range 0",
        ),
        (
            map(&[(0, 5, 1), (10, 5, 9), (20, 1, 9)]),
            "linux.uidMappings[1].hostID: overlaps with range 0",
        ),
        (
            map(&many),
            "linux.uidMappings: has 341 ranges and may have 340",
        ),
        (
            user(r#""uidMappings":ONE"#),
            "linux.gidMappings: is needed for a new user namespace",
        ),
        (
            user(r#""gidMappings":ONE"#),
            "linux.uidMappings: is needed for a new user namespace",
        ),
    ] {
        let error = refused(&properties, &ANY_ROOT);
        assert!(error.starts_with(expected), "{error}");
    }
    let without = r#""linux":{"uidMappings":[{"containerID":0,"hostID":1,"size":1}]}"#;
    assert_eq!(
        refused(without, &ANY_ROOT),
        "linux.uidMappings: needs a user namespace of the container's own"
    );
    let rootless = Context {
        rootless: true,
        ..ANY_ROOT
    };
    assert_eq!(
        refused(r#""linux":{}"#, &rootless),
        "linux.namespaces: without root privileges a user namespace is needed"
    );
    // As containerd sends it: accepted, with a warning.
    let both = spec(
        r#""linux":{"namespaces":[{"type":"user","path":"/proc/1/ns/user"}],
        "uidMappings":[{"containerID":0,"hostID":1,"size":1}]}"#,
    );
    namespaces::check(&both, &ANY_ROOT).expect("accepted");
    assert!(warnings(&both)[0].contains("those of the namespace count"));
}

#[test]
fn kernel_parameters() {
    check_all(
        &[
            (
                r#""linux":{"sysctl":{"kernel.shmmax":"1"}}"#,
                "linux.sysctl: \"kernel.shmmax\" is not allowed without a ipc namespace of the container's own",
            ),
            (
                r#""linux":{"sysctl":{"vm.swappiness":"1"},"namespaces":[{"type":"ipc"}]}"#,
                "linux.sysctl: \"vm.swappiness\" is not in a separate kernel namespace",
            ),
            (
                r#""linux":{"sysctl":{"net/../vm/x":"1"},"namespaces":[{"type":"network"}]}"#,
                "linux.sysctl: \"net/../vm/x\" is no kernel parameter",
            ),
            (
                r#""linux":{"sysctl":{"net.a":"\u0000"},"namespaces":[{"type":"network"}]}"#,
                "linux.sysctl: holds a NUL byte",
            ),
            (
                r#""linux":{"sysctl":{"kernel.hostname":"1"},"namespaces":[{"type":"uts"}]}"#,
                "linux.sysctl: \"kernel.hostname\" is set by the hostname",
            ),
            // "network" named, but it is the host's.
            (
                r#""linux":{"sysctl":{"net.a":"1"},"namespaces":[{"type":"network","path":"/proc/self/ns/net"}]}"#,
                "linux.sysctl: \"net.a\" is not allowed without a network namespace",
            ),
        ],
        &ANY_ROOT,
    );
    for (parameter, expected) in [
        ("kernel.shmmax", "kernel/shmmax"),
        (
            "net.ipv4.conf.eth0/1.forwarding",
            "net/ipv4/conf/eth0.1/forwarding",
        ),
        (
            "net/ipv4/conf/eth0.1/forwarding",
            "net/ipv4/conf/eth0.1/forwarding",
        ),
        ("kernel/shmmax", "kernel/shmmax"),
    ] {
        assert_eq!(parameter_path(parameter), expected);
    }
}
