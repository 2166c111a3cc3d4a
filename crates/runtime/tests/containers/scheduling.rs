//! On which CPUs, when, and with which memory programs run.

use std::fs;
use std::os::fd::AsFd;
use std::process::Command;

use tare_oci::runtime::{
    Cpu, ExecCpuAffinity, IoPriority, IoPriorityClass, MemoryPolicy, MemoryPolicyFlag,
    MemoryPolicyMode, Personality, PersonalityDomain, Process, Scheduler, SchedulerPolicy, Spec,
};
use tare_runtime::{Error, ExecRequest, Identity};

use crate::harness::Test;
use crate::sandbox::{Running, Sandbox, pipes, wait};

pub(crate) const TESTS: &[Test] = &[
    (
        "scheduling::a_further_program_has_its_final_cpus",
        final_cpus,
    ),
    (
        "scheduling::without_final_cpus_a_program_has_the_containers",
        initial_cpus,
    ),
    ("scheduling::the_first_program_has_no_affinity", first),
    ("scheduling::cpus_that_are_not_there_are_refused", no_cpus),
    ("scheduling::policies_and_priorities", policies),
    ("scheduling::a_deadline_comes_after_the_hooks", deadline),
    (
        "scheduling::meaningless_schedulers_are_refused",
        meaningless,
    ),
    ("scheduling::input_and_output_priority", io_priority),
    ("scheduling::the_execution_domain", personality),
    ("scheduling::memory_policies", memory_policies),
    ("scheduling::memory_nodes_that_are_not_there", no_nodes),
];

const ALLOWED: &str = "grep Cpus_allowed_list /proc/self/status";

fn start(sandbox: &Sandbox, spec: &Spec) -> Running {
    sandbox.start(spec, Identity::Configured).expect("starts")
}

fn process(sandbox: &Sandbox, arguments: &[&str]) -> Process {
    sandbox.spec(arguments).process.expect("a process")
}

/// The CPUs of a process by its status.
fn allowed(status: &str) -> String {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    line.expect("a list").trim().to_owned()
}

fn own_cpus() -> String {
    allowed(&fs::read_to_string("/proc/self/status").expect("status"))
}

fn affinity(initial: Option<&str>, last: Option<&str>) -> Option<ExecCpuAffinity> {
    Some(ExecCpuAffinity {
        initial: initial.map(str::to_owned),
        last: last.map(str::to_owned),
    })
}

/// The first CPU of the host and all of them.
fn cpus() -> (String, String) {
    let all = own_cpus();
    let first = all.split([',', '-']).next().expect("a CPU").to_owned();
    (first, all)
}

fn final_cpus() {
    let (one, all) = cpus();
    let sandbox = Sandbox::new();
    let running = start(&sandbox, &sandbox.spec(&["sleep", "100"]));
    for initial in [None, Some(one.as_str()), Some("")] {
        let mut program = process(&sandbox, &["sh", "-c", ALLOWED]);
        program.exec_cpu_affinity = affinity(initial, Some(&one));
        let outcome = running.exec(&program, Identity::Configured).expect("runs");
        assert_eq!(allowed(&outcome.output), one);
        assert_eq!(own_cpus(), all, "the caller is where it was");
    }
    running.stop();
}

fn initial_cpus() {
    let (one, all) = cpus();
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&["sleep", "100"]);
    let resources = spec
        .linux
        .as_mut()
        .and_then(|linux| linux.resources.as_mut());
    resources.expect("resources").cpu = Some(Cpu {
        cpus: Some(all.clone()),
        ..Cpu::default()
    });
    let running = start(&sandbox, &spec);
    let mut program = process(&sandbox, &["sh", "-c", ALLOWED]);
    program.exec_cpu_affinity = affinity(Some(&one), None);
    let outcome = running.exec(&program, Identity::Configured).expect("runs");
    assert_eq!(allowed(&outcome.output), all);
    assert_eq!(own_cpus(), all, "the caller is where it was");
    running.stop();
}

