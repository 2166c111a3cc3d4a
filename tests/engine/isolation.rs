//! What a container sees of the machine, and what it may do to it: as `dockerd`
//! has it, looked at from inside and from outside.

use serde_json::json;
use std::collections::BTreeMap;
use tare_tests::{Engine, against_docker};

fn run(engine: &Engine, flags: &[&str], script: &str) -> String {
    let mut arguments = vec!["run", "--rm"];
    arguments.extend(flags);
    arguments.extend(["busybox", "sh", "-c", script]);
    engine.client(&arguments).expect(0).stdout
}

/// The lines of /proc/self/status that tell what a process may do.
fn status(engine: &Engine, flags: &[&str]) -> BTreeMap<String, String> {
    run(engine, flags, "cat /proc/self/status")
        .lines()
        .filter_map(|line| line.split_once(":\t"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

const DEFAULT: &str = "00000000a80425fb";
const NONE: &str = "0000000000000000";

#[test]
fn capabilities() {
    let engine = Engine::start();
    let table: &[(&[&str], [&str; 2])] = &[
        // Effective, bounding.
        (&[], [DEFAULT, DEFAULT]),
        (&["-u", "nobody"], [NONE, DEFAULT]),
        (&["--cap-drop", "ALL"], [NONE, NONE]),
        (
            &["--cap-drop", "ALL", "--cap-add", "NET_ADMIN"],
            ["0000000000001000"; 2],
        ),
        (&["--cap-add", "CAP_SYS_PTRACE"], ["00000000a80c25fb"; 2]),
        (&["--cap-drop", "chown"], ["00000000a80425fa"; 2]),
    ];
    for (flags, [effective, bounding]) in table {
        let seen = status(&engine, flags);
        assert_eq!(seen["CapEff"], *effective, "{flags:?}");
        assert_eq!(seen["CapPrm"], *effective, "{flags:?}");
        assert_eq!(seen["CapBnd"], *bounding, "{flags:?}");
        // A hole of old: they let a program of the image raise them.
        assert_eq!(seen["CapInh"], NONE, "{flags:?}");
        assert_eq!(seen["CapAmb"], NONE, "{flags:?}");
    }
    engine
        .client(&["run", "--rm", "--cap-add", "NO_SUCH", "busybox", "true"])
        .expect_error(125, &["NO_SUCH"]);
}

#[test]
fn seccomp_and_privileges() {
    let engine = Engine::start();
    let seen = status(&engine, &[]);
    assert_eq!(
        (seen["Seccomp"].as_str(), seen["NoNewPrivs"].as_str()),
        ("2", "0")
    );
    assert_eq!(
        status(&engine, &["--security-opt", "no-new-privileges"])["NoNewPrivs"],
        "1"
    );
    assert_eq!(
        status(&engine, &["--security-opt", "seccomp=unconfined"])["Seccomp"],
        "0"
    );
    // Calls that the profile refuses even to root.
    let script = "unshare -U true; unshare -n true; mount -t tmpfs none /tmp; dmesg; date -s 2020-01-01; true";
    let output = engine
        .client(&["run", "--rm", "busybox", "sh", "-c", script])
        .expect(0);
    let refused = output.stderr.matches("not permitted").count()
        + output.stderr.matches("permission denied").count();
    assert_eq!(refused, 5, "{}", output.stderr);
    // And by a capability that it follows.
    run(
        &engine,
        &["--cap-add", "SYS_ADMIN"],
        "mount -t tmpfs none /tmp && umount /tmp",
    );
}

#[test]
fn what_of_proc_and_sys_is_hidden() {
    let engine = Engine::start();
    // Empty or not there, but never the machine's.
    let script = "cat /proc/kcore /proc/keys /proc/timer_list /proc/sched_debug /proc/latency_stats 2>/dev/null | wc -c; \
        ls /proc/acpi /proc/scsi /sys/firmware /sys/devices/virtual/powercap 2>/dev/null | grep -v : | grep -v '^$' | wc -l";
    assert_eq!(run(&engine, &[], script), "0\n0\n");
    for path in [
        "/proc/sys/kernel/hostname",
        "/proc/sysrq-trigger",
        "/proc/irq/0/x",
        "/proc/bus/x",
        "/proc/fs/x",
        "/sys/x",
        "/sys/fs/cgroup/memory/tasks",
    ] {
        let output = engine.client(&[
            "run",
            "--rm",
            "busybox",
            "sh",
            "-c",
            &format!("echo x > {path}"),
        ]);
        assert_ne!(output.code, 0, "{path}: {output:?}");
        assert!(
            !output.stderr.contains("ermission denied"),
            "{path}: read-only or not there: {output:?}"
        );
    }
    let mounts = run(&engine, &[], "cat /proc/mounts");
    for (path, option) in [
        ("/sys", "ro"),
        ("/proc/sys", "ro"),
        ("/proc/bus", "ro"),
        ("/proc/irq", "ro"),
        ("/proc/fs", "ro"),
        ("/proc", "nosuid"),
        ("/dev/shm", "noexec"),
        ("/dev/mqueue", "nosuid"),
    ] {
        let line = mounts
            .lines()
            .find(|line| line.split(' ').nth(1) == Some(path));
        let options = line
            .and_then(|line| line.split(' ').nth(3))
            .unwrap_or_default();
        assert!(
            options.split(',').any(|name| name == option),
            "{path} is {option}: {mounts}"
        );
    }
}

#[test]
fn devices() {
    let engine = Engine::start();
    let expected =
        "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero";
    let seen = run(&engine, &[], "ls /dev | tr '\\n' ' '");
    let seen: Vec<&str> = seen
        .split_whitespace()
        .filter(|name| *name != "core")
        .collect();
    let expected: Vec<&str> = expected.split(' ').filter(|name| *name != "core").collect();
    assert_eq!(seen, expected);
    assert_eq!(run(&engine, &["-t"], "ls /dev/console"), "/dev/console\r\n");
    run(
        &engine,
        &[],
        "echo x > /dev/null && ! echo x 2>/dev/null > /dev/full && head -c 4 /dev/zero > /dev/null && head -c 4 /dev/urandom > /dev/null",
    );
    // A device that is made is of no use: the control group refuses it.
    let output = engine.client(&[
        "run",
        "--rm",
        "busybox",
        "sh",
        "-c",
        "mknod /disk b 7 0 && cat /disk",
    ]);
    assert!(output.stderr.contains("not permitted"), "{output:?}");
}

#[test]
fn namespaces_of_its_own() {
    let engine = Engine::start();
    let id = engine.start_container(json!({"Image": "busybox", "Cmd": ["sleep", "1000"]}));
    let link = |pid: &str, kind: &str| {
        let path = engine.sandbox().proc().join(pid).join("ns").join(kind);
        std::fs::read_link(path).expect("a namespace")
    };
    let container = engine.container_pid(&id).to_string();
    let mut kinds = vec!["pid", "mnt", "net", "ipc", "uts"];
    if !against_docker() {
        // Docker shares the control group namespace on version 1.
        kinds.push("cgroup");
    }
    for kind in kinds {
        assert_ne!(link(&container, kind), link("1", kind), "{kind}");
    }
    assert_eq!(link(&container, "user"), link("1", "user"));
    let seen = engine
        .client(&["exec", &id, "ps", "-o", "pid,args"])
        .expect(0)
        .stdout;
    assert!(seen.contains("    1 sleep 1000"), "{seen}");
    assert_eq!(seen.lines().count(), 3, "{seen}");
}

#[test]
fn the_host_sees_no_mounts() {
    if against_docker() {
        // Docker mounts the root file system on the host; ours does not.
        return;
    }
    let engine = Engine::start();
    let before = engine.sandbox().mounts();
    let id = engine.start_container(json!({"Image": "busybox", "Cmd": ["sleep", "1000"]}));
    assert_eq!(engine.sandbox().mounts(), before);
    let inside =
        std::fs::read_to_string(engine.container_proc(&id).join("mountinfo")).expect("mountinfo");
    // Nothing that is mounted inside gets out.
    for line in inside.lines() {
        let optional = line.split(' ').skip(6).take_while(|field| *field != "-");
        assert!(
            optional
                .into_iter()
                .all(|field| !field.starts_with("shared:")),
            "{line}"
        );
    }
}

#[test]
fn descriptors_and_directory_are_clean() {
    let engine = Engine::start();
    let id = engine.start_container(json!({"Image": "busybox", "Cmd": ["sleep", "1000"]}));
    let proc = engine.container_proc(&id);
    let mut open: Vec<String> = std::fs::read_dir(proc.join("fd"))
        .expect("descriptors")
        .map(|entry| {
            entry
                .expect("entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    open.sort();
    assert_eq!(open, ["0", "1", "2"]);
    assert_eq!(
        std::fs::read_link(proc.join("cwd"))
            .expect("a directory")
            .to_string_lossy(),
        "/"
    );
    // The same of an exec.
    let seen = engine
        .client(&["exec", &id, "ls", "/proc/self/fd"])
        .expect(0)
        .stdout;
    // The fourth is the directory that ls reads.
    assert_eq!(seen, "0\n1\n2\n3\n");
    // Above all not SIGPIPE, which programs written in Rust ignore.
    let signals = engine
        .client(&["exec", &id, "grep", "-E", "SigBlk|SigIgn", "/proc/1/status"])
        .expect(0)
        .stdout;
    for line in signals.lines() {
        let (name, mask) = line.split_once(":\t").expect("a mask");
        let mask = u64::from_str_radix(mask, 16).expect("a number");
        // The C library's own two signals, 32 and 33, do not matter.
        assert_eq!(mask & !(3 << 31), 0, "{name}");
    }
}

#[test]
fn privileged_has_everything_that_we_have() {
    if against_docker() {
        // 20.10 fails where CAP_SYS_RESOURCE is missing; newer ones do this.
        return;
    }
    let engine = Engine::start();
    let seen = status(&engine, &["--privileged"]);
    let ours = engine
        .sandbox()
        .output("sh", &["-c", "grep CapBnd /proc/self/status"]);
    assert_eq!(seen["CapEff"], ours.trim().trim_start_matches("CapBnd:\t"));
    assert_eq!(seen["Seccomp"], "0");
    run(
        &engine,
        &["--privileged"],
        "mount -t tmpfs none /tmp && echo x > /proc/sys/kernel/domainname && ls /dev/loop-control",
    );
}
