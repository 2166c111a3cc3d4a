//! Control groups as things that are made, found again, changed and removed.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use tare_oci::runtime::{Cpu, DeviceRule, HugepageLimit, Memory, Pids, Resources};
use tare_runtime::Identity;
use tare_runtime::cgroup::{Cgroup, Driver, OutOfMemory, Place};

use crate::harness::Test;
use crate::sandbox::{Running, Sandbox};

pub(crate) const TESTS: &[Test] = &[
    ("groups::are_found_again_by_their_place", found_again),
    ("groups::the_frozen_are_killed_and_removed", frozen),
    ("groups::nested_groups_are_removed", nested),
    (
        "groups::rules_for_devices_are_replaced_while_it_runs",
        devices,
    ),
    ("groups::limits_are_raised_and_lowered_together", together),
    (
        "groups::what_cannot_be_had_is_refused_by_its_field",
        refusals,
    ),
    ("groups::want_of_memory_is_told", out_of_memory),
    ("groups::usage_has_what_is_used", usage),
    ("groups::without_permission_there_are_none", absent),
];

fn sleeping(sandbox: &Sandbox) -> Running {
    sandbox
        .start(&sandbox.spec(&["sleep", "1000"]), Identity::Configured)
        .expect("starts")
}

/// A file of the container's group in a v1 hierarchy, or in the v2 one.
fn file(sandbox: &Sandbox, legacy: &str, unified: &str) -> String {
    let group = sandbox.group();
    let path = if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
        format!("/sys/fs/cgroup/{group}/{unified}")
    } else {
        let (controller, file) = legacy.split_once('/').expect("a controller");
        format!("/sys/fs/cgroup/{controller}/{group}/{file}")
    };
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{path}: {error}"))
        .trim()
        .to_owned()
}

/// Whether the kernel has a file: some are younger than others.
fn has(sandbox: &Sandbox, legacy: &str, unified: &str) -> bool {
    let group = sandbox.group();
    let (controller, file) = legacy.split_once('/').expect("a controller");
    Path::new(&format!("/sys/fs/cgroup/{group}/{unified}")).exists()
        || Path::new(&format!("/sys/fs/cgroup/{controller}/{group}/{file}")).exists()
}

fn found_again() {
    let sandbox = Sandbox::new();
    let running = sleeping(&sandbox);
    let place = running.container.cgroup.place();
    let text = serde_json::to_string(&place).expect("JSON");
    let again: Place = serde_json::from_str(&text).expect("the same");
    assert_eq!(again, place);
    let cgroup = Cgroup::reopen(&again).expect("groups");
    assert_eq!(cgroup.pids().expect("processes"), [running.container.pid]);
    assert!(cgroup.exists());
    running.stop();
    assert!(!cgroup.exists());
    cgroup.remove().expect("removing again is fine");
}

fn frozen() {
    let sandbox = Sandbox::new();
    let running = sleeping(&sandbox);
    let cgroup = &running.container.cgroup;
    cgroup.freeze().expect("freezes");
    cgroup.kill().expect("kills");
    assert_eq!(running.finish().code, 137);
    assert!(!sandbox.has_cgroups());
}

fn nested() {
    let sandbox = Sandbox::new();
    let running = sleeping(&sandbox);
    let cgroup = &running.container.cgroup;
    let layout = cgroup.layout();
    let mounts = layout
        .hierarchies
        .iter()
        .map(|hierarchy| hierarchy.mount.clone())
        .chain(layout.unified.clone());
    for mount in mounts {
        fs::create_dir_all(mount.join(sandbox.group()).join("a/b")).expect("a nested group");
    }
    running.stop();
    assert!(!sandbox.has_cgroups());
}

fn devices() {
    let sandbox = Sandbox::new();
    let running = sleeping(&sandbox);
    // A device that nobody has made: the kernel says so to whom it lets by.
    let open = |path: &str| {
        let mut process = sandbox.spec(&["cat", path]).process.expect("a process");
        process.env = vec!["PATH=/bin".to_owned()];
        let outcome = running.exec(&process, Identity::Configured).expect("runs");
        let denied = outcome.output.contains("Operation not permitted");
        assert!(
            denied || outcome.output.contains("No such device"),
            "{outcome:?}"
        );
        !denied
    };
    let rule = |allow, numbers: Option<(i64, i64)>| DeviceRule {
        allow,
        kind: numbers.map(|_| "c".to_owned()),
        major: numbers.map(|(major, _)| major),
        minor: numbers.map(|(_, minor)| minor),
        access: Some("rwm".to_owned()),
    };
    let apply = |devices: Vec<DeviceRule>| {
        let change = Resources {
            devices,
            ..Resources::default()
        };
        running.container.cgroup.apply(&change).expect("changes");
    };
    let mut process = sandbox
        .spec(&["mknod", "/tmp/none", "c", "1", "99"])
        .process
        .expect("a process");
    process.env = vec!["PATH=/bin".to_owned()];
    let made = running.exec(&process, Identity::Configured).expect("runs");
    assert_eq!(made.code, 0, "{made:?}");
    assert!(!open("/tmp/none"));
    apply(vec![rule(false, None), rule(true, Some((1, 99)))]);
    assert!(open("/tmp/none"), "what was added is open");
    let still = sandbox.spec(&["head", "-c", "1", "/dev/zero"]).process;
    let still = running.exec(&still.expect("a process"), Identity::Configured);
    assert_eq!(
        still.expect("runs").code,
        0,
        "what every container has stays"
    );
    apply(vec![rule(false, None)]);
    assert!(!open("/tmp/none"), "what was taken back is closed");
    apply(vec![rule(true, None)]);
    assert!(open("/tmp/none"), "everything is open");
    apply(vec![rule(true, None), rule(false, Some((1, 99)))]);
    assert!(!open("/tmp/none"), "everything but what is denied");
    assert!(!running.container.cgroup.is_frozen().expect("a state"));
    running.stop();
}

