//! What cannot be written or brought back says why, and leaves nothing half
//! made.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use crate::bundle::Bundle;
use crate::criu::{call, can, counting, goes_on, program};
use crate::socket;

tests!(failures:
    without_criu_it_is_named,
    what_criu_says_is_shown_and_the_container_goes_on,
    a_criu_that_dies_leaves_nothing_frozen,
    a_restore_that_fails_leaves_nothing,
    a_damaged_checkpoint_leaves_nothing,
    a_directory_without_a_checkpoint_is_refused,
    a_container_that_has_not_started_is_refused,
    a_stopped_container_is_refused,
    a_terminal_is_refused,
    somebody_who_is_not_root_is_refused,
);

/// A program that stands for a criu.
fn stand_in(bundle: &Bundle, script: &str) -> String {
    let path = bundle.path("criu");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its owner may");
    bundle.text("criu")
}

/// Fails as criu does, with a log in its working directory.
const FAILS: &str = r#"action=$1
    while test $# -gt 0; do
        case $1 in
            --work-dir) work=$2 ;;
            --freeze-cgroup) group=$2 ;;
        esac
        shift
    done
    echo '(00.1) Error (criu/x.c:1): no such luck' > "$work/$action.log"
    if test -n "$FREEZE" && test -e "$group/freezer.state"; then
        echo FROZEN > "$group/freezer.state"
    elif test -n "$FREEZE"; then
        echo 1 > "$group/cgroup.freeze"
    fi
    exit 3"#;

/// Something that looks like a checkpoint.
fn images(bundle: &Bundle) {
    fs::create_dir(bundle.path("images")).expect("a directory");
    fs::write(bundle.path("images/inventory.img"), "").expect("a file");
}

fn restore(bundle: &Bundle, criu: &str) -> String {
    bundle.write();
    let directory = bundle.text("bundle");
    let arguments = ["restore", "--detach", "--bundle", &directory];
    let message = call(bundle, criu, &arguments, "images").fails();
    bundle.assert_gone();
    message
}

fn without_criu_it_is_named() {
    let mut bundle = counting();
    bundle.started();
    let message = call(&bundle, "/nowhere/criu", &["checkpoint"], "images").fails();
    assert!(message.contains("/nowhere/criu"), "{message}");
    assert!(message.contains("package criu"), "{message}");
    assert!(!bundle.path("images").exists());
    goes_on(&bundle);
    bundle.stop();
    bundle.call("delete").succeeds();
    images(&bundle);
    let message = restore(&bundle, "/nowhere/criu");
    assert!(message.contains("package criu"), "{message}");
}

fn what_criu_says_is_shown_and_the_container_goes_on() {
    let mut bundle = counting();
    let criu = stand_in(&bundle, FAILS);
    bundle.started();
    let message = call(&bundle, &criu, &["checkpoint"], "images").fails();
    assert!(
        message.contains("criu failed (exit status: 3)"),
        "{message}"
    );
    assert!(message.contains("no such luck"), "{message}");
    let log = bundle.text("images/dump.log");
    assert!(message.contains(&log), "{message}");
    assert!(Path::new(&log).exists());
    assert_eq!(bundle.status().as_deref(), Some("running"));
    goes_on(&bundle);
}

fn a_criu_that_dies_leaves_nothing_frozen() {
    let mut bundle = counting();
    let criu = stand_in(&bundle, &format!("FREEZE=1\n{FAILS}"));
    bundle.started();
    call(&bundle, &criu, &["checkpoint"], "images").fails();
    assert_eq!(bundle.status().as_deref(), Some("running"));
    goes_on(&bundle);
}

fn a_restore_that_fails_leaves_nothing() {
    let bundle = counting();
    let criu = stand_in(&bundle, FAILS);
    images(&bundle);
    let message = restore(&bundle, &criu);
    assert!(message.contains("no such luck"), "{message}");
    assert!(message.contains("restore.log"), "{message}");
}

fn a_damaged_checkpoint_leaves_nothing() {
    let mut bundle = counting();
    if !can(&[]) {
        // One that is no checkpoint at all, then.
        images(&bundle);
        let message = restore(&bundle, &program());
        assert!(message.contains("criu"), "{message}");
        return;
    }
    bundle.started();
    goes_on(&bundle);
    call(&bundle, &program(), &["checkpoint"], "images").succeeds();
    // Its processes have been made when this is missed.
    fs::remove_file(bundle.path("images/pages-1.img")).expect("it is there");
    let message = restore(&bundle, &program());
    assert!(message.contains("criu failed"), "{message}");
}

fn a_directory_without_a_checkpoint_is_refused() {
    let bundle = counting();
    let message = restore(&bundle, &program());
    assert!(message.contains("holds no checkpoint"), "{message}");
}

fn a_container_that_has_not_started_is_refused() {
    let mut bundle = counting();
    bundle.created();
    let message = call(&bundle, &program(), &["checkpoint"], "images").fails();
    assert!(message.contains("created state"), "{message}");
    assert!(!bundle.path("images").exists());
}

fn a_stopped_container_is_refused() {
    let mut bundle = counting();
    bundle.started();
    bundle.stop();
    let message = call(&bundle, &program(), &["checkpoint"], "images").fails();
    assert!(message.contains("stopped state"), "{message}");
}

fn a_terminal_is_refused() {
    let mut bundle = counting();
    let listener = socket::listen(&bundle.path("console"));
    let path = bundle.text("console");
    bundle.set("/process/terminal", json!(true));
    bundle.create_with(&["--console-socket", &path]).succeeds();
    let _console = socket::receive(&socket::accept(&listener));
    bundle.call("start").succeeds();
    for flags in [&["checkpoint"][..], &["checkpoint", "--shell-job"]] {
        let message = call(&bundle, &program(), flags, "images").fails();
        assert!(message.contains("process.terminal"), "{message}");
        goes_on(&bundle);
    }
}

fn somebody_who_is_not_root_is_refused() {
    let bundle = counting();
    images(&bundle);
    bundle.write();
    let (directory, images) = (bundle.text("bundle"), bundle.text("images"));
    // Root of a user namespace: no less root to look at.
    let mut command = std::process::Command::new("unshare");
    let program = crate::runtime::program();
    command
        .args(["--user", "--map-root-user"])
        .arg(program)
        .arg("--root")
        .arg(&bundle.runtime.root)
        .args(["restore", "--bundle", &directory, "--image-path", &images])
        .arg(&bundle.id);
    let message = bundle.runtime.finish(&mut command).fails();
    assert!(message.contains("need root privileges"), "{message}");
    bundle.assert_gone();
}
