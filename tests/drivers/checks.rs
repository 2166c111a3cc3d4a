//! What is checked of every engine that runs its containers with ours.

use crate::driver::Driver;
use std::fs;
use tare_tests::eventually;

/// Runs a program in a shell of the test image.
fn shell(script: &str) -> [&str; 4] {
    ["busybox", "sh", "-c", script]
}

/// Programs that end, and those that cannot be started.
pub(crate) fn exit_codes(driver: &Driver) {
    let table: &[(&[&str], i32, &[&str])] = &[
        (&shell("exit 42"), 42, &[]),
        (
            &["--init", "busybox", "sh", "-c", "kill -TERM $$"],
            143,
            &[],
        ),
        (
            &["busybox", "/etc/passwd"],
            126,
            &["/etc/passwd", "permission denied"],
        ),
        (&["busybox", "/etc"], 126, &["/etc", "permission denied"]),
        (
            &["busybox", "no-such-program"],
            127,
            &["no-such-program", "executable file not found in $PATH"],
        ),
        (
            &["busybox", "/no/such/program"],
            127,
            &["/no/such/program", "no such file or directory"],
        ),
    ];
    for (arguments, code, words) in table {
        let mut all = vec!["--rm", "--network=none"];
        all.extend(*arguments);
        // What engines make of the runtime's words is the question; both runtimes'
        // have these.
        for output in driver.run_both(&all) {
            output.expect_error(*code, words);
        }
    }
}

/// Prints what a process can see of its confinement, without what differs from
/// one container to the next, and without the flags of what hides a path of
/// /proc or /sys and of the directory of the control groups: `runc` leaves some
/// of these writable. Before 1.2 it also gave /dev/net/tun (10:200) to all.
const CONFINEMENT: &str = r#"
grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp)' /proc/self/status
awk '{
    kind = ""
    for (i = 7; $i != "-"; i++) { sub(":.*", "", $i); kind = kind " " $i }
    type = $(i + 1)
    options = type ~ /^(tmpfs|proc|mqueue|devpts)$/ ? $6 kind " " $(i + 3) : $6 kind
    if (type == "tmpfs" && $5 ~ "^/(proc|sys)/") options = "hidden or read-only"
    print $5, type, options
}' /proc/self/mountinfo | sort
find /dev ! -name 'loop*' ! -path '/dev/pts/*' ! -path '/dev/shm/*' -exec stat -c '%N %F %a %u:%g %t:%T' {} + | sort
cat /proc/self/limits /proc/self/oom_score_adj
cut -d: -f2 /proc/self/cgroup
grep -v '^c 10:200 ' /sys/fs/cgroup/devices/devices.list | sort
ls /proc/self/fd
umask; pwd; cat /proc/1/comm
env | grep -v -E '^(HOSTNAME|container_uuid)=' | sort
for path in / /v /t /dev /proc/sys/kernel/shm_rmid_forced /sys/fs/cgroup; do
    test -w $path && echo may write $path
done
for path in /proc/kcore /proc/keys /proc/timer_list; do
    head -c 1 $path 2>&1 | od -c | head -n 2
done
touch /here 2>&1
touch /v/here 2>&1
mknod /t/device c 1 5 2>&1
mount -t tmpfs none /t 2>&1 && echo mounted
unshare -U true 2>&1
exit 0
"#;

