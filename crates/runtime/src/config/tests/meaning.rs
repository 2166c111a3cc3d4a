//! Documents of the right form that make no sense.

use super::*;

/// Property, and how the refusal begins.
type Case = (&'static str, &'static str);

fn check_all(cases: &[Case], context: &Context<'_>) {
    for (properties, expected) in cases {
        let error = refused(properties, context);
        assert!(error.starts_with(expected), "{properties}\n{error}");
    }
}

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

#[test]
fn mounts_that_make_no_sense() {
    let mapped = r#""uidMappings":[{"containerID":0,"hostID":1,"size":1}],"gidMappings":[{"containerID":0,"hostID":1,"size":1}]"#;
    let with = |mount: &str| {
        format!(
            r#""mounts":[{{"destination":"/a","type":"tmpfs"}},{{{}}}]"#,
            mount.replace("MAPPED", mapped)
        )
    };
    for (mount, expected) in [
        (r#""destination":"""#, "mounts[1].destination: is empty"),
        (
            r#""destination":"/","type":"tmpfs""#,
            "mounts[1].destination: \"/\" is the root",
        ),
        (
            r#""destination":"//a/.././.","type":"tmpfs""#,
            "mounts[1].destination: \"//a/.././.\" is the root",
        ),
        (
            r#""destination":"/../..","type":"tmpfs""#,
            "mounts[1].destination: ",
        ),
        (
            r#""destination":"/b\u0000","type":"tmpfs""#,
            "mounts[1].destination: holds a NUL byte",
        ),
        (
            r#""destination":"/b","type":"tmp\u0000""#,
            "mounts[1].type: holds a NUL byte",
        ),
        (
            r#""destination":"/b","source":"\u0000""#,
            "mounts[1].source: holds a NUL byte",
        ),
        (
            r#""destination":"/b","type":"tmpfs","options":["a","b\u0000"]"#,
            "mounts[1].options[1]: holds a NUL byte",
        ),
        (
            r#""destination":"/b","type":"bind""#,
            "mounts[1].source: is needed for a bind mount",
        ),
        (
            r#""destination":"/b","options":["rbind"],"source":"""#,
            "mounts[1].source: is needed",
        ),
        (
            r#""destination":"/b","source":"/","uidMappings":[{"containerID":0,"hostID":1,"size":1}]"#,
            "mounts[1].gidMappings: is missing",
        ),
        (
            r#""destination":"/b","source":"/","gidMappings":[{"containerID":0,"hostID":1,"size":1}]"#,
            "mounts[1].uidMappings: is missing",
        ),
        (
            r#""destination":"/b","source":"/","uidMappings":[{"containerID":0,"hostID":1,"size":0}]"#,
            "mounts[1].uidMappings[0].size: is zero",
        ),
        (
            r#""destination":"/b","type":"tmpfs",MAPPED"#,
            "mounts[1].uidMappings: only a bind mount",
        ),
        (
            r#""destination":"/b","source":"/","options":["bind","idmap"]"#,
            "mounts[1].options[1]: needs mappings",
        ),
    ] {
        let error = refused(&with(mount), &ANY_ROOT);
        assert!(error.starts_with(expected), "{mount}\n{error}");
    }
    let rootless = Context {
        rootless: true,
        given: &[NamespaceKind::User],
        ..ANY_ROOT
    };
    assert!(
        refused(
            &with(r#""destination":"/b","source":"/",MAPPED"#),
            &rootless
        )
        .contains("needs root privileges")
    );
    let owned = r#""mounts":[{"destination":"/dev/pts","type":"devpts","options":["mode=620","gid=5"]}],
        "linux":{"namespaces":[{"type":"user"}],"uidMappings":[{"containerID":0,"hostID":1,"size":1}],
        "gidMappings":[{"containerID":0,"hostID":1,"size":1}]}"#;
    assert_eq!(
        refused(
            owned,
            &Context {
                rootless: true,
                ..ANY_ROOT
            }
        ),
        "mounts[0].options[1]: gid=5 is not mapped in the user namespace"
    );
    let relative = spec(
        r#""mounts":[{"destination":"a/b","type":"tmpfs"},{"destination":"/a","options":["remount","ro"]}]"#,
    );
    validate(&relative, &ANY_ROOT).expect("taken from the root");
    assert_eq!(
        warnings(&relative),
        [
            "mount destination a/b is not absolute. Support for non-absolute mount destinations will \
          be removed in a future release."
        ]
    );
}

#[test]
fn devices_paths_and_hooks() {
    check_all(
        &[
            (
                r#""linux":{"devices":[{"path":"dev/a","type":"c","major":1,"minor":1}]}"#,
                "linux.devices[0].path: \"dev/a\" is not an absolute path",
            ),
            (
                r#""linux":{"devices":[{"path":"/dev/..","type":"p"}]}"#,
                "linux.devices[0].path: \"/dev/..\" is no path of a file",
            ),
            (
                r#""linux":{"devices":[{"path":"/dev/a","type":"c","minor":1}]}"#,
                "linux.devices[0].major: is missing",
            ),
            (
                r#""linux":{"devices":[{"path":"/dev/a","type":"b","major":1}]}"#,
                "linux.devices[0].minor: is missing",
            ),
            (
                r#""linux":{"devices":[{"path":"/dev/a","type":"u","major":4096,"minor":0}]}"#,
                "linux.devices[0].major: 4096 is not between",
            ),
            (
                r#""linux":{"devices":[{"path":"/dev/a","type":"u","major":0,"minor":-2}]}"#,
                "linux.devices[0].minor: -2 is not between",
            ),
            (
                r#""linux":{"maskedPaths":["/a","b"]}"#,
                "linux.maskedPaths[1]: \"b\" is not an absolute path",
            ),
            (
                r#""linux":{"readonlyPaths":[""]}"#,
                "linux.readonlyPaths[0]: is empty",
            ),
            (
                r#""hooks":{"poststop":[{"path":"a"}]}"#,
                "hooks.poststop[0].path: \"a\" is not an absolute path",
            ),
            (
                r#""hooks":{"prestart":[{"path":"/a","timeout":0}]}"#,
                "hooks.prestart[0].timeout: 0 is not greater than zero",
            ),
            (
                r#""hooks":{"createContainer":[{"path":"/a"},{"path":"/a","env":["A"]}]}"#,
                "hooks.createContainer[1].env[0]: \"A\" has no '='",
            ),
            (
                r#""hooks":{"startContainer":[{"path":"/a","args":["","\u0000"]}]}"#,
                "hooks.startContainer[0].args[1]: holds a NUL byte",
            ),
        ],
        &ANY_ROOT,
    );
    validate(
        &spec(r#""linux":{"devices":[{"path":"/a/b","type":"p"}]}"#),
        &ANY_ROOT,
    )
    .expect("a FIFO has no numbers");
}

#[test]
fn system_call_filters() {
    check_all(
        &[
            (
                r#""linux":{"seccomp":{"defaultAction":"SCMP_ACT_NOTIFY"}}"#,
                "linux.seccomp.defaultAction: cannot be SCMP_ACT_NOTIFY",
            ),
            (
                r#""linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"a"}}"#,
                "linux.seccomp.listenerPath: \"a\" is not an absolute path",
            ),
            (
                r#""linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":[],"action":"SCMP_ACT_LOG"}]}}"#,
                "linux.seccomp.syscalls[0].names: is empty",
            ),
            (
                r#""linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_LOG","args":[{"index":6,"value":0,"op":"SCMP_CMP_EQ"}]}]}}"#,
                "linux.seccomp.syscalls[0].args[0].index: 6 is above 5",
            ),
        ],
        &ANY_ROOT,
    );
}

/// What the control groups refuse is tested there; here, that they are asked.
#[test]
fn resources() {
    check_all(
        &[
            (
                r#""linux":{"resources":{"memory":{"limit":-5}}}"#,
                "linux.resources.memory.limit: must be -1 or not negative",
            ),
            (
                r#""linux":{"resources":{"cpu":{"cpus":"a"}}}"#,
                "linux.resources.cpu.cpus: ",
            ),
            (
                r#""linux":{"resources":{"devices":[{"allow":true,"type":"d"}]}}"#,
                "linux.resources.devices",
            ),
            (
                r#""linux":{"cgroupsPath":"/a\u0000"}"#,
                "linux.cgroupsPath: holds a NUL byte",
            ),
        ],
        &ANY_ROOT,
    );
}

#[test]
fn interfaces_cache_memory_and_personality() {
    check_all(
        &[
            (
                r#""linux":{"netDevices":{"eth0":{}}}"#,
                "linux.netDevices: needs a network namespace",
            ),
            (
                r#""linux":{"namespaces":[{"type":"network"}],"netDevices":{"eth0":{"name":"a/b"}}}"#,
                "linux.netDevices.eth0.name: \"a/b\" is no name",
            ),
            (
                r#""linux":{"namespaces":[{"type":"network"}],"netDevices":{"eth0":{"name":"%d%d"}}}"#,
                "linux.netDevices.eth0.name: \"%d%d\" is no name",
            ),
            (
                r#""linux":{"namespaces":[{"type":"network"}],"netDevices":{"1234567890123456":{}}}"#,
                "linux.netDevices: \"1234567890123456\" is no name",
            ),
            (
                r#""linux":{"namespaces":[{"type":"network"}],"netDevices":{"a":{},"b":{"name":"a"}}}"#,
                "linux.netDevices.b.name: \"a\" is the name of another",
            ),
            (
                r#""linux":{"intelRdt":{"closID":"../x"}}"#,
                "linux.intelRdt.closID: \"../x\" is no name",
            ),
            (
                r#""linux":{"intelRdt":{"memBwSchema":"L3:0=f"}}"#,
                "linux.intelRdt.memBwSchema: ",
            ),
            (
                r#""linux":{"intelRdt":{"memBwSchema":"MB:0=1\nL3:0=f"}}"#,
                "linux.intelRdt.memBwSchema: ",
            ),
            (
                r#""linux":{"intelRdt":{"l3CacheSchema":"L3:0=f\nMB:0=1"}}"#,
                "linux.intelRdt.l3CacheSchema: has a line for memory bandwidth",
            ),
            (
                r#""linux":{"intelRdt":{"schemata":["L3:0=f","L2"]}}"#,
                "linux.intelRdt.schemata[1]: \"L2\" is no line",
            ),
            (
                r#""linux":{"memoryPolicy":{"mode":"MPOL_BIND"}}"#,
                "linux.memoryPolicy.nodes: is needed",
            ),
            (
                r#""linux":{"memoryPolicy":{"mode":"MPOL_LOCAL","nodes":"0"}}"#,
                "linux.memoryPolicy.nodes: is not for this mode",
            ),
            (
                r#""linux":{"memoryPolicy":{"mode":"MPOL_BIND","nodes":"x"}}"#,
                "linux.memoryPolicy.nodes: \"x\" is no number",
            ),
            (
                r#""linux":{"memoryPolicy":{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_STATIC_NODES","MPOL_F_RELATIVE_NODES"]}}"#,
                "linux.memoryPolicy.flags: ",
            ),
            (
                r#""linux":{"memoryPolicy":{"mode":"MPOL_BIND","nodes":"0-1"},"resources":{"cpu":{"mems":"1"}}}"#,
                "linux.memoryPolicy.nodes: \"0-1\" is not within linux.resources.cpu.mems",
            ),
            (
                r#""linux":{"intelRdt":{"closID":"info"}}"#,
                "linux.intelRdt.closID: \"info\" is no name",
            ),
            (
                r#""linux":{"memoryPolicy":{"mode":"MPOL_INTERLEAVE","nodes":"0","flags":["MPOL_F_NUMA_BALANCING"]}}"#,
                "linux.memoryPolicy.flags: ",
            ),
            (
                r#""linux":{"memoryPolicy":{"mode":"MPOL_PREFERRED","flags":["MPOL_F_STATIC_NODES"]}}"#,
                "linux.memoryPolicy.flags: ",
            ),
            (
                r#""linux":{"personality":{"domain":"LINUX","flags":["X"]}}"#,
                "linux.personality.flags[0]: \"X\" is no flag",
            ),
        ],
        &ANY_ROOT,
    );
}

#[test]
fn what_is_missing_is_refused_by_name() {
    for (feature, properties) in [
        (Feature::Hooks, r#""hooks":{"poststop":[{"path":"/x"}]}"#),
        (Feature::IntelRdt, r#""linux":{"intelRdt":{}}"#),
        (
            Feature::MemoryPolicy,
            r#""linux":{"memoryPolicy":{"mode":"MPOL_LOCAL"}}"#,
        ),
        (
            Feature::NetDevices,
            r#""linux":{"netDevices":{"a":{}},"namespaces":[{"type":"network"}]}"#,
        ),
        (
            Feature::IdMappedMounts,
            r#""mounts":[{"destination":"/a","source":"/","uidMappings":[{"containerID":0,"hostID":1,"size":1}],"gidMappings":[{"containerID":0,"hostID":1,"size":1}]}]"#,
        ),
        (
            Feature::UserNamespaces,
            r#""linux":{"namespaces":[{"type":"user"}],"uidMappings":[{"containerID":0,"hostID":1,"size":1}],"gidMappings":[{"containerID":0,"hostID":1,"size":1}]}"#,
        ),
    ] {
        let result = validate(&spec(properties), &ANY_ROOT);
        assert_eq!(
            result.is_ok(),
            is_supported(feature),
            "{feature:?}: {result:?}"
        );
        if let Err(error) = result {
            assert!(
                error.to_string().ends_with("is not supported yet"),
                "{error}"
            );
        }
    }
}

#[test]
fn unknown_capabilities_are_a_warning() {
    let odd = spec(
        r#""process":{"cwd":"/","args":["a"],"capabilities":{"bounding":["CAP_KILL","CAP_MOON"],
        "permitted":["CAP_MOON","CAP_SUN"]}}"#,
    );
    validate(&odd, &ANY_ROOT).expect("accepted, since 1.1 of the specification");
    assert_eq!(
        warnings(&odd),
        ["ignoring unknown or unavailable capabilities: [CAP_MOON CAP_SUN]"]
    );
}

#[test]
fn a_filter_that_asks_needs_an_answer_from_somewhere() {
    let asks = r#""defaultAction":"SCMP_ACT_ALLOW",
        "syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}]"#;
    let alone = spec(&format!(r#""linux":{{"seccomp":{{{asks}}}}}"#));
    assert_eq!(
        validate(&alone, &ANY_ROOT)
            .expect_err("nobody answers")
            .to_string(),
        "linux.seccomp.syscalls[0].action: SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath"
    );
    // Who creates the container through the library may answer himself.
    let keeps = Context {
        keeps_listener: true,
        ..ANY_ROOT
    };
    validate(&alone, &keeps).expect("the caller answers");
    let named = spec(&format!(
        r#""linux":{{"seccomp":{{"listenerPath":"/run/agent",{asks}}}}}"#
    ));
    validate(&named, &ANY_ROOT).expect("the agent answers");
}
