//! Limits hold, and usage is measured.

use std::fs;
use std::time::{Duration, Instant};

use tare_oci::runtime::{
    BlockIo, Cpu, Memory, Pids, ResourceLimit, Resources, Spec, ThrottleDevice,
};
use tare_runtime::{Identity, defaults};

use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(crate) const TESTS: &[Test] = &[
    ("limits::values_reach_the_control_groups", values),
    ("limits::too_much_memory_kills_and_is_counted", memory),
    ("limits::too_many_processes_are_refused", processes),
    ("limits::devices_are_out_of_reach", devices),
    ("limits::the_hosts_console_is_out_of_reach", host_console),
    (
        "limits::resource_limits_and_scores_are_set",
        resource_limits,
    ),
    ("limits::freezing_stops_and_thawing_continues", freezing),
    ("limits::usage_is_measured", usage),
    ("limits::killing_reaches_every_process", killing),
];

fn limited(sandbox: &Sandbox, program: &[&str], resources: Resources) -> Spec {
    let mut spec = sandbox.spec(program);
    let devices = defaults::device_rules();
    spec.linux.as_mut().expect("linux").resources = Some(Resources {
        devices,
        ..resources
    });
    spec
}

/// The value of a file in a controller's group, on v1 or v2.
fn value(sandbox: &Sandbox, v1: (&str, &str), v2: &str) -> String {
    let group = sandbox.group();
    let unified = format!("/sys/fs/cgroup/{group}/{v2}");
    let path = if fs::exists(&unified).unwrap_or(false) {
        unified
    } else {
        format!("/sys/fs/cgroup/{}/{group}/{}", v1.0, v1.1)
    };
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{path}: {error}"))
        .trim()
        .to_owned()
}

fn values() {
    let sandbox = Sandbox::new();
    let resources = Resources {
        memory: Some(Memory {
            limit: Some(32 << 20),
            swap: Some(64 << 20),
            reservation: Some(16 << 20),
            ..Memory::default()
        }),
        cpu: Some(Cpu {
            shares: Some(512),
            quota: Some(50_000),
            period: Some(100_000),
            cpus: Some("0".to_owned()),
            ..Cpu::default()
        }),
        pids: Some(Pids { limit: 77 }),
        block_io: Some(BlockIo {
            throttle_read_bps_device: first_disk()
                .map(|(major, minor)| ThrottleDevice {
                    major,
                    minor,
                    rate: 1 << 20,
                })
                .into_iter()
                .collect(),
            ..BlockIo::default()
        }),
        ..Resources::default()
    };
    let running = sandbox
        .start(
            &limited(&sandbox, &["sleep", "100"], resources),
            Identity::Configured,
        )
        .expect("starts");
    let is_v2 = running.container.cgroup.layout().hierarchies.is_empty();
    let expected = |v1: &str, v2: &str| if is_v2 { v2.to_owned() } else { v1.to_owned() };
    assert_eq!(
        value(&sandbox, ("memory", "memory.limit_in_bytes"), "memory.max"),
        "33554432"
    );
    assert_eq!(
        value(
            &sandbox,
            ("memory", "memory.soft_limit_in_bytes"),
            "memory.low"
        ),
        "16777216"
    );
    assert_eq!(value(&sandbox, ("pids", "pids.max"), "pids.max"), "77");
    assert_eq!(
        value(&sandbox, ("cpu", "cpu.shares"), "cpu.weight"),
        expected("512", "59")
    );
    assert_eq!(
        value(&sandbox, ("cpu", "cpu.cfs_quota_us"), "cpu.max"),
        expected("50000", "50000 100000")
    );
    assert_eq!(
        value(&sandbox, ("cpuset", "cpuset.cpus"), "cpuset.cpus"),
        "0"
    );
    if let Some((major, minor)) = first_disk() {
        let found = value(
            &sandbox,
            ("blkio", "blkio.throttle.read_bps_device"),
            "io.max",
        );
        assert!(found.starts_with(&format!("{major}:{minor} ")), "{found}");
    }
    // A change while it runs: raised and lowered, memory and swap together.
    for (limit, swap) in [(128 << 20, 256 << 20), (16 << 20, 20 << 20)] {
        let change = Resources {
            memory: Some(Memory {
                limit: Some(limit),
                swap: Some(swap),
                ..Memory::default()
            }),
            ..Resources::default()
        };
        running.container.cgroup.apply(&change).expect("changes");
        let found = value(&sandbox, ("memory", "memory.limit_in_bytes"), "memory.max");
        assert_eq!(found, limit.to_string());
    }
    running.stop();
}

fn first_disk() -> Option<(i64, i64)> {
    let name = fs::read_dir("/sys/block")
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('v'))
        })?;
    let numbers = fs::read_to_string(name.join("dev")).ok()?;
    let (major, minor) = numbers.trim().split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn memory() {
    let sandbox = Sandbox::new();
    let resources = Resources {
        memory: Some(Memory {
            limit: Some(16 << 20),
            swap: Some(16 << 20),
            ..Memory::default()
        }),
        ..Resources::default()
    };
    // Every page of a tmpfs counts, and the shell's child that fills it dies.
    let script = "dd if=/dev/zero of=/dev/shm/x bs=1M count=40 2>/dev/null; echo $?";
    let running = sandbox
        .start(
            &limited(
                &sandbox,
                &["sh", "-c", &format!("{script}; sleep 100")],
                resources,
            ),
            Identity::Configured,
        )
        .expect("starts");
    let deadline = Instant::now() + Duration::from_secs(20);
    while running.container.cgroup.oom_kill_count().expect("a count") == 0 {
        assert!(Instant::now() < deadline, "nothing was killed");
        std::thread::sleep(Duration::from_millis(20));
    }
    let outcome = running.stop();
    assert!(
        outcome.output == "137" || outcome.output.is_empty(),
        "{outcome:?}"
    );
}

