use super::*;

/// One document with what each part of the specification has to offer, in the
/// specification's own spelling; reading and writing it must lose nothing.
const DOCUMENT: &str = r#"{
  "ociVersion": "1.3.0",
  "process": {
    "terminal": true, "consoleSize": {"height": 24, "width": 80},
    "user": {"uid": 1, "gid": 2, "umask": 63, "additionalGids": [5, 6], "username": "u"},
    "args": ["sh"], "env": ["PATH=/bin"], "cwd": "/",
    "capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"],
      "inheritable": ["CAP_KILL"], "permitted": ["CAP_KILL"], "ambient": ["CAP_KILL"]},
    "rlimits": [{"type": "RLIMIT_CORE", "hard": 1024, "soft": 1024}],
    "noNewPrivileges": true, "apparmorProfile": "p", "oomScoreAdj": 100,
    "scheduler": {"policy": "SCHED_FIFO", "priority": 3, "flags": ["SCHED_FLAG_RESET_ON_FORK"]},
    "selinuxLabel": "l", "ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 4},
    "execCPUAffinity": {"initial": "7", "final": "0-3,7"}
  },
  "root": {"path": "rootfs", "readonly": true},
  "hostname": "h", "domainname": "d",
  "mounts": [{"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid"],
    "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 32}],
    "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 32}]}],
  "hooks": {"prestart": [{"path": "/a"}], "createContainer": [{"path": "/b"}],
    "startContainer": [{"path": "/c"}], "poststart": [{"path": "/d"}], "poststop": [{"path": "/e"}],
    "createRuntime": [{"path": "/bin/x", "args": ["x"], "env": ["A=b"], "timeout": 3}]},
  "annotations": {"a": "b"},
  "linux": {
    "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 32000}],
    "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 32000}],
    "sysctl": {"net.ipv4.ip_forward": "1"},
    "resources": {
      "devices": [{"allow": false, "access": "rwm"},
        {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}],
      "memory": {"limit": 1, "reservation": 2, "swap": 3, "kernel": -1, "kernelTCP": -1,
        "swappiness": 0, "disableOOMKiller": false, "useHierarchy": true, "checkBeforeUpdate": true},
      "cpu": {"shares": 1024, "quota": 1000000, "burst": 5, "period": 500000,
        "realtimeRuntime": 950000, "realtimePeriod": 1000000, "cpus": "2-3", "mems": "0-7", "idle": 0},
      "pids": {"limit": 32771},
      "blockIO": {"weight": 10, "leafWeight": 10,
        "weightDevice": [{"major": 8, "minor": 0, "weight": 500, "leafWeight": 300}],
        "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 600}],
        "throttleWriteBpsDevice": [{"major": 8, "minor": 0, "rate": 600}],
        "throttleReadIOPSDevice": [{"major": 8, "minor": 0, "rate": 600}],
        "throttleWriteIOPSDevice": [{"major": 8, "minor": 16, "rate": 300}]},
      "hugepageLimits": [{"pageSize": "2MB", "limit": 209715200}],
      "network": {"classID": 1048577, "priorities": [{"name": "eth0", "priority": 500}]},
      "rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10000}},
      "unified": {"memory.high": "1"}
    },
    "cgroupsPath": "/myRuntime/myContainer",
    "namespaces": [{"type": "pid", "path": "/proc/1234/ns/pid"}, {"type": "network"}],
    "devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229,
      "fileMode": 438, "uid": 0, "gid": 0}],
    "netDevices": {"eth0": {"name": "container_eth0"}},
    "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
      "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"],
      "flags": ["SECCOMP_FILTER_FLAG_LOG"], "listenerPath": "/s", "listenerMetadata": "m",
      "syscalls": [{"names": ["clone"], "action": "SCMP_ACT_ALLOW", "errnoRet": 1,
        "args": [{"index": 0, "value": 2114060288, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}]}]},
    "rootfsPropagation": "slave",
    "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"], "mountLabel": "l",
    "intelRdt": {"closID": "g", "schemata": ["L3:0=ff"], "l3CacheSchema": "L3:0=7f0", "memBwSchema": "MB:0=20",
      "enableCMT": true, "enableMBM": true, "enableMonitoring": true},
    "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]},
    "personality": {"domain": "LINUX32", "flags": ["x"]},
    "timeOffsets": {"monotonic": {"secs": 172800, "nanosecs": 1}}
  }
}"#;

#[test]
fn every_field_of_the_specification_survives_reading_and_writing() {
    let value: serde_json::Value = serde_json::from_str(DOCUMENT).expect("valid JSON");
    let spec: Spec = serde_json::from_str(DOCUMENT).expect("valid document");
    assert_eq!(serde_json::to_value(&spec).expect("writable"), value);
}

