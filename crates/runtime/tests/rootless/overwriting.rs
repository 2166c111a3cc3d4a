//! The executable is safe from the container (CVE-2019-5736), also when it is
//! the user's own.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::chown;

use crate::caller::{Caller, GID, UID};

tests!(overwriting:
    ones_own_executable_is_a_sealed_copy,
    an_executable_of_roots_is_used_as_it_is,
    root_of_a_namespace_is_not_trusted_with_it,
);

/// A container that waits for its start, whose process is still the runtime's.
fn waiting(caller: &Caller) -> String {
    caller
        .call(&caller.making("create", &caller.text("bundle")))
        .succeeds();
    format!("/proc/{}/exe", caller.pid())
}

fn ones_own_executable_is_a_sealed_copy() {
    let caller = Caller::sleeping();
    let program = caller.path("program/tare-runtime");
    chown(&program, Some(UID), Some(GID)).expect("root may");
    let before = fs::read(&program).expect("the executable");
    let running = waiting(&caller);
    let link = fs::read_link(&running).expect("it waits");
    assert!(link.to_string_lossy().starts_with("/memfd:"), "{link:?}");
    // Not even root can change what runs, neither now nor later.
    let write = |path: &str| {
        OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| file.write_all(b"x"))
    };
    write(&running).expect_err("it is being executed");
    let kept = fs::File::open(&running).expect("it can be read");
    caller.about("start").succeeds();
    caller.exec("id -u").succeeds();
    let kept = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&kept));
    write(&kept).expect_err("it is sealed");
    assert_eq!(fs::read(&program).expect("the executable"), before);
}

fn an_executable_of_roots_is_used_as_it_is() {
    let caller = Caller::sleeping();
    let running = waiting(&caller);
    let link = fs::read_link(&running).expect("it waits");
    assert_eq!(link, caller.path("program/tare-runtime"));
}

/// Whose file it is does not show from there.
fn root_of_a_namespace_is_not_trusted_with_it() {
    let mut caller = Caller::sleeping();
    for name in ["uidMappings", "gidMappings"] {
        let only = serde_json::json!([{"containerID": 0, "hostID": 0, "size": 1}]);
        caller.set(&format!("/linux/{name}"), only);
    }
    caller.write();
    let mut command = caller.command("unshare");
    command
        .args(["--user", "--map-root-user"])
        .arg(caller.path("program/tare-runtime"))
        .arg("--root")
        .arg(caller.path("state"))
        .arg("create")
        .arg("--bundle")
        .arg(caller.path("bundle"))
        .arg(&caller.id);
    caller.finish(&mut command).succeeds();
    let running = format!("/proc/{}/exe", caller.pid());
    let link = fs::read_link(&running).expect("it waits");
    assert!(link.to_string_lossy().starts_with("/memfd:"), "{link:?}");
}
