//! Programs in containers: joined to them, on a terminal, reading, logging.

use super::super::engine::{Engine, eventually};
use super::super::program::Program;
use anyhow::{Context, Result, ensure};
use std::fs;

pub(super) fn exec(engine: &Engine) -> Result<()> {
    engine.start_container("joined", &["-e", "A=1", "--pids-limit=20"], "sleep 100")?;
    let exec = |arguments: &[&str]| engine.tare(&[&["exec"], arguments].concat());
    exec(&["joined", "cat", "/proc/self/cgroup"])?.prints("0::/\n")?;
    exec(&["joined", "sh", "-c", "echo $A; exit 3"])?.expect(3)?;
    exec(&[
        "-u",
        "1234",
        "-w",
        "/tmp",
        "joined",
        "sh",
        "-c",
        "id -u; pwd",
    ])?
    .prints("1234\n/tmp\n")?;
    // The engine has accepted it: the reason is part of the output.
    for (program, code) in [("no-such-program", 127), ("/etc", 126)] {
        let output = exec(&["joined", program])?.expect(code)?;
        ensure!(output.stdout.contains(program), "{output}");
    }
    // It is in the container's group and namespaces, seen from the host.
    exec(&["-d", "joined", "sleep", "77"])?.expect(0)?;
    let group = engine.cgroup("joined")?;
    let first = engine.container_pid("joined")?;
    let pid = eventually("the program is in the container's group", || {
        let processes = fs::read_to_string(group.join("cgroup.procs"))?;
        processes
            .lines()
            .find(|pid| {
                let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                line == b"sleep\x0077\0"
            })
            .map(str::to_owned)
            .with_context(|| format!("among {processes}"))
    })?;
    for kind in ["cgroup", "ipc", "mnt", "net", "pid", "uts"] {
        let link = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/{kind}"));
        let (joined, own) = (link(&pid)?, link(&first.to_string())?);
        ensure!(joined == own, "{kind}: {joined:?} instead of {own:?}");
        ensure!(joined != link("self")?, "{kind} is the host's");
    }
    engine.remove("joined")
}

pub(super) fn terminal(engine: &Engine) -> Result<()> {
    let run = ["run", "--rm", "-t", "busybox", "sh", "-c"];
    let script =
        "tty; test -t 0 && test -t 1 && test -t 2 && echo all; ls -l /dev/console | cut -c 1";
    engine
        .tare(&[&run[..], &[script]].concat())?
        .prints("/dev/pts/0\r\nall\r\nc\r\n")?;
    engine.start_container("terminal", &["-t"], "sleep 100")?;
    engine
        .tare(&["exec", "-t", "terminal", "sh", "-c", "tty; echo two lines"])?
        .prints("/dev/pts/1\r\ntwo lines\r\n")?;
    engine.remove("terminal")
}

pub(super) fn input(_: &Engine) -> Result<()> {
    let text = "line\n".repeat(20_000);
    Program::new("tare", &["run", "--rm", "-i", "busybox", "cat"])
        .input(&text)
        .run()?
        .prints(&text)
}

pub(super) fn logs(engine: &Engine) -> Result<()> {
    engine.start_container(
        "writer",
        &[],
        "echo one; echo two >&2; sleep 0.5; seq 3 1000; exit 5",
    )?;
    engine.tare(&["wait", "writer"])?.prints("5\n")?;
    let output = engine.tare(&["logs", "writer"])?.expect(0)?;
    ensure!(output.stdout.lines().count() == 999, "{output}");
    ensure!(
        output.stdout.starts_with("one\n3\n") && output.stderr == "two\n",
        "{output}"
    );
    engine
        .tare(&["logs", "--tail=2", "writer"])?
        .prints("999\n1000\n")?;
    engine.remove("writer")
}

/// The user's name is looked up in the image; the host knows it not.
pub(super) fn image_user(engine: &Engine) -> Result<()> {
    let run = |arguments: &[&str]| engine.tare(&[&["run", "--rm"], arguments].concat());
    run(&["user-by-name"])?
        .prints("uid=1000(app) gid=1001(app) groups=1001(app),1002(extra)\n/srv\n/home/app\n")?;
    run(&["user-by-name", "touch /etc/x"])?.complains(1, "Permission denied")?;
    run(&["-u", "nobody", "user-by-name", "id"])?.complains(125, "nobody")
}
