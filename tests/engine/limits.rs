//! Limits, read from the control groups themselves.

use serde_json::{Value, json};
use std::path::Path;
use tare_tests::Engine;

fn start(engine: &Engine, host: Value) -> String {
    engine
        .start_container(json!({"Image": "busybox", "Cmd": ["sleep", "1000"], "HostConfig": host}))
}

/// The file of version 1 if its hierarchy is there, else the one of version 2.
fn file(engine: &Engine, id: &str, v1: (&str, &str), v2: &str) -> String {
    let (hierarchy, name) = if Path::new("/sys/fs/cgroup").join(v1.0).exists() {
        v1
    } else {
        ("", v2)
    };
    let group = engine.container_cgroup(id, hierarchy);
    assert!(group.contains(id), "{group} is the container's own");
    engine.sandbox().cgroup_file(hierarchy, &group, name)
}

#[test]
fn memory() {
    let engine = Engine::start();
    let id = start(&engine, json!({"Memory": 33_554_432}));
    assert_eq!(
        file(
            &engine,
            &id,
            ("memory", "memory.limit_in_bytes"),
            "memory.max"
        ),
        "33554432"
    );
    // Twice as much with swap, unless something else is said.
    if Path::new("/sys/fs/cgroup/memory").exists() {
        assert_eq!(
            file(&engine, &id, ("memory", "memory.memsw.limit_in_bytes"), ""),
            "67108864"
        );
        let id = start(
            &engine,
            json!({"Memory": 33_554_432, "MemorySwap": 33_554_432}),
        );
        assert_eq!(
            file(&engine, &id, ("memory", "memory.memsw.limit_in_bytes"), ""),
            "33554432"
        );
    }
    let id = start(
        &engine,
        json!({"Memory": 67_108_864, "MemoryReservation": 33_554_432}),
    );
    assert_eq!(
        file(
            &engine,
            &id,
            ("memory", "memory.soft_limit_in_bytes"),
            "memory.low"
        ),
        "33554432"
    );
}

#[test]
fn processor() {
    let engine = Engine::start();
    let id = start(
        &engine,
        json!({"NanoCpus": 500_000_000, "CpuShares": 512, "CpusetCpus": "0"}),
    );
    let quota = file(&engine, &id, ("cpu", "cpu.cfs_quota_us"), "cpu.max");
    assert!(quota == "50000" || quota == "50000 100000", "{quota}");
    let shares = file(&engine, &id, ("cpu", "cpu.shares"), "cpu.weight");
    assert!(shares == "512" || shares == "20", "{shares}");
    assert_eq!(
        file(&engine, &id, ("cpuset", "cpuset.cpus"), "cpuset.cpus"),
        "0"
    );
    assert_eq!(engine.client(&["exec", &id, "nproc"]).line(), "1");
    let id = start(&engine, json!({"CpuQuota": 20_000, "CpuPeriod": 50_000}));
    let quota = file(&engine, &id, ("cpu", "cpu.cfs_quota_us"), "cpu.max");
    assert!(quota == "20000" || quota == "20000 50000", "{quota}");
    let answer = engine.post(
        "/containers/create",
        json!({"Image": "busybox", "HostConfig": {"NanoCpus": 9_000_000_000_000_i64}}),
    );
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.message().contains("CPUs"), "{}", answer.message());
}

#[test]
fn processes() {
    let engine = Engine::start();
    let id = start(&engine, json!({"PidsLimit": 10}));
    assert_eq!(file(&engine, &id, ("pids", "pids.max"), "pids.max"), "10");
    let output = engine.client(&[
        "run",
        "--rm",
        "--pids-limit",
        "10",
        "busybox",
        "sh",
        "-c",
        "for i in $(seq 20); do sleep 5 & done",
    ]);
    assert!(output.stderr.contains("can't fork"), "{output:?}");
}

#[test]
fn out_of_memory_is_told() {
    let engine = Engine::start();
    let id = engine.start_container(json!({
        "Image": "busybox",
        "Cmd": ["sh", "-c", "tail /dev/zero"],
        "HostConfig": {"Memory": 16_777_216, "MemorySwap": 16_777_216},
    }));
    assert_eq!(engine.wait(&id), 137);
    let state = engine.inspect(&id)["State"].clone();
    assert_eq!(
        (&state["OOMKilled"], &state["ExitCode"]),
        (&json!(true), &json!(137)),
        "{state}"
    );
    // A later run that ends well is not out of memory.
    let id = start(&engine, json!({"Memory": 16_777_216}));
    engine
        .post(&format!("/containers/{id}/kill"), Value::Null)
        .expect(204);
    engine.wait(&id);
    assert_eq!(engine.inspect(&id)["State"]["OOMKilled"], false);
}

#[test]
fn resource_limits_and_sizes() {
    let engine = Engine::start();
    let output = engine.client(&[
        "run",
        "--rm",
        "--ulimit",
        "nofile=100:200",
        "busybox",
        "sh",
        "-c",
        "ulimit -Sn; ulimit -Hn",
    ]);
    assert_eq!(output.expect(0).stdout, "100\n200\n");
    let output = engine
        .client(&[
            "run",
            "--rm",
            "--shm-size",
            "1m",
            "busybox",
            "df",
            "-k",
            "/dev/shm",
        ])
        .expect(0);
    assert!(output.stdout.contains(" 1024 "), "{}", output.stdout);
    let output = engine.client(&[
        "run",
        "--rm",
        "--oom-score-adj",
        "300",
        "busybox",
        "cat",
        "/proc/self/oom_score_adj",
    ]);
    assert_eq!(output.line(), "300");
}

#[test]
fn by_the_clients_flags() {
    let engine = Engine::start();
    let id = engine
        .client(&[
            "run",
            "-d",
            "-m",
            "32m",
            "--memory-swap",
            "48m",
            "--cpus",
            "0.5",
            "--cpu-shares",
            "256",
            "--pids-limit",
            "99",
            "busybox",
            "sleep",
            "100",
        ])
        .line();
    let host = engine.inspect(&id)["HostConfig"].clone();
    assert_eq!(host["Memory"], 32 << 20);
    assert_eq!(host["MemorySwap"], 48 << 20);
    assert_eq!(host["NanoCpus"], 500_000_000);
    assert_eq!(host["CpuShares"], 256);
    assert_eq!(host["PidsLimit"], 99);
    engine
        .client(&["run", "--rm", "-m", "1m", "busybox", "true"])
        .expect_error(125, &["inimum memory limit", "6MB"]);
}