fn first() {
    let (one, all) = cpus();
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&["sh", "-c", ALLOWED]);
    spec.process.as_mut().expect("a process").exec_cpu_affinity = affinity(Some(&one), Some(&one));
    let outcome = sandbox.run(&spec).expect("runs");
    assert_eq!(allowed(&outcome.output), all);
}

fn no_cpus() {
    let sandbox = Sandbox::new();
    let running = start(&sandbox, &sandbox.spec(&["sleep", "100"]));
    let all = own_cpus();
    for (initial, last, field) in [
        (Some("1000"), None, "initial: \"1000\""),
        (None, Some("1000"), "final: \"1000\""),
        (Some("1-0"), None, "initial: \"1-0\" ends before"),
        (None, Some("5000"), "final: \"5000\": there is no CPU 5000"),
        (None, Some("a"), "final: \"a\" is no number"),
    ] {
        let mut program = process(&sandbox, &["true"]);
        program.exec_cpu_affinity = affinity(initial, last);
        let error = running
            .exec(&program, Identity::Configured)
            .expect_err(field)
            .to_string();
        let expected = format!("process.execCPUAffinity.{field}");
        assert!(error.starts_with(&expected), "{error}");
        assert_eq!(own_cpus(), all);
        assert_eq!(running.container.cgroup.pids().expect("pids").len(), 1);
    }
    running.stop();
}

fn scheduler(policy: SchedulerPolicy) -> Scheduler {
    Scheduler {
        policy,
        nice: 0,
        priority: 0,
        flags: Vec::new(),
        runtime: 0,
        deadline: 0,
        period: 0,
    }
}

/// What chrt(1) says of a process.
fn chrt(pid: i32) -> String {
    let output = Command::new("chrt")
        .args(["-p", &pid.to_string()])
        .output()
        .expect("util-linux must be installed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn nice(pid: i32) -> i32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("stat");
    let fields = stat.rsplit_once(") ").expect("a name").1;
    let nice = fields.split(' ').nth(16).expect("a nice value");
    nice.parse().expect("a number")
}

/// Runs something that waits as the first program and as a further one, and
/// looks at both.
fn both(change: impl Fn(&mut Process), look: impl Fn(i32)) -> Result<(), Error> {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&["sleep", "100"]);
    change(spec.process.as_mut().expect("a process"));
    let running = sandbox.start(&spec, Identity::Configured)?;
    look(running.container.pid);
    let (stdio, _output) = pipes();
    let process = spec.process.expect("a process");
    let further = running
        .container
        .exec(ExecRequest::new(&process, stdio))
        .expect("runs");
    look(further.pid);
    tare_sys::signal::send(further.pidfd.as_fd(), 9).expect("kills");
    wait(&further.pidfd);
    running.stop();
    Ok(())
}

fn policies() {
    both(
        |process| {
            process.scheduler = Some(Scheduler {
                nice: 7,
                ..scheduler(SchedulerPolicy::SchedBatch)
            });
        },
        |pid| {
            assert!(chrt(pid).contains("policy: SCHED_BATCH"), "{}", chrt(pid));
            assert_eq!(nice(pid), 7);
        },
    )
    .expect("runs");
    both(
        |process| process.scheduler = Some(scheduler(SchedulerPolicy::SchedIdle)),
        |pid| assert!(chrt(pid).contains("policy: SCHED_IDLE"), "{}", chrt(pid)),
    )
    .expect("runs");
    for (policy, name) in [
        (SchedulerPolicy::SchedFifo, "SCHED_FIFO"),
        (SchedulerPolicy::SchedRr, "SCHED_RR"),
    ] {
        let result = both(
            |process| {
                process.scheduler = Some(Scheduler {
                    priority: 12,
                    flags: vec!["SCHED_FLAG_RESET_ON_FORK".to_owned()],
                    ..scheduler(policy)
                });
            },
            |pid| {
                let text = chrt(pid);
                assert!(
                    text.contains(&format!("policy: {name}|SCHED_RESET_ON_FORK")),
                    "{text}"
                );
                assert!(text.contains("priority: 12"), "{text}");
            },
        );
        real_time(result);
    }
}

