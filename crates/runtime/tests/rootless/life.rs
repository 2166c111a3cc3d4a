//! A container's whole life, with the user's own ID for root inside.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};

use crate::caller::{Caller, GID, UID};
use crate::{socket, subtree};

tests!(life:
    what_spec_describes_runs,
    root_inside_is_the_caller_outside,
    every_command_of_it,
    the_program_has_a_terminal,
    exec_has_a_terminal_of_its_own,
    without_groups_a_pause_is_refused,
    additional_groups_are_refused,
    a_limit_above_the_callers_is_refused,
    a_score_that_needs_privilege_is_left_out,
    without_a_user_namespace_is_refused,
);

fn what_spec_describes_runs() {
    let caller = Caller::new("id -u; id -g; hostname; echo x > /dev/null; exit 7");
    let outcome = caller.run();
    assert_eq!(outcome.code, 7, "{outcome:?}");
    assert_eq!(outcome.stdout, "0\n0\ntare\n");
    caller.assert_gone();
}

fn root_inside_is_the_caller_outside() {
    let mut caller = Caller::new("cat /proc/self/uid_map /proc/self/gid_map; touch /volume/new");
    std::fs::create_dir(caller.path("volume")).expect("a directory");
    std::os::unix::fs::chown(caller.path("volume"), Some(UID), Some(GID)).expect("root may");
    let volume = caller.text("volume");
    caller.push(
        "/mounts",
        json!({"destination": "/volume", "source": volume, "options": ["bind"]}),
    );
    let output = caller.run().succeeds();
    let numbers: Vec<u32> = output
        .split_whitespace()
        .map(|word| word.parse().expect("a number"))
        .collect();
    assert_eq!(numbers, [0, UID, 1, 0, GID, 1]);
    let made = caller.path("volume/new").metadata().expect("it was made");
    assert_eq!((made.uid(), made.gid()), (UID, GID));
}

fn every_command_of_it() {
    let caller = Caller::sleeping();
    caller
        .call(&caller.making("create", &caller.text("bundle")))
        .succeeds();
    assert_eq!(caller.state()["status"], "created");
    caller.about("start").succeeds();
    let state = caller.state();
    assert_eq!(state["status"], "running");
    assert_eq!(caller.exec("id -u").succeeds(), "0");
    assert_eq!(caller.exec("exit 9").code, 9);
    let namespace = caller.exec("readlink /proc/self/ns/user").succeeds();
    let theirs = format!("/proc/{}/ns/user", state["pid"]);
    let theirs = std::fs::read_link(theirs).expect("it runs");
    assert_eq!(namespace, theirs.to_string_lossy());

    let pids: Vec<i64> = serde_json::from_str(
        &caller
            .call(&["ps", "--format", "json", &caller.id])
            .succeeds(),
    )
    .expect("JSON");
    assert_eq!(Value::from(pids), json!([state["pid"]]));
    assert_eq!(caller.call(&["list", "--quiet"]).succeeds(), caller.id);
    let list: Value =
        serde_json::from_str(&caller.call(&["list", "--format", "json"]).succeeds()).expect("JSON");
    assert_eq!(list[0]["status"], "running");
    assert_eq!(list[0]["owner"], format!("#{UID}"));

    caller.about("delete").fails();
    caller.call(&["kill", &caller.id, "KILL"]).succeeds();
    subtree::eventually("it stops", || caller.state()["status"] == "stopped");
    caller.about("delete").succeeds();
    caller.about("state").fails();
    caller.assert_gone();
}

/// A socket that the user can connect to.
fn listen(caller: &Caller) -> std::os::unix::net::UnixListener {
    let path = caller.path("state/console");
    let listener = socket::listen(&path);
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(&path, open).expect("its owner may");
    listener
}

