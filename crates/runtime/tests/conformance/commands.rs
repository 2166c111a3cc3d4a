//! runc's command line, as far as the specification does not speak of it.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::bundle::Bundle;
use crate::subtree;

tests!(commands:
    the_bundle_is_the_current_directory_by_default,
    create_writes_the_process_id,
    run_removes_the_container_in_the_end,
    run_detached_leaves_it_running,
    run_passes_on_what_socket_activation_is_for_it,
    list_shows_every_container,
    ps_shows_the_processes,
    exec_ends_as_its_program_does,
    exec_is_in_the_container,
    exec_takes_a_process_document,
    exec_takes_flags,
    exec_of_a_container_that_does_not_run_is_an_error,
    exec_of_a_missing_program_is_an_error,
    pause_and_resume_freeze_and_thaw,
    pause_of_a_container_that_does_not_run_is_an_error,
    features_names_what_there_is,
    spec_writes_a_configuration_that_runs,
    spec_does_not_overwrite,
    an_unknown_command_is_an_error,
    errors_are_in_the_log,
);

/// `create` without `--bundle`.
fn the_bundle_is_the_current_directory_by_default() {
    let bundle = Bundle::sleeping();
    bundle.write();
    let mut command = bundle.runtime.command(&["create", &bundle.id]);
    let outcome = bundle
        .runtime
        .finish(command.current_dir(bundle.path("bundle")));
    outcome.succeeds();
    assert_eq!(bundle.state()["bundle"], json!(bundle.text("bundle")));
}

/// `--pid-file` holds the process ID as the host sees it, and nothing else.
fn create_writes_the_process_id() {
    let mut bundle = Bundle::sleeping();
    let path = bundle.text("pid");
    bundle.create_with(&["--pid-file", &path]).succeeds();
    let text = fs::read_to_string(path).expect("it was written");
    assert_eq!(text, bundle.pid().to_string());
}

/// `run` is create, start, wait and delete.
fn run_removes_the_container_in_the_end() {
    let bundle = Bundle::new("exit 5");
    assert_eq!(bundle.run().code, 5);
    bundle.assert_gone();
}

/// `run --detach` returns when the program runs.
fn run_detached_leaves_it_running() {
    let bundle = Bundle::sleeping();
    bundle.run_with(&["--detach"]).succeeds();
    assert_eq!(bundle.state()["status"], "running");
    assert!(subtree::runs(bundle.pid()));
}

/// Socket activation: descriptors for this process are the container's, those
/// for another are not.
fn run_passes_on_what_socket_activation_is_for_it() {
    for (pid, expected) in [("$$", "1 1 /dev/full"), ("1", "")] {
        let bundle = Bundle::new("echo $LISTEN_FDS $LISTEN_PID $(readlink /proc/self/fd/3)");
        bundle.write();
        let path = bundle.text("bundle");
        let run = bundle
            .runtime
            .command(&["run", "--bundle", &path, &bundle.id]);
        let mut activated = Command::new("sh");
        let script =
            format!("exec 3<>/dev/full; export LISTEN_FDS=1 LISTEN_PID={pid}; exec \"$0\" \"$@\"");
        activated
            .args(["-c", &script])
            .arg(run.get_program())
            .args(run.get_args());
        let outcome = bundle.runtime.finish(&mut activated);
        assert_eq!(outcome.succeeds(), expected);
    }
}

/// `list`, with `--quiet` and as JSON.
fn list_shows_every_container() {
    let mut bundle = Bundle::sleeping();
    assert_eq!(bundle.runtime.call(&["list", "-q"]).succeeds(), "");
    let pid = bundle.started();
    assert_eq!(bundle.runtime.call(&["list", "-q"]).succeeds(), bundle.id);
    let text = bundle.runtime.call(&["list", "-f", "json"]).succeeds();
    let list: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(list[0]["id"], json!(bundle.id));
    assert_eq!(list[0]["pid"], pid);
    assert_eq!(list[0]["status"], "running");
    assert_eq!(list[0]["bundle"], json!(bundle.text("bundle")));
    let text = bundle.runtime.call(&["list"]).succeeds();
    let mut lines = text.lines();
    let titles: Vec<&str> = lines.next().expect("a line").split_whitespace().collect();
    assert_eq!(
        titles,
        ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    );
    assert!(
        lines
            .next()
            .is_some_and(|line| line.starts_with(&bundle.id))
    );
}

