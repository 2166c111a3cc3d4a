//! Devices, which on cgroup v2 a BPF program allows or denies.

use super::super::engine::Engine;
use anyhow::{Result, ensure};

/// The machine's memory may be named, not opened, whoever tries.
pub(super) fn denied(engine: &Engine) -> Result<()> {
    let script = "mknod /tmp/memory c 1 1 && head -c 1 /tmp/memory";
    engine
        .run(&[], script)?
        .complains(1, "Operation not permitted")?;
    let script = "mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk";
    engine
        .run(&[], script)?
        .complains(1, "Operation not permitted")?;
    let script = "mknod /tmp/disk b 254 0 && echo > /tmp/disk";
    let output = engine.run(&[], script)?;
    ensure!(output.code != 0, "{output}");
    // Every capability is not every device.
    let script = "mknod /tmp/memory c 1 1 && head -c 1 /tmp/memory";
    engine
        .run(&["--cap-add=ALL"], script)?
        .complains(1, "Operation not permitted")?;
    // What joins the container is bound as well.
    engine.start_container("bound", &[], "sleep 100")?;
    let exec = ["exec", "bound", "sh", "-c", script];
    engine
        .tare(&exec)?
        .complains(1, "Operation not permitted")?;
    let exec = ["exec", "--privileged", "bound", "sh", "-c", script];
    let output = engine.tare(&exec)?;
    ensure!(output.code != 0, "{output}");
    engine.remove("bound")
}

pub(super) fn allowed(engine: &Engine) -> Result<()> {
    let script = "echo x > /dev/null && head -c 2 /dev/zero | wc -c && \
        head -c 3 /dev/urandom | wc -c && mknod /tmp/null c 1 3 && echo y > /tmp/null && \
        test -c /dev/ptmx && test -c /dev/full && echo done";
    engine.run(&[], script)?.prints("2\n3\ndone\n")
}

pub(super) fn given(engine: &Engine) -> Result<()> {
    let read = "head -c 1 /dev/vda | wc -c";
    engine.run(&["--device=/dev/vda"], read)?.prints("1\n")?;
    // To read only.
    let script = "head -c 1 /dev/disk | wc -c && echo > /dev/disk";
    let output = engine.run(&["--device=/dev/vda:/dev/disk:r"], script)?;
    ensure!(output.code != 0 && output.stdout == "1\n", "{output}");
    ensure!(output.stderr.contains("not permitted"), "{output}");
    engine.run(&["--privileged"], read)?.prints("1\n")
}
