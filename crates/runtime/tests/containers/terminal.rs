//! Programs with a terminal.

use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;

use tare_oci::runtime::ConsoleSize;
use tare_runtime::{Container, ExecRequest, Identity, Stdio};

use crate::harness::Test;
use crate::sandbox::{Sandbox, wait};

pub(crate) const TESTS: &[Test] = &[
    (
        "terminal::a_program_has_a_controlling_terminal",
        controlling,
    ),
    ("terminal::sizes_and_input_arrive", sizes),
    ("terminal::exec_has_a_terminal_of_its_own", exec),
];

fn create(sandbox: &Sandbox, script: &str) -> (Container, OwnedFd) {
    let mut spec = sandbox.spec(&["sh", "-c", script]);
    let process = spec.process.as_mut().expect("a process");
    process.terminal = true;
    process.console_size = Some(ConsoleSize {
        height: 33,
        width: 77,
    });
    let mut container = Container::builder(&sandbox.id, &spec)
        .rootfs(sandbox.rootfs())
        .stdio(Stdio::Terminal)
        .create()
        .expect("creates");
    container.start().expect("starts");
    let console = container.console.take().expect("a terminal");
    (container, console)
}

/// Everything until the other end is closed, which a terminal tells by EIO.
fn read(console: OwnedFd) -> String {
    let mut text = Vec::new();
    let _ = fs::File::from(console).read_to_end(&mut text);
    String::from_utf8_lossy(&text).replace('\r', "")
}

fn controlling() {
    let sandbox = Sandbox::new();
    let (container, console) = create(
        &sandbox,
        "tty; test -t 0 && test -t 1 && test -t 2 && echo all; echo hi > /dev/tty; echo there > /dev/console
        stat -c %a /dev/pts/0; stat -c %t:%T /dev/console",
    );
    let text = read(console);
    assert_eq!(wait(&container.pidfd), 0);
    container.destroy();
    assert_eq!(text, "/dev/pts/0\nall\nhi\nthere\n620\n88:0\n");
}

fn sizes() {
    let sandbox = Sandbox::new();
    let (container, console) = create(&sandbox, "stty size; read line; stty size; echo got $line");
    std::thread::sleep(std::time::Duration::from_millis(200));
    tare_runtime::resize(
        &console,
        ConsoleSize {
            height: 11,
            width: 22,
        },
    )
    .expect("resizes");
    rustix::io::write(&console, b"words\n").expect("writes");
    let text = read(console);
    assert_eq!(wait(&container.pidfd), 0);
    container.destroy();
    assert_eq!(text, "33 77\nwords\n11 22\ngot words\n");
}

fn exec() {
    let sandbox = Sandbox::new();
    let (container, console) = create(&sandbox, "sleep 100");
    let mut process = sandbox
        .spec(&["sh", "-c", "tty; stty size; exit 4"])
        .process
        .expect("a process");
    process.terminal = true;
    process.console_size = Some(ConsoleSize {
        height: 5,
        width: 6,
    });
    let executed = container
        .exec(ExecRequest {
            process: &process,
            stdio: Stdio::Terminal,
            identity: Identity::Configured,
            preserve: 0,
            ignore_paused: false,
            cgroups: Vec::new(),
        })
        .expect("runs");
    let text = read(executed.console.expect("a terminal"));
    assert_eq!(wait(&executed.pidfd), 4);
    assert_eq!(text, "/dev/pts/1\n5 6\n");
    container.signal(9).expect("kills");
    wait(&container.pidfd);
    container.destroy();
    drop(console);
}