fn processes() {
    let sandbox = Sandbox::new();
    let resources = Resources {
        pids: Some(Pids { limit: 5 }),
        ..Resources::default()
    };
    let script = "for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait";
    let outcome = sandbox
        .run(&limited(&sandbox, &["sh", "-c", script], resources))
        .expect("runs");
    assert!(outcome.output.contains("can't fork"), "{outcome:?}");
}

fn devices() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.shell(
        "mknod /tmp/mem c 1 1 && echo made; cat /tmp/mem 2>&1 | head -c 100
        mknod /tmp/null c 1 3 && echo x > /tmp/null && echo written",
    );
    let text = outcome.output;
    assert!(text.starts_with("made\n"), "{text}");
    assert!(text.contains("Operation not permitted"), "{text}");
    assert!(text.ends_with("written"), "{text}");
}

/// A container's own console is one of its terminals; 5:1 is the host's.
fn host_console() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&["sh", "-c", "mknod /tmp/console c 5 1; : > /tmp/console"]);
    let linux = spec.linux.as_mut().expect("linux");
    linux.resources.get_or_insert_default().devices = Vec::new();
    let outcome = sandbox.run(&spec).expect("runs");
    let told = format!("{outcome:?}");
    assert!(told.contains("Operation not permitted"), "{told}");
}

fn resource_limits() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&[
        "sh",
        "-c",
        "ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj",
    ]);
    let process = spec.process.as_mut().expect("a process");
    process.rlimits = vec![ResourceLimit {
        kind: "RLIMIT_NOFILE".to_owned(),
        soft: 123,
        hard: 456,
    }];
    process.oom_score_adj = Some(321);
    assert_eq!(sandbox.run(&spec).expect("runs").output, "123\n456\n321");
}

fn freezing() {
    let sandbox = Sandbox::new();
    let spec = sandbox.spec(&[
        "sh",
        "-c",
        "while :; do echo x; sleep 0.01; done > /dev/shm/x",
    ]);
    let running = sandbox.start(&spec, Identity::Configured).expect("starts");
    let written = || {
        let path = format!("/proc/{}/root/dev/shm/x", running.container.pid);
        fs::metadata(path).map(|status| status.len()).unwrap_or(0)
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    while written() == 0 {
        assert!(Instant::now() < deadline, "nothing is written");
        std::thread::sleep(Duration::from_millis(10));
    }
    let cgroup = &running.container.cgroup;
    cgroup.freeze().expect("freezes");
    assert!(cgroup.is_frozen().expect("a state"));
    let frozen = written();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(written(), frozen);
    cgroup.thaw().expect("thaws");
    assert!(!cgroup.is_frozen().expect("a state"));
    let deadline = Instant::now() + Duration::from_secs(10);
    while written() == frozen {
        assert!(Instant::now() < deadline, "does not go on");
        std::thread::sleep(Duration::from_millis(10));
    }
    running.stop();
}

fn usage() {
    let sandbox = Sandbox::new();
    let resources = Resources {
        pids: Some(Pids { limit: 50 }),
        ..Resources::default()
    };
    let script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 100; true";
    let running = sandbox
        .start(
            &limited(&sandbox, &["sh", "-c", script], resources),
            Identity::Configured,
        )
        .expect("starts");
    let deadline = Instant::now() + Duration::from_secs(20);
    while running.container.cgroup.pids().expect("processes").len() < 2 {
        assert!(Instant::now() < deadline, "the loop does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
    let statistics = running.container.cgroup.stats().expect("statistics");
    assert!(statistics.cpu.total > 1_000_000, "{statistics:?}");
    assert!(statistics.memory.usage > 4096, "{statistics:?}");
    assert!(!statistics.memory.details.is_empty(), "{statistics:?}");
    assert_eq!((statistics.pids.current, statistics.pids.limit), (2, 50));
    running.stop();
}

fn killing() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&["sh", "-c", "trap '' TERM; sleep 100 & sleep 100 & wait"]);
    // Without a PID namespace nothing but the control group holds them.
    let linux = spec.linux.as_mut().expect("linux");
    linux
        .namespaces
        .retain(|one| one.kind != tare_oci::runtime::NamespaceKind::Pid);
    let running = sandbox.start(&spec, Identity::Configured).expect("starts");
    let deadline = Instant::now() + Duration::from_secs(10);
    while running.container.cgroup.pids().expect("processes").len() < 3 {
        assert!(Instant::now() < deadline, "too few processes");
        std::thread::sleep(Duration::from_millis(10));
    }
    let pids = running.container.cgroup.pids().expect("processes");
    running.container.cgroup.kill().expect("kills");
    assert_eq!(running.finish().code, 137);
    for pid in pids {
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // Gone, a zombie, or on its way from the one to the other.
        let is_dead = state.contains(") Z ") || state.contains(") X ");
        assert!(state.is_empty() || is_dead, "{state}");
    }
}