/// `ps` knows the processes by the host's numbers.
fn ps_shows_the_processes() {
    let mut bundle = Bundle::sleeping();
    let pid = bundle.started();
    let ps = ["ps", "-f", "json", &bundle.id];
    let text = bundle.runtime.call(&ps).succeeds();
    let list: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(list, json!([pid]));
}

/// `exec` has the exit status of its program, or 128 and its signal.
fn exec_ends_as_its_program_does() {
    let mut bundle = Bundle::sleeping();
    bundle.started();
    for (script, code) in [("exit 0", 0), ("exit 9", 9), ("kill -9 $$", 137)] {
        assert_eq!(bundle.exec(script).code, code, "{script}");
    }
}

/// `exec` is in all namespaces and the root of the container.
fn exec_is_in_the_container() {
    let mut bundle = Bundle::sleeping();
    let pid = bundle.started();
    let kinds = ["mnt", "pid", "net", "ipc", "uts"];
    let theirs: Vec<String> = kinds
        .iter()
        .map(|kind| fs::read_link(format!("/proc/{pid}/ns/{kind}")).expect("it runs"))
        .map(|link| link.to_string_lossy().into_owned())
        .collect();
    let script = "for kind in mnt pid net ipc uts; do readlink /proc/self/ns/$kind; done";
    assert_eq!(bundle.exec(script).succeeds(), theirs.join("\n"));
    assert_eq!(bundle.exec("ls -d /bundle /outputs; ls /").code, 0);
}

/// `exec --process` reads config.md's `process`.
fn exec_takes_a_process_document() {
    let mut bundle = Bundle::sleeping();
    bundle.started();
    let process = json!({
        "args": ["sh", "-c", "pwd; id -u; echo $WORD"],
        "cwd": "/etc", "env": ["PATH=/bin", "WORD=a b"], "user": {"uid": 5, "gid": 6},
    });
    fs::write(bundle.path("process"), process.to_string()).expect("a file");
    let path = bundle.text("process");
    let exec = ["exec", "--process", &path, &bundle.id];
    assert_eq!(bundle.runtime.call(&exec).succeeds(), "/etc\n5\na b");
}

/// `exec` with flags for user, directory and environment.
fn exec_takes_flags() {
    let mut bundle = Bundle::sleeping();
    bundle.started();
    let exec = [
        "exec",
        "--user",
        "5:6",
        "--cwd",
        "/etc",
        "--env",
        "WORD=a b",
        &bundle.id,
        "sh",
        "-c",
        "pwd; id -u; id -g; echo $WORD",
    ];
    assert_eq!(bundle.runtime.call(&exec).succeeds(), "/etc\n5\n6\na b");
}

/// `exec` needs a container that runs.
fn exec_of_a_container_that_does_not_run_is_an_error() {
    let mut bundle = Bundle::new("true");
    assert_eq!(bundle.exec("true").code, 255);
    bundle.started();
    bundle.wait();
    assert_eq!(bundle.exec("true").code, 255);
}

/// `exec` says what it did not find.
fn exec_of_a_missing_program_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.started();
    let outcome = bundle.runtime.call(&["exec", &bundle.id, "absent-program"]);
    assert_eq!(outcome.code, 255);
    assert!(outcome.stderr.contains("exec failed: "), "{outcome:?}");
    assert!(outcome.stderr.contains("absent-program"), "{outcome:?}");
    assert_eq!(bundle.state()["status"], "running");
}

/// `pause` and `resume`: the status is `paused` meanwhile, and nothing moves.
fn pause_and_resume_freeze_and_thaw() {
    let mut bundle = Bundle::new("while true; do echo x >> /log; sleep 0.01; done");
    bundle.started();
    bundle.read_eventually("log");
    bundle.call("pause").succeeds();
    assert_eq!(bundle.state()["status"], "paused");
    let length = || fs::metadata(bundle.rootfs("log")).expect("the log").len();
    let before = length();
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(length(), before);
    bundle.call("resume").succeeds();
    assert_eq!(bundle.state()["status"], "running");
    subtree::eventually("it goes on", || length() > before);
}