fn together() {
    let sandbox = Sandbox::new();
    let running = sleeping(&sandbox);
    let bursts = has(&sandbox, "cpu/cpu.cfs_burst_us", "cpu.max.burst");
    let apply = |limit: i64, swap: i64, quota: i64, period: u64, burst: u64| {
        let change = Resources {
            memory: Some(Memory {
                limit: Some(limit),
                swap: Some(swap),
                ..Memory::default()
            }),
            cpu: Some(Cpu {
                quota: Some(quota),
                period: Some(period),
                burst: bursts.then_some(burst),
                ..Cpu::default()
            }),
            ..Resources::default()
        };
        running.container.cgroup.apply(&change).expect("changes");
    };
    // Every one is in the way of another, if taken in the wrong order.
    for (limit, swap, quota, period, burst) in [
        (64 << 20, 64 << 20, 50_000, 100_000, 40_000),
        (256 << 20, 300 << 20, 500_000, 1_000_000, 500_000),
        (32 << 20, 40 << 20, 1000, 10_000, 0),
        (1 << 30, -1, 2000, 1000, 2000),
        (-1, -1, -1, 100_000, 0),
        (32 << 20, 32 << 20, 50_000, 100_000, 10_000),
    ] {
        apply(limit, swap, quota, period, burst);
    }
    let memory = file(&sandbox, "memory/memory.limit_in_bytes", "memory.max");
    assert_eq!(memory, (32 << 20).to_string());
    if bursts {
        let burst = file(&sandbox, "cpu/cpu.cfs_burst_us", "cpu.max.burst");
        assert_eq!(burst, "10000");
    }
    // A group that only uses what is left has no weight to change.
    let idles = has(&sandbox, "cpu/cpu.idle", "cpu.idle");
    for (idle, shares) in [(1, None), (1, Some(100)), (0, Some(100))] {
        if !idles {
            continue;
        }
        let change = Resources {
            cpu: Some(Cpu {
                idle: Some(idle),
                shares,
                ..Cpu::default()
            }),
            ..Resources::default()
        };
        running.container.cgroup.apply(&change).expect("changes");
        let found = file(&sandbox, "cpu/cpu.idle", "cpu.idle");
        assert_eq!(found, idle.to_string());
    }
    // 0 is no word about it.
    let change = |limit| Resources {
        pids: Some(Pids { limit }),
        ..Resources::default()
    };
    for (limit, expected) in [(7, "7"), (0, "7"), (-1, "max")] {
        running
            .container
            .cgroup
            .apply(&change(limit))
            .expect("changes");
        assert_eq!(file(&sandbox, "pids/pids.max", "pids.max"), expected);
    }
    running.stop();
}

fn refusals() {
    let sandbox = Sandbox::new();
    let mut unified = Resources::default();
    unified
        .unified
        .insert("nonsense.max".to_owned(), "1".to_owned());
    let pages = Resources {
        hugepage_limits: vec![HugepageLimit {
            page_size: "3MB".to_owned(),
            limit: 0,
        }],
        ..Resources::default()
    };
    let cpus = Resources {
        cpu: Some(Cpu {
            cpus: Some("4000".to_owned()),
            ..Cpu::default()
        }),
        ..Resources::default()
    };
    let negative = Resources {
        memory: Some(Memory {
            limit: Some(-5),
            ..Memory::default()
        }),
        ..Resources::default()
    };
    for (resources, field) in [
        (unified, "linux.resources.unified[\"nonsense.max\"]"),
        (pages, "linux.resources.hugepageLimits"),
        (cpus, "linux.resources.cpu.cpus"),
        (negative, "linux.resources.memory.limit"),
    ] {
        let mut spec = sandbox.spec(&["true"]);
        let linux = spec.linux.as_mut().expect("linux");
        linux.resources = Some(resources);
        let error = match sandbox.start(&spec, Identity::Configured) {
            Ok(_) => panic!("{field} passes"),
            Err(error) => error.to_string(),
        };
        assert!(error.starts_with(&format!("{field}: ")), "{error}");
        assert!(!sandbox.has_cgroups(), "{field}");
    }
}

