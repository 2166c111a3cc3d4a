//! What comes back, and how, where criu works.

use std::fs;
use std::process::Stdio;

use serde_json::json;

use crate::bundle::Bundle;
use crate::criu::{assert_consecutive, call, can, count, counting, goes_on, program, words};
use crate::subtree::eventually;

tests!(restores:
    a_container_goes_on_where_it_was,
    one_in_the_foreground_has_its_streams_and_its_end,
    one_that_was_left_running_can_be_brought_back_later,
    a_first_pass_saves_the_memory_only,
    volumes_are_those_of_the_restored,
    another_bundle_serves_as_well,
);

/// Without a criu that works: the checkpoint says so and harms nothing.
fn refused(bundle: &mut Bundle) {
    eprintln!("criu does not work here: only its error is looked at");
    bundle.started();
    goes_on(bundle);
    let message = call(bundle, &program(), &["checkpoint"], "images").fails();
    assert!(message.contains("criu"), "{message}");
    assert_eq!(bundle.status().as_deref(), Some("running"));
    goes_on(bundle);
}

#[track_caller]
fn checkpoint(bundle: &Bundle, images: &str) {
    call(bundle, &program(), &["checkpoint"], images).succeeds();
    bundle.assert_gone();
    let before = count(bundle);
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert_eq!(count(bundle), before, "it still runs");
}

#[track_caller]
fn restore(bundle: &Bundle, images: &str) {
    let directory = bundle.text("bundle");
    let arguments = ["restore", "--detach", "--bundle", &directory];
    call(bundle, &program(), &arguments, images).succeeds();
    assert_eq!(bundle.status().as_deref(), Some("running"));
    goes_on(bundle);
    assert_consecutive(bundle);
}

fn a_container_goes_on_where_it_was() {
    let mut bundle = counting();
    if !can(&[]) {
        return refused(&mut bundle);
    }
    bundle.started();
    goes_on(&bundle);
    checkpoint(&bundle, "images");
    restore(&bundle, "images");
    assert_eq!(
        bundle
            .exec("hostname; test -e /proc/1/exe && echo yes")
            .code,
        0
    );
    let pid = bundle.pid();
    let group = crate::cgroups::path_of(pid, "pids");
    assert_eq!(group, format!("/{}", bundle.id));
    bundle.stop();
    bundle.call("delete").succeeds();
}

fn one_in_the_foreground_has_its_streams_and_its_end() {
    let mut bundle = counting();
    if !can(&[]) {
        return refused(&mut bundle);
    }
    bundle.arguments(&[
        "/bin/sh",
        "-c",
        "echo before; touch /tmp/count; while read line; do echo $line; done; echo error >&2; exit 42",
    ]);
    bundle.write();
    let directory = bundle.text("bundle");
    let mut command = bundle
        .runtime
        .command(&["run", "--bundle", &directory, &bundle.id]);
    let piped = |command: &mut std::process::Command| {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the runtime can be executed")
    };
    let mut first = piped(&mut command);
    eventually("it is there", || bundle.rootfs("tmp/count").exists());
    call(&bundle, &program(), &["checkpoint"], "images").succeeds();
    drop(first.stdin.take());
    let first = first.wait_with_output().expect("it is a child");
    assert_eq!(String::from_utf8_lossy(&first.stdout), "before\n");
    // Killed, as far as whoever waited for it can tell.
    assert_eq!(first.status.code(), Some(137));
    bundle.assert_gone();

    let images = bundle.text("images");
    let criu = program();
    // The end is this process's to know, whoever has the orphans. What is there
    // to be read makes it end at once.
    for arguments in [
        &["restore", "--bundle", &directory][..],
        &["restore", "--no-subreaper", "--bundle", &directory],
    ] {
        let words = words(&bundle, &criu, arguments, &images);
        let mut second = piped(&mut bundle.runtime.command(&words));
        let mut input = second.stdin.take().expect("piped");
        std::io::Write::write_all(&mut input, b"line\n").expect("writes");
        drop(input);
        let second = second.wait_with_output().expect("it is a child");
        assert_eq!(second.status.code(), Some(42), "{second:?}");
        assert_eq!(String::from_utf8_lossy(&second.stdout), "line\n");
        assert_eq!(String::from_utf8_lossy(&second.stderr), "error\n");
        bundle.assert_gone();
    }
}