/// A kernel that shares real time among control groups gives a new group none.
fn real_time(result: Result<(), Error>) {
    if let Err(error) = result {
        let shares = fs::exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us").unwrap_or_default();
        let text = error.to_string();
        assert!(
            shares && text.starts_with("setting the scheduler (process.scheduler)"),
            "{text}"
        );
    }
}

fn deadline() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&["sleep", "100"]);
    let hook: tare_oci::runtime::Hook =
        serde_json::from_str(r#"{"path":"/bin/true"}"#).expect("a hook");
    spec.hooks = Some(tare_oci::runtime::Hooks {
        create_container: vec![hook],
        ..tare_oci::runtime::Hooks::default()
    });
    spec.process.as_mut().expect("a process").scheduler = Some(Scheduler {
        runtime: 1_000_000,
        deadline: 10_000_000,
        period: 20_000_000,
        ..scheduler(SchedulerPolicy::SchedDeadline)
    });
    let running = start(&sandbox, &spec);
    let text = chrt(running.container.pid);
    assert!(text.contains("policy: SCHED_DEADLINE"), "{text}");
    assert!(text.contains("1000000/10000000/20000000"), "{text}");
    running.stop();
}

fn meaningless() {
    let sandbox = Sandbox::new();
    let fifo = scheduler(SchedulerPolicy::SchedFifo);
    let other = scheduler(SchedulerPolicy::SchedOther);
    for (scheduler, field) in [
        (
            Scheduler {
                nice: 20,
                ..other.clone()
            },
            "nice",
        ),
        (
            Scheduler {
                priority: 1,
                ..other.clone()
            },
            "priority",
        ),
        (
            Scheduler {
                priority: 100,
                ..fifo.clone()
            },
            "priority",
        ),
        (fifo, "priority"),
        (
            Scheduler {
                runtime: 1,
                ..other.clone()
            },
            "runtime",
        ),
        (
            Scheduler {
                flags: vec!["X".to_owned()],
                ..other
            },
            "flags[0]",
        ),
        (scheduler(SchedulerPolicy::SchedIso), "policy"),
        (scheduler(SchedulerPolicy::SchedDeadline), "runtime"),
    ] {
        let mut spec = sandbox.spec(&["true"]);
        spec.process.as_mut().expect("a process").scheduler = Some(scheduler);
        let error = sandbox.run(&spec).expect_err(field).to_string();
        assert!(
            error.starts_with(&format!("process.scheduler.{field}: ")),
            "{error}"
        );
        assert!(!sandbox.has_cgroups());
    }
}

fn io_priority() {
    for (class, priority, expected) in [
        (IoPriorityClass::BestEffort, 6, "best-effort: prio 6"),
        (IoPriorityClass::RealTime, 3, "realtime: prio 3"),
        (IoPriorityClass::Idle, 0, "idle"),
    ] {
        both(
            |process| process.io_priority = Some(IoPriority { class, priority }),
            |pid| {
                let output = Command::new("ionice")
                    .args(["-p", &pid.to_string()])
                    .output()
                    .expect("util-linux must be installed");
                let text = String::from_utf8_lossy(&output.stdout);
                assert_eq!(text.trim(), expected);
            },
        )
        .expect("runs");
    }
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&["true"]);
    spec.process.as_mut().expect("a process").io_priority = Some(IoPriority {
        class: IoPriorityClass::BestEffort,
        priority: 8,
    });
    let error = sandbox.run(&spec).expect_err("beyond").to_string();
    assert!(
        error.starts_with("process.ioPriority.priority: "),
        "{error}"
    );
}