/// What a container may do and see is what it is under `runc`.
pub(crate) fn confinement(driver: &Driver) {
    let shared = driver.sandbox.directory().join("volume");
    fs::create_dir_all(&shared).expect("a directory to mount");
    let shared = shared.display();
    let (read_only, writable) = (format!("{shared}:/v:ro"), format!("{shared}:/v"));
    let table: &[(&[&str], &[&str])] = &[
        (&[], &["CapEff:\t00000000a80425fb", "Seccomp:\t2"]),
        (
            &[
                "--read-only",
                "--user=1000:1000",
                "--cap-drop=ALL",
                "--security-opt=no-new-privileges",
                "--tmpfs=/t:size=1m,mode=1777",
                "--memory=64m",
                "--pids-limit=50",
                "--hostname=confined",
                "--volume",
                &read_only,
            ],
            &[
                "Uid:\t1000\t1000\t1000\t1000",
                "CapEff:\t0000000000000000",
                "CapBnd:\t0000000000000000",
                "NoNewPrivs:\t1",
                "touch: /here: Read-only file system",
                "touch: /v/here: Read-only file system",
                "may write /t",
            ],
        ),
        (
            &["--privileged", "--tmpfs=/t"],
            &["Seccomp:\t0", "may write /sys/fs/cgroup", "mounted"],
        ),
        (
            &[
                "--cap-add=SYS_ADMIN",
                "--security-opt=seccomp=unconfined",
                "--pid=host",
                "--ipc=host",
                "--uts=host",
                "--device=/dev/null:/dev/mine",
                "--ulimit=nofile=100:200",
                "--ulimit=nproc=1000:1000",
                "--oom-score-adj=500",
                "--workdir=/etc",
                "--tmpfs=/t",
                "--volume",
                &writable,
            ],
            &["/dev/mine", "500", "\n/etc\n", "may write /v"],
        ),
    ];
    for (options, expected) in table {
        let mut all = vec!["--rm", "--network=none"];
        all.extend(*options);
        all.extend(shell(CONFINEMENT));
        let [ours, theirs] = driver.run_both(&all);
        let ours = ours.expect(0).stdout;
        for words in *expected {
            assert!(ours.contains(words), "{options:?}: {words:?}: {ours}");
        }
        // Docker asks for every capability there is. On a machine that is itself
        // without one of them, runc cannot; ours gives those that it has.
        if options.contains(&"--privileged") && theirs.stderr.contains("unable to apply caps") {
            continue;
        }
        let theirs = theirs.expect(0).stdout;
        let (more, less) = (differences(&ours, &theirs), differences(&theirs, &ours));
        assert!(
            more.is_empty() && less.is_empty() && ours == theirs,
            "{options:?}\nours: {more:#?}\nrunc's: {less:#?}"
        );
    }
}

/// The lines of one text that the other is without.
fn differences<'a>(one: &'a str, other: &str) -> Vec<&'a str> {
    let known: Vec<&str> = other.lines().collect();
    one.lines().filter(|line| !known.contains(line)).collect()
}

/// A program that tells that it runs, and ends with 3 when it is asked to.
const SERVICE: &str = "trap 'exit 3' TERM; echo started; while :; do sleep 0.05; done";

/// From its start to its removal, all that is done to a container meanwhile.
pub(crate) fn life(driver: &Driver) {
    let client = |arguments: &[&str]| driver.client(arguments).expect(0).stdout;
    let state = || driver.inspect("life", "State.Status");
    let started = |count: usize| {
        eventually("it has started", || {
            let text = client(&["logs", "life"]);
            (text.lines().filter(|line| *line == "started").count() == count).then_some(())
        });
    };
    let mut arguments = vec!["-d", "--name", "life", "--memory=64m"];
    arguments.extend(shell(SERVICE));
    let id = driver.run("tare", &arguments).line();
    started(1);
    let names: Vec<_> = driver.states();
    assert!(
        names.len() == 1 && names[0].ends_with(&id),
        "the runtime has this container and no other: {names:?}"
    );
    let limit = |bytes: &str| {
        let set = driver.cgroup_file("life", "memory", "memory.limit_in_bytes");
        assert_eq!(set, bytes);
    };
    limit("67108864");

    let mut arguments = vec!["-d", "--name", "beside"];
    arguments.extend(shell(SERVICE));
    driver.run("runc", &arguments).expect(0);
    exec(driver, ["life", "beside"]);
    client(&["rm", "--force", "beside"]);
    let top = client(&["top", "life"]);
    assert!(top.contains("sleep 0.05"), "{top}");
    let statistics = client(&["stats", "--no-stream", "life"]);
    assert!(
        statistics.contains("life") && statistics.contains(" / 67.11MB")
            || statistics.contains(" / 64MiB"),
        "{statistics}"
    );
    client(&["pause", "life"]);
    assert_eq!(state(), "paused");
    let freezer = |expected: &str| {
        let now = driver.cgroup_file("life", "freezer", "freezer.state");
        assert_eq!(now, expected);
    };
    freezer("FROZEN");
    let output = driver.client(&["exec", "life", "true"]);
    assert!(output.code != 0, "{output:?}");
    client(&["unpause", "life"]);
    freezer("THAWED");
    client(&["update", "--memory=48m", "life"]);
    limit("50331648");

    client(&["restart", "life"]);
    started(2);
    client(&["stop", "life"]);
    assert_eq!(driver.inspect("life", "State.ExitCode"), "3");
    assert!(driver.states().is_empty(), "{:?}", driver.states());
    client(&["start", "life"]);
    started(3);
    client(&["kill", "--signal=KILL", "life"]);
    assert_eq!(client(&["wait", "life"]), "137\n");
    client(&["start", "life"]);
    client(&["rm", "--force", "life"]);
}

