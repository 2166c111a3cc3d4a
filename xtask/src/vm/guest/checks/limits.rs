//! Limits and control groups of version 2, as the container sees them.

use super::super::engine::{Engine, eventually};
use anyhow::{Context, Result, ensure};
use std::fs;

/// Prints files of the container's own group, a line each.
const READ: &str = "cd /sys/fs/cgroup && for file in memory.max memory.swap.max memory.low \
    cpu.max cpu.weight cpuset.cpus pids.max; do echo $file $(cat $file); done";

pub(super) fn seen_inside(engine: &Engine) -> Result<()> {
    let flags = [
        "--memory=32m",
        "--memory-reservation=16m",
        "--cpus=0.5",
        "--cpu-shares=512",
        "--cpuset-cpus=0",
        "--pids-limit=20",
    ];
    engine.run(&flags, READ)?.prints(
        "memory.max 33554432\n\
         memory.swap.max 33554432\n\
         memory.low 16777216\n\
         cpu.max 50000 100000\n\
         cpu.weight 59\n\
         cpuset.cpus 0\n\
         pids.max 20\n",
    )?;
    // Memory and swap together, less the memory.
    let flags = ["--memory=32m", "--memory-swap=48m"];
    let read = "cat /sys/fs/cgroup/memory.swap.max";
    engine.run(&flags, read)?.prints("16777216\n")?;
    let flags = ["--memory=32m", "--memory-swap=-1"];
    engine.run(&flags, read)?.prints("max\n")
}

pub(super) fn unset(engine: &Engine) -> Result<()> {
    engine.run(&[], READ)?.prints(
        "memory.max max\n\
         memory.swap.max max\n\
         memory.low 0\n\
         cpu.max max 100000\n\
         cpu.weight 100\n\
         cpuset.cpus\n\
         pids.max max\n",
    )
}

pub(super) fn out_of_memory(engine: &Engine) -> Result<()> {
    let flags = ["run", "--name", "oom", "--memory=16m", "--memory-swap=16m"];
    let command = ["busybox", "tail", "/dev/zero"];
    engine.tare(&[&flags[..], &command].concat())?.expect(137)?;
    let state = engine.inspect("oom")?["State"].clone();
    ensure!(
        state["OOMKilled"] == true && state["ExitCode"] == 137,
        "{state}"
    );
    engine.remove("oom")?;
    // Killed, but not for its memory.
    engine.start_container("killed", &["--memory=16m"], "sleep 100")?;
    engine.tare(&["kill", "killed"])?.expect(0)?;
    engine.tare(&["wait", "killed"])?.prints("137\n")?;
    let state = engine.inspect("killed")?["State"].clone();
    ensure!(
        state["OOMKilled"] == false && state["ExitCode"] == 137,
        "{state}"
    );
    engine.remove("killed")
}

pub(super) fn fork_bomb(engine: &Engine) -> Result<()> {
    engine.start_container(
        "bomb",
        &["--pids-limit=20"],
        "b() { b | b & }; b; sleep 1000",
    )?;
    let group = engine.cgroup("bomb")?;
    let read = |name: &str| -> Result<String> {
        let path = group.join(name);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(text.trim_end().to_owned())
    };
    eventually("the limit is reached", || {
        let events = read("pids.events")?;
        ensure!(events != "max 0", "{events}");
        Ok(())
    })?;
    for _ in 0..20 {
        let current: u32 = read("pids.current")?.parse()?;
        ensure!(current <= 20, "{current} processes");
    }
    engine.run(&[], "true")?.expect(0)?;
    engine.remove("bomb")?;
    eventually("its group goes", || {
        ensure!(!group.exists(), "{} is there", group.display());
        Ok(())
    })
}

pub(super) fn cgroup_namespace(engine: &Engine) -> Result<()> {
    let read = "cat /proc/self/cgroup";
    engine.run(&[], read)?.prints("0::/\n")?;
    // The group at the mount is the container's: it holds its processes only.
    engine
        .run(&[], "cat /sys/fs/cgroup/cgroup.procs | head -n 1")?
        .prints("1\n")?;
    let output = engine
        .run(&["--cgroupns=host", "--hostname=x"], read)?
        .expect(0)?;
    ensure!(output.stdout.len() > "0::/\n".len() + 64, "{output}");
    Ok(())
}

pub(super) fn cgroup_read_only(engine: &Engine) -> Result<()> {
    for script in [
        "mkdir /sys/fs/cgroup/mine",
        "echo max > /sys/fs/cgroup/pids.max",
        "echo 1 > /sys/fs/cgroup/cgroup.procs",
    ] {
        let output = engine.run(&["--pids-limit=20"], script)?.expect(1)?;
        ensure!(output.stderr.contains("Read-only file system"), "{output}");
    }
    let script = "mkdir /sys/fs/cgroup/mine && rmdir /sys/fs/cgroup/mine";
    engine.run(&["--privileged"], script)?.expect(0)?;
    Ok(())
}

/// Version 2 forbids a group with processes to have groups with controllers:
/// the engine's parent group must hold none.
pub(super) fn delegation(engine: &Engine) -> Result<()> {
    engine.start_container("one", &[], "sleep 100")?;
    engine.start_container("two", &["--memory=32m"], "sleep 100")?;
    let (one, two) = (engine.cgroup("one")?, engine.cgroup("two")?);
    ensure!(one != two, "both in {}", one.display());
    let parent = one.parent().context("no parent")?;
    let processes = fs::read_to_string(parent.join("cgroup.procs"))?;
    ensure!(processes.is_empty(), "in {}: {processes}", parent.display());
    let held = fs::read_to_string(one.join("cgroup.procs"))?;
    ensure!(held.lines().count() == 1, "the container's: {held}");
    engine.remove("one")?;
    engine.remove("two")
}
