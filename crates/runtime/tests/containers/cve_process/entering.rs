//! A process that enters a container, looked at by those who are there already.

use std::os::fd::AsRawFd;
use std::process::Command;

use tare_oci::runtime::{IdMapping, Namespace, NamespaceKind, Spec};
use tare_runtime::{Container, ExecRequest, Identity, Stdio};

use crate::harness::Test;
use crate::sandbox::{Running, Sandbox, pipes};

pub(crate) const TESTS: &[Test] = &[
    (
        "cve_process::a_tracer_in_a_user_namespace_sees_nothing_cve_2016_9962",
        tracer,
    ),
    (
        "cve_process::a_tracer_of_the_host_finds_no_directory_of_it_cve_2016_9962",
        host_tracer,
    ),
    (
        "cve_process::a_tracer_of_a_shared_namespace_finds_no_directory_cve_2016_9962",
        shared_tracer,
    ),
    ("cve_process::the_callers_keys_stay_outside", keys),
];

/// All that ptrace(2) could begin with, for every process but the looking one.
const LOOK: &str = r#"
    for process in /proc/[0-9]*; do
        case "$(cat $process/comm 2>/dev/null)" in sh|cat|sleep|readlink|ls) continue;; esac
        for file in exe cwd root; do
            readlink $process/$file && echo "^ $file of $process"
        done
        for file in $process/fd/*; do
            readlink $file && echo "^ $file"
        done
        ( exec 9<>$process/mem ) && echo "^ memory of $process"
        cat $process/environ && echo "^ environment of $process"
        echo looked at $process
    done 2>/dev/null
"#;

fn mapped(spec: &mut Spec) {
    let linux = spec.linux.as_mut().expect("linux");
    linux.namespaces.push(Namespace {
        kind: NamespaceKind::User,
        path: None,
    });
    let mapping = IdMapping {
        container_id: 0,
        host_id: 0,
        size: 65536,
    };
    linux.uid_mappings = vec![mapping];
    linux.gid_mappings = vec![mapping];
}

fn may_trace(spec: &mut Spec) {
    let process = spec.process.as_mut().expect("a process");
    let sets = process.capabilities.as_mut().expect("capabilities");
    for set in [&mut sets.bounding, &mut sets.effective, &mut sets.permitted] {
        set.push("CAP_SYS_PTRACE".to_owned());
    }
}

fn tracer() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&["sleep", "100"]);
    mapped(&mut spec);
    may_trace(&mut spec);
    let running = sandbox.start(&spec, Identity::Configured).expect("starts");
    // A process that has come as far as to its program, in the namespaces of
    // the other.
    let other = Sandbox::new();
    let mut joining = other.spec(&["true"]);
    may_trace(&mut joining);
    let linux = joining.linux.as_mut().expect("linux");
    for namespace in &mut linux.namespaces {
        if namespace.kind == NamespaceKind::Pid {
            namespace.path = Some(format!("/proc/{}/ns/pid", running.container.pid));
        }
    }
    linux.namespaces.push(Namespace {
        kind: NamespaceKind::User,
        path: Some(format!("/proc/{}/ns/user", running.container.pid)),
    });
    let (stdio, _output) = pipes();
    let waiting = Container::builder(&other.id, &joining)
        .rootfs(other.rootfs())
        .stdio(stdio)
        .create()
        .expect("creates");
    let mut look = spec.process.clone().expect("a process");
    look.args = ["sh", "-c", LOOK].map(str::to_owned).to_vec();
    let outcome = running.exec(&look, Identity::Configured).expect("runs");
    waiting.destroy();
    running.stop();
    assert_eq!(
        outcome.output.matches("looked at").count(),
        1,
        "{outcome:?}"
    );
    assert!(!outcome.output.contains('^'), "{outcome:?}");
}

/// Who has CAP_SYS_PTRACE and no user namespace may trace whatever it sees. What
/// enters meanwhile has nothing of the host's open.
fn host_tracer() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&["sleep", "100"]);
    may_trace(&mut spec);
    let running = sandbox.start(&spec, Identity::Configured).expect("starts");
    let seen = look_while_entering(&sandbox, (&running, &spec), (&running, &spec));
    // It is where every program of the container is, all the same.
    let mut whereabouts = spec.process.clone().expect("a process");
    let script = "grep -v ':/$' /proc/self/cgroup; readlink /proc/self/ns/pid; readlink /proc/1/ns/pid; \
                  ls /proc/self/fd | tr '\\n' ' '; tty";
    whereabouts.args = ["sh", "-c", script].map(str::to_owned).to_vec();
    let inside = running
        .exec(&whereabouts, Identity::Configured)
        .expect("runs");
    let mut terminal = spec.process.clone().expect("a process");
    terminal.terminal = true;
    terminal.args = ["sh", "-c", "test -t 0 && : < /dev/tty"]
        .map(str::to_owned)
        .to_vec();
    let further = running
        .container
        .exec(ExecRequest::new(&terminal, Stdio::Terminal))
        .expect("runs");
    assert_eq!(crate::sandbox::wait(&further.pidfd), 0, "a terminal");
    running.stop();
    assert_eq!(seen, "", "a directory of the host was seen");
    let lines: Vec<&str> = inside.output.lines().collect();
    assert_eq!(lines[0], lines[1], "{inside:?}");
    assert_eq!(lines[2..], ["0 1 2 3 not a tty"], "{inside:?}");
}

/// The same where the one who may trace is another container, whose PID
/// namespace the entered one has joined.
fn shared_tracer() {
    let sandbox = Sandbox::new();
    let mut tracer = sandbox.spec(&["sleep", "100"]);
    may_trace(&mut tracer);
    let tracing = sandbox
        .start(&tracer, Identity::Configured)
        .expect("starts");
    let other = Sandbox::new();
    let mut spec = other.spec(&["sleep", "100"]);
    let namespaces = &mut spec.linux.as_mut().expect("linux").namespaces;
    for namespace in namespaces {
        if namespace.kind == NamespaceKind::Pid {
            namespace.path = Some(format!("/proc/{}/ns/pid", tracing.container.pid));
        }
    }
    let running = other.start(&spec, Identity::Configured).expect("starts");
    let seen = look_while_entering(&other, (&tracing, &tracer), (&running, &spec));
    running.stop();
    tracing.stop();
    assert_eq!(seen, "", "a directory of the host was seen");
}

/// What a program of one container sees of a directory that the caller has open
/// while programs enter another, or the same.
fn look_while_entering(
    sandbox: &Sandbox,
    (from, looking_spec): (&Running, &Spec),
    (entered, entered_spec): (&Running, &Spec),
) -> String {
    // Directories of the host, as a caller has them open.
    let held: Vec<_> = (0..8)
        .map(|_| std::fs::File::open(&sandbox.directory).expect("opens"))
        .collect();
    assert!(held.iter().all(|file| file.as_raw_fd() > 2));
    let look = format!(
        "i=0; while [ $i -lt 4000 ]; do i=$((i+1)); \
         ls -l /proc/[0-9]*/fd/ 2>/dev/null | grep '{}'; done; true",
        sandbox.directory.display()
    );
    let mut program = looking_spec.process.clone().expect("a process");
    program.args = ["sh", "-c", &look].map(str::to_owned).to_vec();
    let (stdio, output) = pipes();
    let looking = from
        .container
        .exec(ExecRequest::new(&program, stdio))
        .expect("runs");
    let mut short = entered_spec.process.clone().expect("a process");
    short.args = vec!["true".to_owned()];
    for _ in 0..200 {
        let outcome = entered.exec(&short, Identity::Configured).expect("runs");
        assert_eq!(outcome.code, 0);
    }
    tare_sys::signal::send(std::os::fd::AsFd::as_fd(&looking.pidfd), 9).expect("kills");
    crate::sandbox::finish(&looking.pidfd, output).output
}