/// Programs beside the first one, in a container of each runtime.
fn exec(driver: &Driver, containers: [&str; 2]) {
    let identity = "id -u; id -g; id -G; pwd; echo $A; grep -E '^(Cap|NoNew|Seccomp)' /proc/self/status; cut -d: -f2 /proc/self/cgroup; ls /proc/self/fd";
    let table: &[&[&str]] = &[
        &["true"],
        &["sh", "-c", "echo out; echo err >&2; exit 9"],
        &["/etc/passwd"],
        &["no-such-program"],
        &["/no/such/program"],
        &["sh", "-c", identity],
    ];
    let options = ["--user=1000:1001", "--workdir=/etc", "--env=A=b"];
    let mut codes = Vec::new();
    for program in table {
        let [ours, theirs] = containers.map(|container| {
            let mut all = vec!["exec"];
            all.extend(options);
            all.push(container);
            all.extend(*program);
            driver.client(&all)
        });
        assert_eq!(ours.code, theirs.code, "{ours:?}\n{theirs:?}");
        // What is printed for a program that does not run is the runtime's.
        if ours.code < 125 {
            assert_eq!(ours.stdout, theirs.stdout);
            assert_eq!(ours.stderr, theirs.stderr);
        }
        codes.push(ours.code);
    }
    assert!(
        codes[..2] == [0, 9] && codes[2..5].iter().all(|code| (126..128).contains(code)),
        "{codes:?}"
    );
    driver
        .client(&["exec", "--detach", containers[0], "sleep", "1000"])
        .expect(0);
    eventually("the program beside runs", || {
        let lines = driver.sandbox.processes();
        lines
            .iter()
            .any(|(_, line)| line == "sleep 1000")
            .then_some(())
    });
}

/// A person at a terminal.
pub(crate) fn terminals(driver: &Driver) {
    let mut first = driver.terminal(&["run", "--rm", "-it", "--name", "shell", "busybox", "sh"]);
    first.expect("# ");
    first.send("stty size; tty; echo 'mark'er\n");
    let seen = first.expect("\nmarker");
    assert!(seen.contains("24 80") && seen.contains("/dev/"), "{seen}");
    let mut second = driver.terminal(&["exec", "-it", "shell", "sh"]);
    second.expect("# ");
    second.send("tty; exit 4\n");
    assert_eq!(second.finish().1, 4);
    first.expect("# ");
    first.resize(30, 100);
    first.send("while [ \"$(stty size)\" != '30 100' ]; do sleep 0.05; done; echo 'resi'zed\n");
    first.expect("\nresized");
    // The interrupt character ends what runs in front, not the shell.
    first.send("sleep 1000\n");
    eventually("it sleeps", || {
        let lines = driver.sandbox.processes();
        lines
            .iter()
            .any(|(_, line)| line == "sleep 1000")
            .then_some(())
    });
    first.send("\u{3}");
    first.expect("# ");
    first.send("exit 6\n");
    assert_eq!(first.finish().1, 6);
}

/// Needs more memory than a container of 16 MB has.
pub(crate) const GREEDY: &str = "dd if=/dev/zero of=/dev/null bs=100M count=1";

/// More memory than there is.
pub(crate) fn out_of_memory(driver: &Driver) {
    let mut arguments = vec!["--rm", "--network=none"];
    arguments.extend(["--memory=16m", "--memory-swap=16m", "busybox"]);
    arguments.extend(GREEDY.split(' '));
    for output in driver.run_both(&arguments) {
        output.expect(137);
    }
}
