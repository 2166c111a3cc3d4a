//! Where the state is when nobody says so.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

use crate::caller::{Caller, GID, UID};
use crate::outcome::Outcome;

tests!(place:
    is_the_users_runtime_directory,
    is_a_directory_that_others_may_not_enter,
    one_that_others_have_made_is_refused,
    a_link_is_refused,
    one_that_others_may_write_to_is_refused,
);

/// Runs the container with the default root directory, in a directory in which
/// everybody may make files.
fn run(caller: &Caller) -> Outcome {
    let bundle = caller.text("bundle");
    let arguments = caller.making("run", &bundle);
    caller.finish(caller.bare(&arguments).env("TMPDIR", caller.path("shared")))
}

fn shared(script: &str) -> Caller {
    let caller = Caller::new(script);
    let shared = caller.path("shared");
    fs::create_dir(&shared).expect("a directory");
    fs::set_permissions(&shared, Permissions::from_mode(0o1777)).expect("its owner may");
    caller
}

fn own(caller: &Caller) -> std::path::PathBuf {
    caller.path("shared").join(format!("tare-runtime-{UID}"))
}

fn is_the_users_runtime_directory() {
    let caller = Caller::new("id -u");
    let bundle = caller.text("bundle");
    let mut command = caller.bare(&caller.making("run", &bundle));
    let outcome = caller.finish(command.env("XDG_RUNTIME_DIR", caller.path("state")));
    assert_eq!(outcome.succeeds(), "0");
    let made = caller.path("state/tare-runtime").metadata();
    let made = made.expect("it was made");
    assert_eq!((made.uid(), made.mode() & 0o7777), (UID, 0o1700));
}

fn is_a_directory_that_others_may_not_enter() {
    let caller = shared("id -u");
    assert_eq!(run(&caller).succeeds(), "0");
    let made = own(&caller).metadata().expect("it was made");
    assert_eq!((made.uid(), made.mode() & 0o7777), (UID, 0o1700));
}

#[track_caller]
fn assert_refused(caller: &Caller, why: &str) {
    let message = run(caller).fails();
    assert!(message.contains("tare-runtime-"), "{message}");
    assert!(message.contains(why), "{message}");
    assert!(message.contains("--root"), "{message}");
    // Nor is what somebody may have put there believed.
    let mut list = caller.bare(&["list"]);
    let message = caller
        .finish(list.env("TMPDIR", caller.path("shared")))
        .fails();
    assert!(message.contains(why), "{message}");
}

fn one_that_others_have_made_is_refused() {
    let caller = shared("id -u");
    fs::create_dir(own(&caller)).expect("a directory");
    fs::set_permissions(own(&caller), Permissions::from_mode(0o777)).expect("its owner may");
    assert_refused(&caller, "one of user 0");
}

fn a_link_is_refused() {
    let caller = shared("id -u");
    symlink(caller.path("state"), own(&caller)).expect("a link");
    assert_refused(&caller, "a symbolic link");
}

fn one_that_others_may_write_to_is_refused() {
    let caller = shared("id -u");
    fs::create_dir(own(&caller)).expect("a directory");
    chown(own(&caller), Some(UID), Some(GID)).expect("root may");
    fs::set_permissions(own(&caller), Permissions::from_mode(0o1777)).expect("its owner may");
    assert_refused(&caller, "one of mode 1777");
}
