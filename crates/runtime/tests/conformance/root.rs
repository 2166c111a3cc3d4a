//! config.md, "Root".

use std::fs;

use serde_json::json;

use crate::bundle::Bundle;
use crate::mountinfo;

tests!(root:
    a_relative_path_is_relative_to_the_bundle,
    an_absolute_path_is_taken_as_it_is,
    it_may_be_outside_of_the_bundle,
    nothing_else_of_the_host_is_seen,
    a_directory_must_be_there,
    a_file_is_an_error,
    it_is_required,
    readonly_makes_it_read_only,
    it_is_writable_by_default,
    readonly_does_not_reach_the_host,
);

/// Root: `path` is relative to the bundle unless it is absolute.
fn a_relative_path_is_relative_to_the_bundle() {
    let mut bundle = Bundle::new("cat /mark");
    fs::create_dir(bundle.path("bundle/deep")).expect("a directory");
    fs::rename(bundle.rootfs(""), bundle.path("bundle/deep/root")).expect("moves");
    fs::write(bundle.path("bundle/deep/root/mark"), "found").expect("a file");
    bundle.set("/root/path", json!("deep/root"));
    assert_eq!(bundle.output(), "found");
}

/// Root: an absolute path.
fn an_absolute_path_is_taken_as_it_is() {
    let mut bundle = Bundle::new("cat /mark");
    fs::write(bundle.rootfs("mark"), "found").expect("a file");
    let path = bundle.text("bundle/rootfs");
    bundle.set("/root/path", json!(path));
    assert_eq!(bundle.output(), "found");
}

/// Root: the path may lead anywhere.
fn it_may_be_outside_of_the_bundle() {
    let mut bundle = Bundle::new("echo ran");
    fs::rename(bundle.rootfs(""), bundle.path("elsewhere")).expect("moves");
    bundle.set("/root/path", json!("../elsewhere"));
    assert_eq!(bundle.output(), "ran");
}

/// Root: it is the container's root: `..` leads nowhere else, and no mount of
/// the host is left.
fn nothing_else_of_the_host_is_seen() {
    let bundle = Bundle::new("ls -a /../..; cat /proc/self/mountinfo");
    let text = bundle.output();
    let (listed, mounts) = text.split_at(text.find("\n").map_or(0, |_| {
        text.find(" / ")
            .and_then(|at| text[..at].rfind('\n'))
            .expect("mounts")
    }));
    let listed: Vec<&str> = listed.lines().collect();
    assert_eq!(
        listed,
        [".", "..", "bin", "dev", "etc", "proc", "sys", "tmp"]
    );
    let mut found: Vec<_> = mountinfo::parse(mounts)
        .into_iter()
        .map(|mount| mount.destination)
        .filter(|destination| !destination.starts_with("/dev/"))
        .collect();
    found.sort();
    assert_eq!(found, ["/", "/dev", "/proc", "/sys"]);
}

/// Root: a directory MUST be at the path.
fn a_directory_must_be_there() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/root/path", json!("absent"));
    bundle.refused();
}

/// Root: a file is none.
fn a_file_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/root/path", json!("rootfs/bin/busybox"));
    bundle.refused();
}

/// Root: the property is required, and its path.
fn it_is_required() {
    for pointer in ["/root", "/root/path"] {
        let mut bundle = Bundle::sleeping();
        bundle.remove(pointer);
        bundle.refused();
    }
}

/// Root: with `readonly` it MUST be read-only inside.
fn readonly_makes_it_read_only() {
    let mut bundle = Bundle::new("touch /file || echo no; touch /dev/shm/file && echo yes");
    bundle.set("/root/readonly", json!(true));
    assert_eq!(bundle.output(), "no\nyes");
}

/// Root: `readonly` is false by default.
fn it_is_writable_by_default() {
    let bundle = Bundle::new("echo written > /file");
    bundle.output();
    let text = fs::read_to_string(bundle.rootfs("file")).expect("it is there");
    assert_eq!(text, "written\n");
}

/// Root: it is read-only inside, and nowhere else.
fn readonly_does_not_reach_the_host() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/root/readonly", json!(true));
    bundle.started();
    fs::write(bundle.rootfs("file"), "by the host").expect("it can be written");
    assert_eq!(bundle.exec("cat /file").succeeds(), "by the host");
}
