//! Further programs in a running container.

use std::fs;

use tare_oci::runtime::Process;
use tare_runtime::Identity;

use crate::harness::Test;
use crate::sandbox::{Running, Sandbox};

pub(crate) const TESTS: &[Test] = &[
    ("exec::programs_run_inside", inside),
    ("exec::restrictions_are_the_containers", restrictions),
    ("exec::what_cannot_run_is_refused", refused),
    ("exec::a_dead_container_cannot_be_entered", dead),
    ("exec::keys_are_the_containers_own", keys),
    ("exec::a_paused_container_cannot_be_entered", paused),
    (
        "exec::the_entering_process_is_out_of_reach_cve_2016_9962",
        out_of_reach,
    ),
];

fn start(sandbox: &Sandbox) -> Running {
    sandbox
        .start(&sandbox.spec(&["sleep", "100"]), Identity::Configured)
        .expect("starts")
}

fn process(sandbox: &Sandbox, arguments: &[&str]) -> Process {
    sandbox.spec(arguments).process.expect("a process")
}

fn inside() {
    let sandbox = Sandbox::new();
    let running = start(&sandbox);
    let kinds = ["mnt", "pid", "net", "ipc", "uts", "cgroup"];
    let script = format!(
        "for kind in {}; do readlink /proc/self/ns/$kind; done; hostname; grep -v ':/$' /proc/self/cgroup",
        kinds.join(" ")
    );
    let outcome = running
        .exec(
            &process(&sandbox, &["sh", "-c", &script]),
            Identity::Configured,
        )
        .expect("runs");
    let lines: Vec<&str> = outcome.output.lines().collect();
    for (kind, found) in kinds.iter().zip(&lines) {
        let path = format!("/proc/{}/ns/{kind}", running.container.pid);
        assert_eq!(
            fs::read_link(path).expect("a namespace").to_string_lossy(),
            **found
        );
    }
    // The groups are the container's: nothing but the root is seen.
    assert_eq!(lines[6..], ["sandbox"]);
    let outcome = running
        .exec(
            &process(&sandbox, &["sh", "-c", "id -u; echo $HOME; exit 9"]),
            Identity::Named {
                user: "alice".to_owned(),
                groups: Vec::new(),
            },
        )
        .expect("runs");
    assert_eq!(
        (outcome.code, outcome.output.as_str()),
        (9, "1000\n/home/alice")
    );
    // The caller is not in there, nor will its children be.
    assert_eq!(
        fs::read_link("/proc/self/ns/pid_for_children").expect("a namespace"),
        fs::read_link("/proc/self/ns/pid").expect("a namespace")
    );
    running.stop();
}

fn restrictions() {
    let sandbox = Sandbox::new();
    let running = start(&sandbox);
    let script =
        "grep -E 'Cap(Eff|Bnd|Inh)|Seccomp:' /proc/self/status; ls /proc/self/fd | tr '\\n' ' '";
    let outcome = running
        .exec(
            &process(&sandbox, &["sh", "-c", script]),
            Identity::Configured,
        )
        .expect("runs");
    let words: Vec<&str> = outcome.output.split_whitespace().collect();
    assert_eq!(
        words,
        [
            "CapInh:",
            "0000000000000000",
            "CapEff:",
            "00000000a80425fb",
            "CapBnd:",
            "00000000a80425fb",
            "Seccomp:",
            "2",
            "0",
            "1",
            "2",
            "3"
        ]
    );
    running.stop();
}

fn refused() {
    let sandbox = Sandbox::new();
    let running = start(&sandbox);
    let mut elsewhere = process(&sandbox, &["true"]);
    elsewhere.cwd = "/no/such/directory".to_owned();
    for (process, code, text) in [
        (
            process(&sandbox, &["nosuch"]),
            127,
            "exec: \"nosuch\": executable file not found in $PATH",
        ),
        (
            process(&sandbox, &["/etc/group"]),
            126,
            "exec: \"/etc/group\": permission denied",
        ),
        (
            elsewhere,
            126,
            "chdir to cwd (\"/no/such/directory\") set in config.json failed: no such file or directory",
        ),
    ] {
        let error = running
            .exec(&process, Identity::Configured)
            .expect_err(text);
        assert_eq!(
            (error.exit_code(), error.to_string().as_str()),
            (code, text)
        );
    }
    assert_eq!(running.container.cgroup.pids().expect("processes").len(), 1);
    running.stop();
}