/// What a program says to the terminal that the socket gets.
fn heard(caller: &Caller, listener: &std::os::unix::net::UnixListener) -> String {
    let (_, mut descriptors) = socket::receive(&socket::accept(listener));
    std::fs::remove_file(caller.path("state/console")).expect("the socket");
    let mut text = String::new();
    // A terminal tells its end by EIO.
    let mut master = File::from(descriptors.remove(0));
    caller.about("start");
    let _ = master.read_to_string(&mut text);
    text.replace('\r', "")
}

const SHOW: &str = "test -t 0 && tty && stat -c %u:%g $(tty) && echo controlling > /dev/tty";

fn the_program_has_a_terminal() {
    let mut caller = Caller::new(SHOW);
    caller.set("/process/terminal", json!(true));
    let listener = listen(&caller);
    caller.write();
    let (bundle, console) = (caller.text("bundle"), caller.text("state/console"));
    let flags = ["--console-socket", &console, "--bundle", &bundle];
    caller
        .call(&[&["create"], &flags[..], &[&caller.id]].concat())
        .succeeds();
    assert_eq!(heard(&caller, &listener), "/dev/pts/0\n0:0\ncontrolling\n");
}

fn exec_has_a_terminal_of_its_own() {
    let caller = Caller::sleeping();
    caller.started();
    let listener = listen(&caller);
    let console = caller.text("state/console");
    let flags = ["--tty", "--detach", "--console-socket", &console];
    let program = ["/bin/sh", "-c", SHOW];
    caller
        .call(&[&["exec"], &flags[..], &[&caller.id], &program].concat())
        .succeeds();
    assert_eq!(heard(&caller, &listener), "/dev/pts/0\n0:0\ncontrolling\n");
}

/// Above what one has is for the host's root.
fn a_limit_above_the_callers_is_refused() {
    let most = std::fs::read_to_string("/proc/sys/fs/nr_open").expect("the kernel has it");
    let most: u64 = most.trim().parse().expect("a number");
    let mut caller = Caller::sleeping();
    caller.set(
        "/process/rlimits",
        json!([{"type": "RLIMIT_NOFILE", "soft": 10, "hard": most + 1}]),
    );
    let message = caller.refused();
    assert!(message.contains("RLIMIT_NOFILE"), "{message}");
}

fn without_groups_a_pause_is_refused() {
    let caller = Caller::sleeping();
    caller.started();
    let message = caller.about("pause").fails();
    assert!(message.contains("control group"), "{message}");
    assert_eq!(caller.state()["status"], "running");
}

fn additional_groups_are_refused() {
    let mut caller = Caller::sleeping();
    caller.set(
        "/process/user",
        json!({"uid": 0, "gid": 0, "additionalGids": [7]}),
    );
    let message = caller.refused();
    assert!(message.contains("additional groups"), "{message}");
    caller.set("/process/user", json!({"uid": 0, "gid": 0}));
    caller.started();
    let message = caller.call(&["exec", "--additional-gids", "7", &caller.id, "/bin/id"]);
    assert_eq!(message.code, 255);
    assert!(message.stderr.contains("additional groups"), "{message:?}");
}

/// As runc: a score is lowered by privilege only, and configurations that were
/// made for root say 0 or less.
fn a_score_that_needs_privilege_is_left_out() {
    let mut caller = Caller::new("cat /proc/self/oom_score_adj");
    caller.set("/process/oomScoreAdj", json!(-500));
    let own = std::fs::read_to_string("/proc/self/oom_score_adj").expect("proc");
    assert_eq!(caller.run().succeeds(), own.trim());
    caller.set("/process/oomScoreAdj", json!(700));
    assert_eq!(caller.run().succeeds(), "700");
}

fn without_a_user_namespace_is_refused() {
    let mut caller = Caller::sleeping();
    caller.set(
        "/linux/namespaces",
        json!([{"type": "mount"}, {"type": "uts"}, {"type": "pid"}]),
    );
    caller.set("/linux/uidMappings", json!([]));
    caller.set("/linux/gidMappings", json!([]));
    let message = caller.refused();
    assert!(message.contains("linux.namespaces"), "{message}");
    assert!(message.contains("user namespace"), "{message}");
}