fn keys() {
    // A key that is seen by who possesses it alone, in the caller's session.
    let name = std::ffi::CString::new(format!("tare-test-{}", std::process::id())).expect("name");
    tare_sys::keyring::join_session(&name).expect("a keyring");
    let program = "import ctypes; call = ctypes.CDLL(None).syscall; \
                   key = call(248, b'user', b'tare-secret', b'x', 1, -3); \
                   assert key > 0; assert call(250, 5, key, 0x3f000000) == 0";
    let status = Command::new("python3").args(["-c", program]).status();
    assert!(status.expect("python3 must be installed").success());
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&["sh", "-c", "grep -c tare-secret /proc/keys"]);
    spec.linux.as_mut().expect("linux").masked_paths.clear();
    let count = |new: bool| -> String {
        let (stdio, output): (Stdio, _) = pipes();
        let mut container = Container::builder(&sandbox.id, &spec)
            .rootfs(sandbox.rootfs())
            .stdio(stdio)
            .new_keyring(new)
            .create()
            .expect("creates");
        container.start().expect("starts");
        let outcome = crate::sandbox::finish(&container.pidfd, output);
        container.destroy();
        outcome.output
    };
    assert_eq!(count(true), "0");
    // With the caller's keyring it is there.
    assert_eq!(count(false), "1");
    let running = sandbox
        .start(&sandbox.spec(&["sleep", "100"]), Identity::Configured)
        .expect("starts");
    let process = spec.process.clone().expect("a process");
    let outcome = running.exec(&process, Identity::Configured).expect("runs");
    running.stop();
    assert!(outcome.output != "1", "{outcome:?}");
}
