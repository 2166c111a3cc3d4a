//! config.md, "Process": `cwd`, `env`, `args` and the streams.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::json;

use crate::bundle::Bundle;

tests!(process:
    cwd_is_the_working_directory,
    cwd_must_be_absolute,
    env_is_the_environment_and_nothing_of_the_host_is,
    args_are_passed_as_they_are,
    args_need_an_entry,
    a_file_without_a_slash_is_looked_for_in_the_containers_path,
    a_file_with_a_slash_is_relative_to_the_working_directory,
    a_missing_program_is_an_error,
    a_program_that_cannot_be_executed_is_an_error,
    streams_are_those_of_the_runtime,
    only_the_standard_streams_are_open,
    console_size_is_ignored_without_a_terminal,
    the_exit_status_is_that_of_run,
);

/// Process: `cwd` is the working directory of the program.
fn cwd_is_the_working_directory() {
    let mut bundle = Bundle::new("pwd; readlink /proc/self/cwd");
    bundle.set("/process/cwd", json!("/etc"));
    assert_eq!(bundle.output(), "/etc\n/etc");
}

/// Process: `cwd` MUST be an absolute path.
fn cwd_must_be_absolute() {
    for cwd in ["etc", "", "./etc", "../etc"] {
        let mut bundle = Bundle::sleeping();
        bundle.set("/process/cwd", json!(cwd));
        bundle.refused_before_it_runs();
    }
}

/// Process: `env` has the semantics of environ. Only HOME may be added, which
/// runc does.
fn env_is_the_environment_and_nothing_of_the_host_is() {
    let mut bundle = Bundle::sleeping();
    let variables = json!([
        "PATH=/bin",
        "EMPTY=",
        "EQUALS=a=b",
        "SPACE= x ",
        "LINES=1\n2"
    ]);
    bundle.set("/process/env", variables.clone());
    bundle.arguments(&["cat", "/proc/self/environ"]).write();
    let path = bundle.text("bundle");
    let mut command = bundle
        .runtime
        .command(&["run", "--bundle", &path, &bundle.id]);
    let outcome = bundle.runtime.finish(command.env("OF_THE_HOST", "1"));
    let text = outcome.succeeds();
    let found: Vec<&str> = text
        .split_terminator('\0')
        .filter(|variable| !variable.starts_with("HOME="))
        .collect();
    assert_eq!(json!(found), variables);
}

/// Process: `args` are those of execvp: nothing is split, expanded or lost.
fn args_are_passed_as_they_are() {
    let mut bundle = Bundle::sleeping();
    let script = "for word; do echo \"[$word]\"; done";
    bundle.arguments(&["sh", "-c", script, "sh", "", "a b", "*", "$PATH", "-x", "ü"]);
    assert_eq!(bundle.output(), "[]\n[a b]\n[*]\n[$PATH]\n[-x]\n[ü]");
}

/// Process: `args` MUST have at least one entry.
fn args_need_an_entry() {
    let mut bundle = Bundle::sleeping();
    bundle.arguments(&[]);
    bundle.refused_before_it_runs();
    let mut bundle = Bundle::sleeping();
    bundle.arguments(&[""]);
    bundle.refused_before_it_runs();
}

/// Process: the first entry is execvp's file: the container's PATH is
/// searched, in order.
fn a_file_without_a_slash_is_looked_for_in_the_containers_path() {
    let mut bundle = Bundle::sleeping();
    for (directory, word) in [("one", "first"), ("two", "second")] {
        let path = bundle.rootfs(directory).join("only-here");
        fs::create_dir(path.parent().expect("a parent")).expect("a directory");
        fs::write(&path, format!("#!/bin/sh\necho {word}\n")).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    bundle.set("/process/env", json!(["PATH=/absent:/one:/two"]));
    bundle.arguments(&["only-here"]);
    assert_eq!(bundle.output(), "first");
    // What cannot be executed is not found.
    let path = bundle.rootfs("one/only-here");
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("a mode");
    assert_eq!(bundle.output(), "second");
}

/// Process: a file with a slash in it is not searched for.
fn a_file_with_a_slash_is_relative_to_the_working_directory() {
    let mut bundle = Bundle::sleeping();
    symlink("../bin/echo", bundle.rootfs("etc/echo")).expect("a link");
    bundle.set("/process/cwd", json!("/etc"));
    bundle.arguments(&["./echo", "here"]);
    assert_eq!(bundle.output(), "here");
}

/// Lifecycle 2 and 8: what cannot be run is an error, at `start` at the
/// latest.
fn a_missing_program_is_an_error() {
    for program in ["/bin/absent", "absent"] {
        let mut bundle = Bundle::sleeping();
        bundle.arguments(&[program]);
        let message = bundle.refused_before_it_runs();
        assert!(message.contains("absent"), "{message}");
    }
}

/// The same for what is there and is no program.
fn a_program_that_cannot_be_executed_is_an_error() {
    let mut bundle = Bundle::sleeping();
    fs::write(bundle.rootfs("plain"), "text").expect("a file");
    for program in ["/plain", "/etc"] {
        bundle.arguments(&[program]);
        let message = bundle.refused_before_it_runs();
        assert!(message.contains(program), "{message}");
        let delete = ["delete", "--force", &bundle.id];
        bundle.runtime.call(&delete).succeeds();
    }
}

/// runtime-linux.md, File descriptors: standard input, output and error are
/// passed to the program.
fn streams_are_those_of_the_runtime() {
    let mut bundle = Bundle::new("cat; echo to the output; echo to the error >&2");
    fs::write(bundle.path("input"), "from the input\n").expect("a file");
    bundle.write();
    let path = bundle.text("bundle");
    let output = bundle
        .runtime
        .command(&["run", "--bundle", &path, &bundle.id])
        .stdin(File::open(bundle.path("input")).expect("the file"))
        .output()
        .expect("runs");
    assert_eq!(output.stdout, b"from the input\nto the output\n");
    assert_eq!(output.stderr, b"to the error\n");
    bundle.set("/process/terminal", json!(false));
}

/// runtime-linux.md, File descriptors: only these three are open by default,
/// whatever the runtime was started with.
fn only_the_standard_streams_are_open() {
    let mut bundle = Bundle::sleeping();
    bundle.arguments(&["ls", "/proc/self/fd"]).write();
    let script = format!(
        "exec 7</etc 9>/dev/null; exec {} --root {} run --bundle {} {}",
        crate::runtime::program().display(),
        bundle.text("state"),
        bundle.text("bundle"),
        bundle.id
    );
    let output = std::process::Command::new("/bin/busybox")
        .args(["sh", "-c", &script])
        .output()
        .expect("runs");
    // The fourth is the directory being listed.
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0\n1\n2\n3\n");
}

/// Process: `consoleSize` MUST be ignored when `terminal` is false.
fn console_size_is_ignored_without_a_terminal() {
    let mut bundle = Bundle::new("test -t 1 || echo none");
    bundle.set("/process/consoleSize", json!({"height": 10, "width": 20}));
    assert_eq!(bundle.output(), "none");
}

/// runc's command line: `run` ends as the program does, with 128 and the
/// number of the signal that ended it.
fn the_exit_status_is_that_of_run() {
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("exit 255", 255)] {
        assert_eq!(Bundle::new(script).run().code, code);
    }
    let mut bundle = Bundle::new("kill -9 $$");
    bundle.without_namespace("pid");
    assert_eq!(bundle.run().code, 137);
}
