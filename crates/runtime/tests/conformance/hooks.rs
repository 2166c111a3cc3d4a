//! config.md, "POSIX-platform Hooks": when, where and with what they run.

use std::fs;

use serde_json::{Value, json};

use crate::bundle::{Bundle, hook};

tests!(hooks:
    of_create_run_in_order_before_it_returns,
    of_start_container_run_at_start_before_the_program,
    of_poststart_run_after_the_program_started_before_start_returns,
    of_poststop_run_after_the_deletion_before_delete_returns,
    of_one_point_run_in_the_listed_order,
    read_the_state_from_standard_input,
    of_poststart_read_the_state_from_standard_input,
    of_the_runtime_run_in_its_namespaces,
    of_the_container_run_in_its_namespaces,
    of_create_container_are_found_outside_before_the_root_changes,
    of_start_container_are_found_inside,
    of_start_container_have_the_root_of_the_container,
    have_exactly_their_arguments_and_environment,
    run_once_each,
    of_a_container_in_the_foreground_block_no_signal,
    a_relative_path_is_an_error,
    a_timeout_that_is_not_positive_is_an_error,
);

/// The points whose hooks run in the runtime's namespaces during `create`.
const CREATE: [&str; 3] = ["prestart", "createRuntime", "createContainer"];

/// Appends a word to the log, by a hook that sees the host's files.
fn logging(bundle: &Bundle, word: &str) -> Value {
    hook(&format!(
        "echo {word} >> {}",
        bundle.rootfs("log").display()
    ))
}

/// Adds a hook to a point that appends the point's name to the log.
fn log(bundle: &mut Bundle, point: &str) {
    let entry = if point == "startContainer" {
        hook("echo startContainer >> /log")
    } else {
        logging(bundle, point)
    };
    bundle.push(&format!("/hooks/{point}"), entry);
}

