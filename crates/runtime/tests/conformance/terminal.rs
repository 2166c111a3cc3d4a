//! config.md, "Process": `terminal` and `consoleSize`; runc's console socket.

use std::fs::File;
use std::io::{Read, Write};

use serde_json::json;

use crate::bundle::Bundle;
use crate::{socket, subtree};

tests!(terminal:
    the_program_has_the_terminal_that_the_socket_gets,
    its_size_is_the_one_configured,
    input_reaches_the_program,
    the_console_is_the_terminal,
    without_a_socket_create_is_an_error,
    a_socket_without_a_terminal_is_an_error,
    a_socket_that_nobody_listens_on_is_an_error,
    exec_has_a_terminal_of_its_own,
);

/// Creates and starts a container with a terminal, and the other end of it.
#[track_caller]
fn start(bundle: &mut Bundle) -> File {
    let path = bundle.path("console");
    let listener = socket::listen(&path);
    bundle.set("/process/terminal", json!(true));
    let path = bundle.text("console");
    bundle.create_with(&["--console-socket", &path]).succeeds();
    let (_, mut descriptors) = socket::receive(&socket::accept(&listener));
    assert_eq!(descriptors.len(), 1);
    bundle.call("start").succeeds();
    File::from(descriptors.remove(0))
}

/// Everything until the other end is closed, which a terminal tells by EIO.
fn read(mut console: File) -> String {
    let mut text = Vec::new();
    let _ = console.read_to_end(&mut text);
    String::from_utf8_lossy(&text).replace('\r', "")
}

/// Process: the standard streams are a terminal, whose other end is sent to
/// the console socket; it controls the program's session.
fn the_program_has_the_terminal_that_the_socket_gets() {
    let mut bundle = Bundle::new(
        "test -t 0 && test -t 1 && test -t 2 && echo all; tty; echo controlling > /dev/tty",
    );
    let console = start(&mut bundle);
    assert_eq!(read(console), "all\n/dev/pts/0\ncontrolling\n");
}

/// Process: `consoleSize` is the terminal's size.
fn its_size_is_the_one_configured() {
    let mut bundle = Bundle::new("stty size");
    bundle.set("/process/consoleSize", json!({"height": 33, "width": 77}));
    let console = start(&mut bundle);
    assert_eq!(read(console), "33 77\n");
}

/// Process: what is written to the terminal is the program's input.
fn input_reaches_the_program() {
    let mut bundle = Bundle::new("stty -echo; echo ready; read line; echo got $line");
    let mut console = start(&mut bundle);
    let mut ready = [0; 7];
    console.read_exact(&mut ready).expect("it says so");
    console.write_all(b"words\n").expect("writes");
    assert_eq!(read(console), "got words\n");
}

/// config-linux.md, Default Devices: `/dev/console` is the terminal.
fn the_console_is_the_terminal() {
    let mut bundle =
        Bundle::new("echo by the console > /dev/console; stat -c %t:%T /dev/console /dev/pts/0");
    let console = start(&mut bundle);
    assert_eq!(read(console), "by the console\n88:0\n88:0\n");
}

/// runc's command line: a terminal needs somebody who gets it.
fn without_a_socket_create_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/process/terminal", json!(true));
    bundle.refused();
}

/// runc's command line: nobody would be sent anything.
fn a_socket_without_a_terminal_is_an_error() {
    let mut bundle = Bundle::sleeping();
    let _listener = socket::listen(&bundle.path("console"));
    let path = bundle.text("console");
    bundle.create_with(&["--console-socket", &path]).fails();
    bundle.assert_gone();
}

/// Errors: nothing is left when the terminal cannot be sent.
fn a_socket_that_nobody_listens_on_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/process/terminal", json!(true));
    let path = bundle.text("absent");
    bundle.create_with(&["--console-socket", &path]).fails();
    bundle.assert_gone();
}

/// The same for `exec --tty`.
fn exec_has_a_terminal_of_its_own() {
    let mut bundle = Bundle::sleeping();
    bundle.started();
    let listener = socket::listen(&bundle.path("console"));
    let path = bundle.text("console");
    let file = bundle.text("pid");
    let id = bundle.id.clone();
    let exec = [
        "exec",
        "--tty",
        "--detach",
        "--pid-file",
        &file,
        "--console-socket",
        &path,
        &id,
        "sh",
        "-c",
        "tty; echo seen > /dev/tty; sleep 0.1",
    ];
    bundle.runtime.call(&exec).succeeds();
    let (_, mut descriptors) = socket::receive(&socket::accept(&listener));
    let console = File::from(descriptors.remove(0));
    assert_eq!(read(console), "/dev/pts/0\nseen\n");
    // The container's first process cannot end before its dead are buried.
    let pid = std::fs::read_to_string(file).expect("it was written");
    subtree::bury(pid.parse().expect("a number"));
}
