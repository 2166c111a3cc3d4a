//! What the program's runtimes leave behind: processes, which become its
//! children, and mounts, which are in its mount namespace.

use std::fs;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{
    Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait, waitpid,
};
use tare_sys::SingleThreaded;
use tare_sys::namespace::{Kinds, leave};

/// How long something may take that need not have happened when a command
/// ends. Nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Puts the program in a mount namespace of its own and makes it adopt
/// orphans.
pub(crate) fn isolate() {
    let proof = SingleThreaded::verify().expect("one thread");
    leave(proof, Kinds::MOUNT).expect("a mount namespace");
    mount_change(
        "/",
        MountPropagationFlags::REC | MountPropagationFlags::PRIVATE,
    )
    .expect("private mounts");
    set_child_subreaper(Some(getpid())).expect("adopts orphans");
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "not so: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits for the end of one child.
pub(crate) fn bury(pid: i32) {
    waitpid(Pid::from_raw(pid), WaitOptions::empty()).expect("it is a child");
}

/// Reaps all children that have ended.
fn reap() {
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}

/// Waits for the end of all children. Those that do not end are an error.
#[track_caller]
pub(crate) fn assert_none() {
    let begin = Instant::now();
    loop {
        reap();
        let left = children();
        if left.is_empty() {
            return;
        }
        if begin.elapsed() > PATIENCE / 4 {
            kill_all();
            panic!("processes are left: {left:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Kills and reaps whatever is left.
pub(crate) fn kill_all() {
    for _ in 0..1000 {
        reap();
        let left = children();
        if left.is_empty() {
            return;
        }
        for (pid, _) in left {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The children that are not a test's own ([`helper`]), each with its name and
/// state.
fn children() -> Vec<(Pid, String)> {
    let own = getpid().as_raw_nonzero().to_string();
    fs::read_dir("/proc")
        .expect("proc")
        .flatten()
        .filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let text = fs::read_to_string(entry.path().join("stat")).ok()?;
            let (name, rest) = text.split_once('(')?.1.rsplit_once(')')?;
            let mut fields = rest.split_whitespace();
            let state = fields.next()?;
            (fields.next()? == own).then_some(())?;
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            let helps = environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == HELPER.as_bytes());
            (!helps).then_some((Pid::from_raw(pid)?, format!("{name} {state}")))
        })
        .collect()
}

/// What marks a process that a test itself has started.
const HELPER: &str = "CONFORMANCE_HELPER=1";

/// A program of busybox that a test needs beside its containers.
pub(crate) fn helper(arguments: &[&str]) -> Child {
    let (name, value) = HELPER.split_once('=').expect("a variable");
    Command::new("/bin/busybox")
        .args(arguments)
        .env(name, value)
        .spawn()
        .expect("busybox can be executed")
}

/// Whether a process runs: it is there, and has not ended.
pub(crate) fn runs(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|text| {
        text.rsplit_once(") ")
            .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    })
}