/// What has been logged by now.
fn logged(bundle: &Bundle) -> Vec<String> {
    let text = fs::read_to_string(bundle.rootfs("log")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Prestart, CreateRuntime, CreateContainer: they MUST be called as part of
/// `create`, in this order.
fn of_create_run_in_order_before_it_returns() {
    let mut bundle = Bundle::sleeping();
    for point in [
        "createContainer",
        "createRuntime",
        "prestart",
        "startContainer",
        "poststop",
    ] {
        log(&mut bundle, point);
    }
    bundle.created();
    assert_eq!(logged(&bundle), CREATE);
}

/// StartContainer: they MUST be called before the program is executed, as part
/// of `start`.
fn of_start_container_run_at_start_before_the_program() {
    let mut bundle = Bundle::new("echo program >> /log; exec sleep 1000");
    log(&mut bundle, "startContainer");
    bundle.created();
    assert!(logged(&bundle).is_empty());
    bundle.call("start").succeeds();
    crate::subtree::eventually("the program has run", || logged(&bundle).len() == 2);
    assert_eq!(logged(&bundle), ["startContainer", "program"]);
}

/// Poststart: they MUST be called after the program is executed but before
/// `start` returns.
fn of_poststart_run_after_the_program_started_before_start_returns() {
    let mut bundle = Bundle::sleeping();
    let target = bundle.text("program");
    let state = "sed -n 's/.*\"pid\": *\\([0-9]*\\).*/\\1/p'";
    bundle.push(
        "/hooks/poststart",
        hook(&format!(
            "pid=$({state}); tr '\\0' ' ' < /proc/$pid/cmdline > {target}"
        )),
    );
    bundle.created();
    assert!(!bundle.path("program").exists(), "it ran during create");
    bundle.call("start").succeeds();
    let program = fs::read_to_string(bundle.path("program")).expect("it has run");
    assert!(program.contains("sleep 1000"), "{program}");
}

/// Poststop: they MUST be called after the container is deleted but before
/// `delete` returns.
fn of_poststop_run_after_the_deletion_before_delete_returns() {
    let mut bundle = Bundle::new("true");
    log(&mut bundle, "poststop");
    let found = bundle.text("found");
    let id = bundle.id.clone();
    bundle.push(
        "/hooks/poststop",
        hook(&format!("find /sys/fs/cgroup -name {id} > {found}")),
    );
    bundle.started();
    bundle.wait();
    assert!(logged(&bundle).is_empty());
    bundle.call("delete").succeeds();
    assert_eq!(logged(&bundle), ["poststop"]);
    assert_eq!(fs::read_to_string(found).expect("it has run"), "");
}

/// Hooks: they MUST be called in the listed order.
fn of_one_point_run_in_the_listed_order() {
    let mut bundle = Bundle::new("true");
    for point in ["prestart", "createRuntime", "createContainer", "poststop"] {
        for number in 1..=3 {
            let entry = logging(&bundle, &format!("{point}{number}"));
            bundle.push(&format!("/hooks/{point}"), entry);
        }
    }
    for number in 1..=3 {
        let entry = hook(&format!("echo startContainer{number} >> /log"));
        bundle.push("/hooks/startContainer", entry);
    }
    bundle.started();
    bundle.wait();
    bundle.call("delete").succeeds();
    let expected: Vec<String> = CREATE
        .into_iter()
        .chain(["startContainer", "poststop"])
        .flat_map(|point| (1..=3).map(move |number| format!("{point}{number}")))
        .collect();
    assert_eq!(logged(&bundle), expected);
}

/// Checks what a hook was given.
#[track_caller]
fn check_state(bundle: &Bundle, point: &str, status: &str, text: &str) -> Value {
    let state: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(state["id"], json!(bundle.id), "{point}");
    assert_eq!(state["status"], status, "{point}");
    assert_eq!(state["bundle"], json!(bundle.text("bundle")), "{point}");
    assert_eq!(state["annotations"]["key"], "value", "{point}");
    assert!(state["ociVersion"].is_string(), "{point}");
    state
}

/// Hooks: the state MUST be passed over standard input, with the status of
/// that moment: State, `creating` until `create` is done.
fn read_the_state_from_standard_input() {
    let mut bundle = Bundle::new("exit 0");
    bundle.set("/annotations", json!({"key": "value"}));
    for point in ["prestart", "createRuntime", "createContainer", "poststop"] {
        let entry = hook(&format!("cat > {}", bundle.text(point)));
        bundle.push(&format!("/hooks/{point}"), entry);
    }
    bundle.push("/hooks/startContainer", hook("cat > /startContainer"));
    let pid = bundle.started();
    bundle.wait();
    bundle.call("delete").succeeds();
    for (path, status) in [
        ("prestart", "creating"),
        ("createRuntime", "creating"),
        ("createContainer", "creating"),
        ("bundle/rootfs/startContainer", "created"),
        ("poststop", "stopped"),
    ] {
        let text = fs::read_to_string(bundle.path(path)).expect("the hook has run");
        let state = check_state(&bundle, path, status, &text);
        match path {
            "prestart" | "createRuntime" => assert_eq!(state["pid"], pid, "{path}"),
            // As the container sees it, in whose namespace the hook runs.
            "createContainer" | "bundle/rootfs/startContainer" => {
                assert_eq!(state["pid"], 1, "{path}");
            }
            _ => {}
        }
    }
}

/// Hooks: the same at poststart, when the status is `running`.
fn of_poststart_read_the_state_from_standard_input() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/annotations", json!({"key": "value"}));
    let entry = hook(&format!("cat > {}", bundle.text("poststart")));
    bundle.push("/hooks/poststart", entry);
    let pid = bundle.started();
    let text = fs::read_to_string(bundle.path("poststart")).expect("the hook has run");
    let state = check_state(&bundle, "poststart", "running", &text);
    assert_eq!(state["pid"], pid);
}

/// Prints the namespaces of the hook itself.
const NAMESPACES: &str = "for kind in mnt net ipc uts pid; do readlink /proc/self/ns/$kind; done";

/// Hooks: prestart, createRuntime, poststart and poststop hooks MUST be
/// executed in the runtime's namespaces.
fn of_the_runtime_run_in_its_namespaces() {
    let mut bundle = Bundle::new("true");
    let points = ["prestart", "createRuntime", "poststart", "poststop"];
    for point in points {
        let entry = hook(&format!("({NAMESPACES}) > {}", bundle.text(point)));
        bundle.push(&format!("/hooks/{point}"), entry);
    }
    bundle.started();
    bundle.wait();
    bundle.call("delete").succeeds();
    let own: Vec<_> = ["mnt", "net", "ipc", "uts", "pid"]
        .map(|kind| fs::read_link(format!("/proc/self/ns/{kind}")).expect("a namespace"))
        .into_iter()
        .map(|link| link.to_string_lossy().into_owned())
        .collect();
    for point in points {
        let text = fs::read_to_string(bundle.path(point)).expect("the hook has run");
        assert_eq!(text.lines().collect::<Vec<_>>(), own, "{point}");
    }
}

/// Hooks: createContainer and startContainer hooks MUST be executed in the
/// container's namespaces.
fn of_the_container_run_in_its_namespaces() {
    let mut bundle = Bundle::sleeping();
    let entry = hook(&format!("({NAMESPACES}) > {}", bundle.text("create")));
    bundle.push("/hooks/createContainer", entry);
    let entry = hook(&format!("({NAMESPACES}) > /start"));
    bundle.push("/hooks/startContainer", entry);
    let pid = bundle.started();
    let theirs: Vec<_> = ["mnt", "net", "ipc", "uts", "pid"]
        .map(|kind| fs::read_link(format!("/proc/{pid}/ns/{kind}")).expect("a namespace"))
        .into_iter()
        .map(|link| link.to_string_lossy().into_owned())
        .collect();
    for path in ["create", "bundle/rootfs/start"] {
        let text = fs::read_to_string(bundle.path(path)).expect("the hook has run");
        assert_eq!(text.lines().collect::<Vec<_>>(), theirs, "{path}");
    }
}

/// CreateContainer: the path MUST be resolved in the runtime's namespace, and
/// the hook be called before the root is changed, after the mounts were made.
fn of_create_container_are_found_outside_before_the_root_changes() {
    let mut bundle = Bundle::sleeping();
    let program = bundle.text("only-outside");
    fs::copy("/bin/busybox", &program).expect("a program");
    let rootfs = bundle.rootfs("").display().to_string();
    let script = format!(
        "test -e {program} && test -e {rootfs}/proc/self/stat && echo seen > {}",
        bundle.text("seen")
    );
    bundle.push(
        "/hooks/createContainer",
        json!({"path": program, "args": ["sh", "-c", script]}),
    );
    bundle.created();
    assert!(bundle.path("seen").exists());
    assert!(!bundle.rootfs("proc/self").exists(), "that is outside");
}

/// StartContainer: the path MUST be resolved in the container's namespace.
fn of_start_container_are_found_inside() {
    let mut bundle = Bundle::sleeping();
    fs::create_dir(bundle.rootfs("only")).expect("a directory");
    fs::copy("/bin/busybox", bundle.rootfs("only/inside")).expect("a program");
    bundle.push(
        "/hooks/startContainer",
        json!({"path": "/only/inside", "args": ["sh", "-c", "echo here > /here"]}),
    );
    bundle.started();
    assert_eq!(bundle.read_eventually("here"), "here");
}

/// StartContainer: it is executed in the container: in its root.
fn of_start_container_have_the_root_of_the_container() {
    let mut bundle = Bundle::sleeping();
    let absent = bundle.text("bundle");
    bundle.push(
        "/hooks/startContainer",
        hook(&format!(
            "test ! -e {absent} && ls / > /listed; cat /proc/1/comm >> /listed"
        )),
    );
    bundle.started();
    assert!(bundle.read_eventually("listed").contains("bin\n"));
}

/// Hooks: `args` and `env` are those of execv: nothing is added.
fn have_exactly_their_arguments_and_environment() {
    let mut bundle = Bundle::new("true");
    let environment = bundle.text("environment");
    let arguments = bundle.text("arguments");
    bundle.push(
        "/hooks/createRuntime",
        json!({
            "path": "/bin/busybox",
            "args": ["cp", "/proc/self/environ", environment],
            "env": ["FIRST=1", "SECOND=a b=c"],
        }),
    );
    bundle.push(
        "/hooks/createRuntime",
        json!({"path": "/bin/busybox", "args": ["cp", "/proc/self/cmdline", arguments]}),
    );
    bundle.created();
    assert_eq!(
        fs::read(&environment).expect("it has run"),
        b"FIRST=1\0SECOND=a b=c\0"
    );
    assert_eq!(
        fs::read_to_string(&arguments).expect("it has run"),
        format!("cp\0/proc/self/cmdline\0{arguments}\0")
    );
}

/// Lifecycle: every point is passed once, whatever is asked in between.
fn run_once_each() {
    let mut bundle = Bundle::sleeping();
    for point in [
        "createRuntime",
        "createContainer",
        "startContainer",
        "poststop",
    ] {
        log(&mut bundle, point);
    }
    bundle.started();
    bundle.state();
    bundle.exec("true").succeeds();
    bundle.call("delete").fails();
    bundle.stop();
    bundle.call("delete").succeeds();
    bundle.call("delete").fails();
    assert_eq!(
        logged(&bundle),
        [
            "createRuntime",
            "createContainer",
            "startContainer",
            "poststop"
        ]
    );
}

/// Hooks: `path` MUST be absolute.
fn a_relative_path_is_an_error() {
    for point in [
        "prestart",
        "createRuntime",
        "createContainer",
        "startContainer",
        "poststart",
    ] {
        let mut bundle = Bundle::sleeping();
        bundle.push(
            &format!("/hooks/{point}"),
            json!({"path": "bin/busybox", "args": ["true"]}),
        );
        bundle.refused_before_it_runs();
    }
}

/// Hooks: `timeout` MUST be greater than zero.
fn a_timeout_that_is_not_positive_is_an_error() {
    for timeout in [0, -1] {
        let mut bundle = Bundle::sleeping();
        bundle.push(
            "/hooks/createRuntime",
            json!({"path": "/bin/busybox", "args": ["true"], "timeout": timeout}),
        );
        bundle.refused();
    }
}

/// runc's `run` has the container's signals delivered to itself; its hooks are
/// programs like others all the same.
fn of_a_container_in_the_foreground_block_no_signal() {
    let mut bundle = Bundle::new("true");
    for point in ["createRuntime", "createContainer", "poststart", "poststop"] {
        let log = bundle.rootfs("log");
        let script = format!("grep SigBlk /proc/self/status >> {}", log.display());
        bundle.push(&format!("/hooks/{point}"), hook(&script));
    }
    bundle.output();
    assert_eq!(logged(&bundle), ["SigBlk:\t0000000000000000"; 4]);
}