fn out_of_memory() {
    let sandbox = Sandbox::new();
    let script = "read line < /dev/shm/go; dd if=/dev/zero of=/dev/shm/x bs=1M count=40; sleep 100";
    let mut spec = sandbox.spec(&["sh", "-c", &format!("mkfifo /dev/shm/go; {script}")]);
    std::os::unix::fs::symlink("busybox", sandbox.lower("bin/mkfifo")).expect("a link");
    let linux = spec.linux.as_mut().expect("linux");
    let resources = linux.resources.get_or_insert_default();
    resources.memory = Some(Memory {
        limit: Some(16 << 20),
        swap: Some(16 << 20),
        ..Memory::default()
    });
    let running = sandbox.start(&spec, Identity::Configured).expect("starts");
    let cgroup = &running.container.cgroup;
    let mut events = cgroup.out_of_memory_events().expect("events");
    let nothing = events.wait(Duration::ZERO).expect("waits");
    assert_eq!(nothing, OutOfMemory::Nothing);
    let go = format!("/proc/{}/root/dev/shm/go", running.container.pid);
    let deadline = Instant::now() + Duration::from_secs(10);
    while !Path::new(&go).exists() {
        assert!(Instant::now() < deadline, "the program does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    fs::write(go, "\n").expect("writes");
    let found = events.wait(Duration::from_secs(20)).expect("waits");
    assert_eq!(found, OutOfMemory::Happened);
    running.stop();
    let deadline = Instant::now() + Duration::from_secs(20);
    while events.wait(Duration::from_secs(1)).expect("waits") != OutOfMemory::Ended {
        assert!(Instant::now() < deadline, "the end is not told");
    }
}

fn usage() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&[
        "sh",
        "-c",
        "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 100; true",
    ]);
    let resources = spec.linux.as_mut().expect("linux").resources.as_mut();
    resources.expect("resources").pids = Some(Pids { limit: 50 });
    let running = sandbox.start(&spec, Identity::Configured).expect("starts");
    let cgroup = &running.container.cgroup;
    let deadline = Instant::now() + Duration::from_secs(20);
    while cgroup.pids().expect("processes").len() < 2 {
        assert!(Instant::now() < deadline, "the loop does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
    let usage = cgroup.usage().expect("usage");
    assert!(usage.cpu.usage.total > 1_000_000, "{usage:?}");
    assert!(usage.memory.usage.usage > 4096, "{usage:?}");
    assert!(!usage.memory.raw.is_empty(), "{usage:?}");
    assert_eq!((usage.pids.current, usage.pids.limit), (2, 50));
    running.stop();
}

/// A user without rights to any hierarchy, in a process of its own.
fn absent() {
    let sandbox = Sandbox::new();
    let group = format!("/{}", sandbox.group());
    let proof = tare_sys::SingleThreaded::verify().expect("one thread");
    let child = tare_sys::clone::clone_process(proof, tare_sys::namespace::Kinds::NONE, None);
    let Some(child) = child.expect("clones") else {
        let nobody = |_| -> Result<(), String> {
            let text = |error: tare_runtime::cgroup::Error| error.to_string();
            rustix::thread::set_thread_res_uid(
                rustix::process::Uid::from_raw(65_534),
                rustix::process::Uid::from_raw(65_534),
                rustix::process::Uid::from_raw(65_534),
            )
            .map_err(|error| error.to_string())?;
            let strict = Cgroup::create(&group, "x", Driver::Cgroupfs, false);
            if strict.is_ok() {
                return Err("made without permission".to_owned());
            }
            let mut cgroup = Cgroup::create(&group, "x", Driver::Cgroupfs, true).map_err(text)?;
            if !cgroup.is_absent() || cgroup.exists() || cgroup.is_frozen().map_err(text)? {
                return Err(format!("{cgroup:?}"));
            }
            cgroup.set_up(&Resources::default()).map_err(text)?;
            let limited = Resources {
                pids: Some(Pids { limit: 5 }),
                ..Resources::default()
            };
            match cgroup.set_up(&limited).map_err(text) {
                Err(error) if error.starts_with("linux.resources.pids.limit: ") => {}
                other => return Err(format!("{other:?}")),
            }
            if cgroup.freeze().is_ok() {
                return Err("frozen without a group".to_owned());
            }
            let own = rustix::process::getpid().as_raw_nonzero().get();
            cgroup.follow(own);
            if cgroup.pids().map_err(text)? != [own] {
                return Err("its own process is not found".to_owned());
            }
            cgroup.remove().map_err(text)
        };
        let code = match nobody(()) {
            Ok(()) => 0,
            Err(reason) => {
                eprintln!("{reason}");
                1
            }
        };
        tare_sys::clone::exit_immediately(code);
    };
    assert_eq!(crate::sandbox::wait(&child.pidfd), 0);
}