fn one_that_was_left_running_can_be_brought_back_later() {
    let mut bundle = counting();
    if !can(&[]) {
        return refused(&mut bundle);
    }
    bundle.started();
    goes_on(&bundle);
    let arguments = ["checkpoint", "--leave-running"];
    call(&bundle, &program(), &arguments, "images").succeeds();
    assert_eq!(bundle.status().as_deref(), Some("running"));
    goes_on(&bundle);
    bundle.stop();
    bundle.call("delete").succeeds();
    fs::remove_file(bundle.rootfs("tmp/count")).expect("it has counted");
    let directory = bundle.text("bundle");
    let arguments = ["restore", "--detach", "--bundle", &directory];
    call(&bundle, &program(), &arguments, "images").succeeds();
    goes_on(&bundle);
    let text = fs::read_to_string(bundle.rootfs("tmp/count")).expect("it counts");
    assert!(!text.starts_with("1\n"), "it began anew: {text}");
}

fn a_first_pass_saves_the_memory_only() {
    let mut bundle = counting();
    if !can(&[]) {
        return refused(&mut bundle);
    }
    bundle.started();
    goes_on(&bundle);
    let first = call(&bundle, &program(), &["checkpoint", "--pre-dump"], "first");
    if !can(&["--feature", "mem_dirty_track"]) {
        let message = first.fails();
        assert!(message.contains("Tracking memory"), "{message}");
        return goes_on(&bundle);
    }
    first.succeeds();
    assert_eq!(bundle.status().as_deref(), Some("running"));
    goes_on(&bundle);
    let arguments = ["checkpoint", "--parent-path", "../first"];
    call(&bundle, &program(), &arguments, "second").succeeds();
    bundle.assert_gone();
    assert!(bundle.path("second/parent").exists());
    restore(&bundle, "second");
}

fn volumes_are_those_of_the_restored() {
    let mut bundle = counting();
    if !can(&[]) {
        return refused(&mut bundle);
    }
    let volume = bundle.text("volume");
    fs::create_dir_all(&volume).expect("a directory");
    fs::create_dir_all(bundle.rootfs("tmp")).expect("a directory");
    bundle.mount("bind", &volume, "/volume", &["rbind"]);
    bundle.started();
    goes_on(&bundle);
    checkpoint(&bundle, "images");
    fs::write(bundle.path("volume/file"), "outside\n").expect("a file");
    restore(&bundle, "images");
    assert_eq!(bundle.exec("cat /volume/file").succeeds(), "outside");
    bundle.exec("echo inside > /volume/file").succeeds();
    let text = fs::read_to_string(bundle.path("volume/file")).expect("it is there");
    assert_eq!(text, "inside\n");
}

fn another_bundle_serves_as_well() {
    let mut bundle = counting();
    if !can(&[]) {
        return refused(&mut bundle);
    }
    bundle.started();
    goes_on(&bundle);
    checkpoint(&bundle, "images");
    let (from, to) = (bundle.path("bundle"), bundle.path("other"));
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .args([&from, &to])
        .status();
    assert!(copied.expect("cp").success());
    let directory = bundle.text("other");
    let arguments = ["restore", "--detach", "--bundle", &directory];
    call(&bundle, &program(), &arguments, "images").succeeds();
    assert_eq!(bundle.state()["bundle"], json!(directory));
    let count = || fs::read_to_string(to.join("rootfs/tmp/count")).expect("it counts");
    let before = count().len();
    eventually("it counts in the other", || count().len() > before);
    let first = fs::read_to_string(bundle.rootfs("tmp/count")).expect("it has counted");
    assert!(first.len() <= before);
}
