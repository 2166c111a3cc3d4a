use super::*;

/// One document with what each part of the specification has to offer, in the
/// specification's own spelling; reading and writing it must lose nothing.
const DOCUMENT: &str = r#"{
  "ociVersion": "1.2.0",
  "process": {
    "terminal": true, "consoleSize": {"height": 24, "width": 80},
    "user": {"uid": 1, "gid": 2, "umask": 63, "additionalGids": [5, 6]},
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
    "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 32}]}],
  "hooks": {"createRuntime": [{"path": "/bin/x", "args": ["x"], "env": ["A=b"], "timeout": 3}]},
  "annotations": {"a": "b"},
  "linux": {
    "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 32000}],
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
      "enableMonitoring": true},
    "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]},
    "personality": {"domain": "LINUX32"},
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
