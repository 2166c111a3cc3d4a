//! config-linux.md, "Devices".

use std::fs;

use serde_json::{Value, json};

use crate::bundle::Bundle;

tests!(devices:
    of_every_type_are_made,
    have_the_mode_and_owner_configured,
    may_be_anywhere,
    their_path_does_not_leave_the_root,
    an_existing_file_that_does_not_match_is_an_error,
    an_existing_file_that_matches_is_used,
    an_unknown_type_is_an_error,
    one_without_numbers_is_an_error,
);

fn device(kind: &str, path: &str, major: i64, minor: i64) -> Value {
    json!({
        "type": kind, "path": path, "major": major, "minor": minor,
        "fileMode": 0o640, "uid": 12, "gid": 34,
    })
}

/// Devices: they MUST be available in the container: `c`, `u`, `b`, `p`.
fn of_every_type_are_made() {
    let mut bundle = Bundle::new("cd /dev; stat -c %n:%F:%t:%T c u b p");
    bundle.push("/linux/devices", device("c", "/dev/c", 240, 7));
    bundle.push("/linux/devices", device("u", "/dev/u", 240, 8));
    bundle.push("/linux/devices", device("b", "/dev/b", 241, 9));
    bundle.push("/linux/devices", json!({"type": "p", "path": "/dev/p"}));
    assert_eq!(
        bundle.output(),
        "c:character special file:f0:7\nu:character special file:f0:8\n\
         b:block special file:f1:9\np:fifo:0:0"
    );
}

/// Devices: `fileMode`, `uid` and `gid`, whatever the umask.
fn have_the_mode_and_owner_configured() {
    let mut bundle = Bundle::new("cd /dev; stat -c %a:%u:%g c b");
    let mut wide = device("b", "/dev/b", 241, 9);
    wide["fileMode"] = json!(0o666);
    bundle.push("/linux/devices", device("c", "/dev/c", 240, 7));
    bundle.push("/linux/devices", wide);
    assert_eq!(bundle.output(), "640:12:34\n666:12:34");
}

/// Devices: the path MAY be anywhere in the container's file system.
fn may_be_anywhere() {
    let mut bundle = Bundle::new("stat -c %t:%T /made/for/it /etc/it");
    bundle.push("/linux/devices", device("c", "/made/for/it", 240, 7));
    bundle.push("/linux/devices", device("c", "/etc/it", 240, 7));
    assert_eq!(bundle.output(), "f0:7\nf0:7");
}

/// Devices: inside the container, whatever links are in it.
fn their_path_does_not_leave_the_root() {
    let mut bundle = Bundle::new("true");
    fs::create_dir(bundle.path("outside")).expect("a directory");
    let outside = bundle.text("outside");
    std::os::unix::fs::symlink(outside, bundle.rootfs("link")).expect("a link");
    bundle.push("/linux/devices", device("c", "/link/it", 240, 7));
    bundle.run();
    assert!(!bundle.path("outside/it").exists());
}

/// Devices: if a file is at the path that does not match the device, the
/// runtime MUST generate an error.
fn an_existing_file_that_does_not_match_is_an_error() {
    let mut bundle = Bundle::sleeping();
    fs::write(bundle.rootfs("etc/it"), "a file").expect("a file");
    bundle.push("/linux/devices", device("c", "/etc/it", 240, 7));
    bundle.refused();
    let text = fs::read_to_string(bundle.rootfs("etc/it")).expect("the file");
    assert_eq!(text, "a file");
}

/// Devices: one that matches is not in the way: the second run finds the
/// first one's.
fn an_existing_file_that_matches_is_used() {
    let mut bundle = Bundle::new("stat -c %t:%T /etc/it");
    bundle.push("/linux/devices", device("c", "/etc/it", 240, 7));
    assert_eq!(bundle.output(), "f0:7");
    assert_eq!(bundle.output(), "f0:7");
}

/// Valid values: unknown types MUST be an error.
fn an_unknown_type_is_an_error() {
    for kind in ["x", "", "char"] {
        let mut bundle = Bundle::sleeping();
        bundle.push("/linux/devices", device(kind, "/dev/it", 240, 7));
        bundle.refused();
    }
}

/// Devices: the numbers are required unless the type is `p`.
fn one_without_numbers_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.push("/linux/devices", json!({"type": "c", "path": "/dev/it"}));
    bundle.refused();
}