fn dead() {
    let sandbox = Sandbox::new();
    let running = start(&sandbox);
    running.container.signal(9).expect("kills");
    crate::sandbox::wait(&running.container.pidfd);
    assert!(
        running
            .exec(&process(&sandbox, &["true"]), Identity::Configured)
            .is_err()
    );
    running.container.destroy();
}

fn paused() {
    let sandbox = Sandbox::new();
    let running = start(&sandbox);
    let program = process(&sandbox, &["true"]);
    running.container.cgroup.freeze().expect("freezes");
    let error = running
        .exec(&program, Identity::Configured)
        .expect_err("would wait for ever");
    assert!(matches!(error, tare_runtime::Error::Paused), "{error}");
    running.container.cgroup.thaw().expect("thaws");
    let outcome = running.exec(&program, Identity::Configured).expect("runs");
    assert_eq!(outcome.code, 0);
    running.stop();
}

fn out_of_reach() {
    let sandbox = Sandbox::new();
    let running = start(&sandbox);
    // Another container's first process, waiting for its start in the PID
    // namespace of this one: as restricted as the programs here already, but
    // still a copy of this test, with its program and its descriptors.
    let other = Sandbox::new();
    let mut spec = other.spec(&["true"]);
    for namespace in &mut spec.linux.as_mut().expect("linux").namespaces {
        if namespace.kind == tare_oci::runtime::NamespaceKind::Pid {
            namespace.path = Some(format!("/proc/{}/ns/pid", running.container.pid));
        }
    }
    // With no_new_privs it has no capability that they lack, which alone would
    // keep them out.
    spec.process.as_mut().expect("a process").no_new_privileges = true;
    let (stdio, _output) = crate::sandbox::pipes();
    let waiting = tare_runtime::Container::builder(&other.id, &spec)
        .rootfs(other.rootfs())
        .stdio(stdio)
        .create()
        .expect("creates");
    let script = "for p in /proc/[0-9]*; do
            echo process $(readlink $p/exe) $(readlink $p/cwd $p/fd/0)
        done 2>/dev/null";
    let outcome = running
        .exec(
            &process(&sandbox, &["sh", "-c", script]),
            Identity::Configured,
        )
        .expect("runs");
    waiting.destroy();
    running.stop();
    let lines: Vec<&str> = outcome.output.lines().collect();
    assert_eq!(lines.len(), 3, "{outcome:?}");
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.contains("/bin/busybox"))
            .count(),
        2,
        "{outcome:?}"
    );
    assert!(lines.contains(&"process"), "{outcome:?}");
}

fn keys() {
    let sandbox = Sandbox::new();
    let running = start(&sandbox);
    let (stdio, _output) = crate::sandbox::pipes();
    let further = running
        .container
        .exec(tare_runtime::ExecRequest {
            process: &process(&sandbox, &["sleep", "100"]),
            stdio,
            identity: Identity::Configured,
            preserve: 0,
            ignore_paused: false,
            cgroups: Vec::new(),
        })
        .expect("runs");
    // Both have one session keyring, which is not the caller's.
    let keys = fs::read_to_string("/proc/keys").expect("keys");
    let name = format!("_ses.{}", sandbox.id);
    assert_eq!(
        keys.lines().filter(|line| line.contains(&name)).count(),
        1,
        "{keys}"
    );
    tare_sys::signal::send(std::os::fd::AsFd::as_fd(&further.pidfd), 9).expect("kills");
    assert_eq!(crate::sandbox::wait(&further.pidfd), 137);
    running.stop();
}
