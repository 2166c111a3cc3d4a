//! As in `meaning`: mounts, devices, hooks, filters and limits.

use super::*;

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