#[test]
fn the_smallest_document_is_accepted_and_wrong_types_are_refused() {
    let spec: Spec = serde_json::from_str(r#"{"ociVersion":"1.0.0"}"#).expect("valid");
    assert_eq!(spec.version, "1.0.0");
    for wrong in [
        "{}",
        r#"{"ociVersion":"1.0.0","process":{"args":["x"]}}"#,
        r#"{"ociVersion":"1.0.0","root":{}}"#,
        r#"{"ociVersion":"1.0.0","linux":{"namespaces":[{"type":"moon"}]}}"#,
        r#"{"ociVersion":"1.0.0","linux":{"seccomp":{}}}"#,
        r#"{"ociVersion":"1.0.0","process":{"cwd":"/","user":{"uid":-1}}}"#,
    ] {
        assert!(serde_json::from_str::<Spec>(wrong).is_err(), "{wrong}");
    }
}

/// Properties that a document cannot do without where their object is there.
const REQUIRED: [&str; 40] = [
    "/ociVersion",
    "/process/consoleSize/height",
    "/process/consoleSize/width",
    "/process/cwd",
    "/process/ioPriority/class",
    "/process/rlimits/0/hard",
    "/process/rlimits/0/soft",
    "/process/rlimits/0/type",
    "/process/scheduler/policy",
    "/root/path",
    "/mounts/0/destination",
    "/hooks/createRuntime/0/path",
    "/linux/uidMappings/0/containerID",
    "/linux/uidMappings/0/hostID",
    "/linux/uidMappings/0/size",
    "/linux/devices/0/path",
    "/linux/devices/0/type",
    "/linux/namespaces/0/type",
    "/linux/memoryPolicy/mode",
    "/linux/personality/domain",
    "/linux/resources/devices/0/allow",
    "/linux/resources/pids/limit",
    "/linux/resources/hugepageLimits/0/limit",
    "/linux/resources/hugepageLimits/0/pageSize",
    "/linux/resources/network/priorities/0/name",
    "/linux/resources/network/priorities/0/priority",
    "/linux/resources/blockIO/weightDevice/0/major",
    "/linux/resources/blockIO/weightDevice/0/minor",
    "/linux/resources/blockIO/throttleReadBpsDevice/0/major",
    "/linux/resources/blockIO/throttleReadBpsDevice/0/minor",
    "/linux/resources/blockIO/throttleReadBpsDevice/0/rate",
    "/linux/seccomp/defaultAction",
    "/linux/seccomp/syscalls/0/action",
    "/linux/seccomp/syscalls/0/names",
    "/linux/seccomp/syscalls/0/args/0/index",
    "/linux/seccomp/syscalls/0/args/0/op",
    "/linux/seccomp/syscalls/0/args/0/value",
    "/mounts/0/uidMappings/0/containerID",
    "/mounts/0/uidMappings/0/hostID",
    "/mounts/0/uidMappings/0/size",
];

/// The properties of all objects of a document, as JSON pointers.
fn properties(value: &serde_json::Value, path: &str, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(object) => {
            for (name, value) in object {
                let path = format!("{path}/{name}");
                found.push(path.clone());
                properties(value, &path, found);
            }
        }
        serde_json::Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                properties(value, &format!("{path}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Go writes null for a list, map or pointer that is not there, and its
/// decoder takes null for any value.
#[test]
fn null_is_absent_wherever_something_may_be_absent() {
    let document: serde_json::Value = serde_json::from_str(DOCUMENT).expect("valid JSON");
    let mut paths = Vec::new();
    properties(&document, "", &mut paths);
    assert!(paths.len() > 150, "{}", paths.len());
    for path in REQUIRED {
        assert!(
            paths.iter().any(|known| known == path),
            "{path} is not there"
        );
    }
    let read = |document: &serde_json::Value| serde_json::from_str::<Spec>(&document.to_string());
    for path in paths {
        let mut with_null = document.clone();
        *with_null.pointer_mut(&path).expect("there") = serde_json::Value::Null;
        let mut without = document.clone();
        let (parent, name) = path.rsplit_once('/').expect("a path");
        let parent = without.pointer_mut(parent).expect("there");
        parent.as_object_mut().expect("an object").remove(name);

        // The values of free maps have no name of their own.
        let free = [
            "/annotations/",
            "/linux/sysctl/",
            "/linux/resources/unified/",
        ];
        let similar = |required: &str| {
            let digits = |part: &str| part.parse::<u32>().is_ok();
            let parts = |path: &str| {
                path.replace("Write", "Read")
                    .replace("IOPS", "Bps")
                    .replace("gidMappings", "uidMappings")
                    .split('/')
                    .map(|part| {
                        if digits(part) {
                            "0".to_owned()
                        } else {
                            part.to_owned()
                        }
                    })
                    .map(|part| match part.as_str() {
                        "prestart" | "createContainer" | "startContainer" | "poststart"
                        | "poststop" => "createRuntime".to_owned(),
                        _ => part,
                    })
                    .collect::<Vec<_>>()
            };
            parts(required) == parts(&path)
        };
        let entry = free.iter().any(|map| path.starts_with(map))
            || [
                "/linux/resources/rdma",
                "/linux/netDevices",
                "/linux/timeOffsets",
            ]
            .iter()
            .any(|map| {
                path.rsplit_once('/')
                    .is_some_and(|(parent, _)| parent == *map)
            });
        if entry {
            continue;
        }
        if REQUIRED.iter().any(|required| similar(required)) {
            assert!(read(&with_null).is_err(), "{path}: null");
            assert!(read(&without).is_err(), "{path}: absent");
        } else {
            let with_null = read(&with_null).unwrap_or_else(|error| panic!("{path}: {error}"));
            let without = read(&without).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert_eq!(with_null, without, "{path}");
        }
    }
}

#[test]
fn numbers_beyond_their_range_and_fractions_are_refused() {
    for (document, wrong) in [
        (
            r#""process":{"cwd":"/","user":{"uid":4294967296}}"#,
            "4294967296",
        ),
        (r#""process":{"cwd":"/","oomScoreAdj":1e2}"#, "100.0"),
        (
            r#""linux":{"resources":{"memory":{"limit":9223372036854775808}}}"#,
            "9223372036854775808",
        ),
        (
            r#""linux":{"resources":{"blockIO":{"weight":70000}}}"#,
            "70000",
        ),
        (r#""linux":{"resources":{"cpu":{"shares":-1}}}"#, "-1"),
    ] {
        let document = format!(r#"{{"ociVersion":"1.3.0",{document}}}"#);
        let error = serde_json::from_str::<Spec>(&document).expect_err(&document);
        assert!(error.to_string().contains(wrong), "{error}");
    }
}

#[test]
fn the_words_of_a_type_are_those_that_it_reads() {
    assert_eq!(
        words::<NamespaceKind>(),
        [
            "pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"
        ]
    );
    assert!(words::<Hooks>().contains(&"startContainer"));
    assert!(words::<SeccompAction>().contains(&"SCMP_ACT_KILL_THREAD"));
    assert!(words::<String>().is_empty());
    for name in words::<SeccompArchitecture>() {
        serde_json::from_value::<SeccompArchitecture>((*name).into()).expect(name);
    }
}

/// runtime.md, "State"; config-linux.md, "The Container Process State".
#[test]
fn a_state_is_written_as_the_specification_shows_it() {
    let state = State {
        version: "1.3.0".to_owned(),
        id: "oci-container1".to_owned(),
        status: Status::Running,
        pid: 4422,
        bundle: "/containers/redis".to_owned(),
        annotations: BTreeMap::from([("myKey".to_owned(), "myValue".to_owned())]),
    };
    let message = ContainerProcessState {
        version: "1.3.0".to_owned(),
        fds: vec![SECCOMP_FD_NAME.to_owned()],
        pid: 4422,
        metadata: "MKNOD=/dev/null".to_owned(),
        state: state.clone(),
    };
    let expected = serde_json::json!({
        "ociVersion": "1.3.0", "fds": ["seccompFd"], "pid": 4422, "metadata": "MKNOD=/dev/null",
        "state": {"ociVersion": "1.3.0", "id": "oci-container1", "status": "running", "pid": 4422,
            "bundle": "/containers/redis", "annotations": {"myKey": "myValue"}}
    });
    assert_eq!(serde_json::to_value(&message).expect("writable"), expected);
    assert_eq!(
        serde_json::from_value::<ContainerProcessState>(expected).expect("readable"),
        message
    );
    let stopped = State {
        status: Status::Stopped,
        pid: 0,
        annotations: BTreeMap::new(),
        ..state
    };
    assert_eq!(
        serde_json::to_value(&stopped).expect("writable"),
        serde_json::json!({"ociVersion": "1.3.0", "id": "oci-container1", "status": "stopped",
            "bundle": "/containers/redis"})
    );
    for status in words::<Status>() {
        let read: Status = serde_json::from_value((*status).into()).expect(status);
        assert_eq!(read.as_str(), *status);
    }
}
