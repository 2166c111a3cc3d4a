//! Copies of the test that do something on their own: in namespaces that the
//! test must not be in, or while the test does something else.

use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rustix::fs::{CWD, RenameFlags};
use tare_sys::SingleThreaded;
use tare_sys::clone::{Child, clone_process, exit_immediately};
use tare_sys::namespace::Kinds;

use crate::sandbox::wait;

/// Runs a part of a test in new namespaces; fails as it does.
#[track_caller]
pub(crate) fn isolated(kinds: Kinds, part: impl FnOnce()) {
    isolated_with(kinds, |_| (), part);
}

/// As [`isolated`] in a new user namespace in which only root has a number.
#[track_caller]
pub(crate) fn as_lone_root(kinds: Kinds, part: impl FnOnce()) {
    let map = |child: &Child| {
        for file in ["uid_map", "gid_map"] {
            std::fs::write(format!("/proc/{}/{file}", child.pid), "0 0 1\n").expect("maps");
        }
    };
    isolated_with(kinds.union(Kinds::USER), map, part);
}

#[track_caller]
fn isolated_with(kinds: Kinds, before: impl FnOnce(&Child), part: impl FnOnce()) {
    let (waiting, go) = rustix::pipe::pipe().expect("a pipe");
    let child = copy(kinds, move || {
        let _ = rustix::io::read(&waiting, &mut [0; 1]);
        part();
    });
    before(&child);
    rustix::io::write(&go, b"x").expect("the copy waits");
    assert_eq!(wait(&child.pidfd), 0, "the part in namespaces has failed");
}

fn copy(kinds: Kinds, work: impl FnOnce()) -> Child {
    let proof = SingleThreaded::verify().expect("one thread");
    match clone_process(proof, kinds, None).expect("a copy") {
        Some(child) => child,
        None => exit_immediately(i32::from(catch_unwind(AssertUnwindSafe(work)).is_err())),
    }
}

/// A process that exchanges two files until it is dropped.
pub(crate) struct Swapper {
    process: OwnedFd,
}

impl Swapper {
    /// Begins to exchange `one` and `other` without end.
    pub(crate) fn new(one: &Path, other: &Path) -> Swapper {
        let child = copy(Kinds::NONE, || {
            loop {
                // The test's runtime is in the way of neither of them.
                let _ = rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE);
                for _ in 0..200 {
                    std::hint::spin_loop();
                }
            }
        });
        Swapper {
            process: child.pidfd,
        }
    }
}

impl Drop for Swapper {
    fn drop(&mut self) {
        let _ = tare_sys::signal::send(self.process.as_fd(), 9);
        wait(&self.process);
    }
}