fn personality() {
    let sandbox = Sandbox::new();
    for (domain, expected) in [
        (PersonalityDomain::Linux, "00000000"),
        (PersonalityDomain::Linux32, "00000008"),
    ] {
        let mut spec = sandbox.spec(&["sleep", "100"]);
        spec.linux.as_mut().expect("linux").personality = Some(Personality {
            domain,
            flags: Vec::new(),
        });
        let running = start(&sandbox, &spec);
        let look =
            |pid: i32| fs::read_to_string(format!("/proc/{pid}/personality")).expect("a domain");
        assert_eq!(look(running.container.pid).trim(), expected);
        // As another process finds the container, whose filter lets nobody
        // change it.
        let saved = running.container.save().expect("saves");
        let saved = serde_json::to_string(&saved).expect("JSON");
        let saved: tare_runtime::Saved = serde_json::from_str(&saved).expect("JSON");
        let opened = saved.open(None, None).expect("opens");
        let (stdio, _output) = pipes();
        let sleep = process(&sandbox, &["sleep", "100"]);
        let further = opened.exec(ExecRequest::new(&sleep, stdio)).expect("runs");
        assert_eq!(look(further.pid).trim(), expected);
        tare_sys::signal::send(further.pidfd.as_fd(), 9).expect("kills");
        wait(&further.pidfd);
        running.stop();
    }
}

fn policy(mode: MemoryPolicyMode, nodes: &str, flags: &[MemoryPolicyFlag]) -> MemoryPolicy {
    MemoryPolicy {
        mode,
        nodes: nodes.to_owned(),
        flags: flags.to_vec(),
    }
}

fn memory_policies() {
    use MemoryPolicyFlag as Flag;
    use MemoryPolicyMode as Mode;
    let sandbox = Sandbox::new();
    for (policy, expected) in [
        (policy(Mode::MpolDefault, "", &[]), "default"),
        (policy(Mode::MpolLocal, "", &[]), "local"),
        (policy(Mode::MpolBind, "0", &[]), "bind:0"),
        (
            policy(Mode::MpolBind, "0", &[Flag::StaticNodes]),
            "bind=static:0",
        ),
        (
            policy(Mode::MpolInterleave, "0", &[Flag::RelativeNodes]),
            "interleave=relative:0",
        ),
        (policy(Mode::MpolPreferred, "0", &[]), "prefer:0"),
        // Without nodes it is the same as local (set_mempolicy(2)).
        (policy(Mode::MpolPreferred, "", &[]), "local"),
        (policy(Mode::MpolPreferredMany, "0", &[]), "prefer (many):0"),
        (
            policy(Mode::MpolWeightedInterleave, "0", &[]),
            "weighted interleave:0",
        ),
    ] {
        let mut spec = sandbox.spec(&["sh", "-c", "head -n 1 /proc/self/numa_maps; sleep 100"]);
        spec.linux.as_mut().expect("linux").memory_policy = Some(policy.clone());
        let running = match sandbox.start(&spec, Identity::Configured) {
            Ok(running) => running,
            // Linux before 6.9 has no weights, before 5.15 no several.
            Err(error)
                if matches!(
                    policy.mode,
                    Mode::MpolWeightedInterleave | Mode::MpolPreferredMany
                ) && error.to_string().contains("invalid argument") =>
            {
                continue;
            }
            Err(error) => panic!("{policy:?}: {error}"),
        };
        let look = |text: &str| {
            let (_, rest) = text.split_once(' ').expect("an address");
            assert!(
                rest.starts_with(&format!("{expected} ")),
                "{policy:?}: {text}"
            );
        };
        let maps = fs::read_to_string(format!("/proc/{}/numa_maps", running.container.pid));
        look(&maps.expect("maps"));
        let saved = running.container.save().expect("saves");
        let outcome = {
            let opened = saved.open(None, None).expect("opens");
            let (stdio, output) = pipes();
            let cat = process(&sandbox, &["head", "-n", "1", "/proc/self/numa_maps"]);
            let further = opened.exec(ExecRequest::new(&cat, stdio)).expect("runs");
            crate::sandbox::finish(&further.pidfd, output)
        };
        look(&outcome.output);
        running.stop();
    }
}

fn no_nodes() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&["true"]);
    let linux = spec.linux.as_mut().expect("linux");
    linux.memory_policy = Some(policy(MemoryPolicyMode::MpolBind, "900", &[]));
    let error = sandbox.run(&spec).expect_err("not there").to_string();
    assert!(error.contains("linux.memoryPolicy"), "{error}");
    assert!(!sandbox.has_cgroups());
}