/// `pause` and `resume` need a container that runs or is paused.
fn pause_of_a_container_that_does_not_run_is_an_error() {
    let mut bundle = Bundle::new("true");
    bundle.call("pause").fails();
    bundle.started();
    bundle.wait();
    bundle.call("pause").fails();
    bundle.call("resume").fails();
    assert_eq!(bundle.state()["status"], "stopped");
}

/// features.md: the document names what the runtime recognises.
fn features_names_what_there_is() {
    let bundle = Bundle::sleeping();
    let text = bundle.runtime.call(&["features"]).succeeds();
    let features: Value = serde_json::from_str(&text).expect("JSON");
    for name in ["ociVersionMin", "ociVersionMax"] {
        assert!(features[name].is_string(), "{name}");
    }
    let has = |list: &Value, name: &str| {
        list.as_array()
            .is_some_and(|list| list.iter().any(|entry| entry == name))
    };
    for hook in [
        "prestart",
        "createRuntime",
        "createContainer",
        "startContainer",
        "poststart",
        "poststop",
    ] {
        assert!(has(&features["hooks"], hook), "{hook}");
    }
    for option in ["ro", "rbind", "nosuid", "rslave", "noatime", "rro"] {
        assert!(has(&features["mountOptions"], option), "{option}");
    }
    for kind in ["pid", "network", "mount", "ipc", "uts", "user", "cgroup"] {
        assert!(has(&features["linux"]["namespaces"], kind), "{kind}");
    }
    assert!(has(&features["linux"]["capabilities"], "CAP_CHOWN"));
    assert_eq!(features["linux"]["seccomp"]["enabled"], true);
    assert!(has(
        &features["linux"]["seccomp"]["actions"],
        "SCMP_ACT_NOTIFY"
    ));
    assert!(features["linux"]["cgroup"].is_object());
}

/// `spec` writes config.json, which is a bundle's once it has a root.
fn spec_writes_a_configuration_that_runs() {
    let mut bundle = Bundle::sleeping();
    let path = bundle.text("bundle");
    bundle.runtime.call(&["spec", "--bundle", &path]).succeeds();
    let text = fs::read(bundle.path("bundle/config.json")).expect("it was written");
    let mut config: Value = serde_json::from_slice(&text).expect("JSON");
    config["process"]["terminal"] = json!(false);
    config["process"]["args"] = json!(["echo", "ran"]);
    config["linux"]["cgroupsPath"] = json!(format!("/{}", bundle.id));
    bundle.config = config;
    assert_eq!(bundle.output(), "ran");
}

/// `spec` does not overwrite what is there.
fn spec_does_not_overwrite() {
    let bundle = Bundle::sleeping();
    bundle.write();
    let before = fs::read(bundle.path("bundle/config.json")).expect("the file");
    let path = bundle.text("bundle");
    bundle.runtime.call(&["spec", "--bundle", &path]).fails();
    let after = fs::read(bundle.path("bundle/config.json")).expect("the file");
    assert_eq!(before, after);
}

/// A command that is not there is not ignored.
fn an_unknown_command_is_an_error() {
    let bundle = Bundle::sleeping();
    let outcome = bundle.runtime.call(&["nonsense"]);
    assert_ne!(outcome.code, 0, "{outcome:?}");
}

/// `--log` and `--log-format json`: engines read errors there.
fn errors_are_in_the_log() {
    let bundle = Bundle::sleeping();
    let log = bundle.text("log");
    let state = ["--log", &log, "--log-format", "json", "state", "absent"];
    bundle.runtime.call(&state).fails();
    let text = fs::read_to_string(&log).expect("it was written");
    let entry: Value = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|entry| entry["level"] == "error")
        .expect("an error in JSON");
    assert!(
        entry["msg"]
            .as_str()
            .is_some_and(|message| !message.is_empty())
    );
}
