//! What the program's runtimes leave behind: processes, which become its
//! children, and mounts, which are in its mount namespace.

use std::fs;
use std::time::{Duration, Instant};

use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{Pid, WaitOptions, getpid, set_child_subreaper, waitpid};
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

/// Reaps all children that have ended; whether others are left.
fn some_live() -> bool {
    loop {
        match waitpid(None, WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Waits for the end of all children. Those that do not end are an error.
#[track_caller]
pub(crate) fn assert_none() {
    let begin = Instant::now();
    while some_live() {
        if begin.elapsed() > Duration::from_secs(5) {
            let left = children();
            kill_all();
            panic!("processes are left: {left:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Kills and reaps whatever is left.
pub(crate) fn kill_all() {
    while some_live() {
        for (pid, _) in children() {
            // It may have ended by itself.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The children, each with its state and name.
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
            Some((Pid::from_raw(pid)?, format!("{name} {state}")))
        })
        .collect()
}

/// Whether a process runs: it is there, and has not ended.
pub(crate) fn runs(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|text| {
        text.rsplit_once(") ")
            .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    })
}
