//! What is left when somebody is killed on the way.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::bundle::{Bundle, hook};
use crate::subtree;

tests!(killed:
    create_at_any_time_leaves_what_delete_removes,
    start_at_any_time_leaves_what_delete_removes,
    the_waiting_process_makes_the_container_stopped,
    the_waiting_process_during_create_makes_it_fail,
    run_leaves_a_container_that_can_be_deleted,
);

fn kill(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // It may have ended.
    let _ = kill_process(pid.expect("a process ID"), Signal::KILL);
}

/// `create` is killed at many points in time; then `delete --force` removes
/// everything that it made. That nothing is left is seen when the bundle goes.
fn create_at_any_time_leaves_what_delete_removes() {
    for step in 0..40 {
        let bundle = Bundle::sleeping();
        bundle.write();
        let path = bundle.text("bundle");
        let create = ["create", "--bundle", &path, &bundle.id];
        let started = bundle.runtime.start(&mut bundle.runtime.command(&create));
        std::thread::sleep(Duration::from_micros(step * 400));
        kill(started.child.id());
        started.finish();
    }
}

/// The same for `start`.
fn start_at_any_time_leaves_what_delete_removes() {
    for step in 0..10 {
        let mut bundle = Bundle::sleeping();
        bundle.created();
        let start = ["start", &bundle.id];
        let started = bundle.runtime.start(&mut bundle.runtime.command(&start));
        std::thread::sleep(Duration::from_micros(step * 300));
        kill(started.child.id());
        started.finish();
        let status = bundle.status().expect("it is known");
        assert!(
            ["created", "running", "stopped"].contains(&&*status),
            "{status}"
        );
    }
}

/// The process that waits for `start` is killed: the container has stopped,
/// and cannot be started.
fn the_waiting_process_makes_the_container_stopped() {
    let mut bundle = Bundle::new("echo ran > /ran");
    let pid = bundle.created();
    kill(pid.unsigned_abs());
    bundle.wait();
    bundle.call("start").fails();
    assert!(!bundle.rootfs("ran").exists());
    bundle.call("delete").succeeds();
    bundle.assert_gone();
}

/// It is killed before it waits: by a hook, which knows it.
fn the_waiting_process_during_create_makes_it_fail() {
    for point in ["prestart", "createRuntime"] {
        let mut bundle = Bundle::sleeping();
        let script = "pid=$(sed -n 's/.*\"pid\": *\\([0-9]*\\).*/\\1/p'); kill -9 $pid";
        bundle.push(&format!("/hooks/{point}"), hook(script));
        bundle.refused();
    }
}

/// `run` in the foreground is killed: its container goes on, and can be
/// deleted.
fn run_leaves_a_container_that_can_be_deleted() {
    let bundle = Bundle::new("echo ready > /ready; exec sleep 1000");
    bundle.write();
    let path = bundle.text("bundle");
    let run = ["run", "--bundle", &path, &bundle.id];
    let started = bundle.runtime.start(&mut bundle.runtime.command(&run));
    bundle.read_eventually("ready");
    kill(started.child.id());
    started.finish();
    let delete = ["delete", "--force", &bundle.id];
    bundle.runtime.call(&delete).succeeds();
    bundle.assert_gone();
    subtree::assert_none();
}
