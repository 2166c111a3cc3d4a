//! A host as it comes, and the first thing that is ever run on it.

use super::super::busybox;
use super::super::engine::{Engine, eventually, ping};
use super::super::program::Program;
use anyhow::{Context, Result, bail, ensure};
use std::fs;

/// The machine is what the other checks are worth something on.
pub(super) fn stock_host() -> Result<()> {
    let read = |path: &str| fs::read_to_string(path).with_context(|| path.to_owned());
    let mounts = read("/proc/mounts")?;
    ensure!(mounts.contains(" cgroup2 "), "no cgroup2: {mounts}");
    ensure!(!mounts.contains(" cgroup "), "cgroup v1: {mounts}");
    let enabled = read("/sys/module/apparmor/parameters/enabled")?;
    ensure!(enabled == "Y\n", "AppArmor is off: {enabled}");
    let modules = read("/proc/modules")?;
    for module in ["overlay", "veth", "bridge", "nf_tables"] {
        let loaded = modules.lines().any(|line| line.starts_with(module));
        ensure!(!loaded, "{module} was loaded beforehand");
    }
    Ok(())
}

/// Its first process is systemd, which answers on the bus.
pub(super) fn systemd() -> Result<()> {
    let name = fs::read_to_string("/proc/1/comm").context("/proc/1/comm")?;
    ensure!(name == "systemd\n", "the first process is {name}");
    let property = [
        "get-property",
        "org.freedesktop.systemd1",
        "/org/freedesktop/systemd1",
        "org.freedesktop.systemd1.Manager",
        "Virtualization",
    ];
    let answer = Program::new("busctl", &property).run()?.expect(0)?;
    ensure!(answer.stdout == "s \"qemu\"\n", "{answer}");
    let failed = ["list-units", "--failed", "--plain", "--no-legend"];
    Program::new("systemctl", &failed).run()?.prints("")
}

/// The newcomer's command: the client starts the engine, which brings its image
/// and has the kernel load what it needs.
pub(super) fn first_run() -> Result<()> {
    let run = || Program::new("tare", &["run", "--rm", "hello"]).run();
    let mut output = run()?;
    if output.stderr.contains("did not answer within") {
        // Ten seconds are few for an emulated processor that others slow down.
        eventually("the engine answers", ping)?;
        output = run()?;
    }
    let output = output.expect(0)?;
    ensure!(output.stdout.lines().count() > 5, "{output}");
    ensure!(output.stderr.is_empty(), "{output}");
    let pid = fs::read_to_string("/run/tare/tare.pid").context("no pidfile")?;
    busybox(&["kill", "-TERM", pid.trim()])?;
    eventually("the engine ends", || match ping() {
        Ok(()) => bail!("it still answers"),
        Err(_) => Ok(()),
    })?;
    eventually("its process ends", || {
        let path = format!("/proc/{}/exe", pid.trim());
        ensure!(fs::read_link(path).is_err(), "it is still there");
        Ok(())
    })
}

/// AppArmor is on, with no profile of ours: containers run without one, and
/// say so; a profile that is not loaded is an error.
pub(super) fn apparmor(engine: &Engine) -> Result<()> {
    let read = "cat /proc/self/attr/apparmor/current";
    engine.run(&[], read)?.prints("unconfined\n")?;
    let unconfined = ["--security-opt", "apparmor=unconfined"];
    engine.run(&unconfined, read)?.prints("unconfined\n")?;
    let missing = ["--security-opt", "apparmor=no-such-profile"];
    engine
        .run(&missing, "true")?
        .complains(127, "no-such-profile")
}
