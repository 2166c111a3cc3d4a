//! How containers end.

use super::super::engine::Engine;
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

/// The exit codes that scripts rely on.
pub(super) fn codes(engine: &Engine) -> Result<()> {
    let table: &[(&[&str], i32, &str)] = &[
        (&["busybox", "true"], 0, ""),
        (&["busybox", "sh", "-c", "exit 42"], 42, ""),
        (&["--init", "busybox", "sh", "-c", "exit 42"], 42, ""),
        (&["--pull=never", "no-such-image"], 125, "no-such-image"),
        (&["--memory=1k", "busybox", "true"], 125, "memory"),
        (&["--no-such-flag", "busybox"], 125, "no-such-flag"),
        (&["busybox", "/etc"], 126, "/etc"),
        (&["busybox", "/etc/passwd"], 126, "permission denied"),
        (&["busybox", "no-such-program"], 127, "no-such-program"),
        (&["busybox", "/no/such/program"], 127, "/no/such/program"),
        // A signal of its own, which a first process is not spared when it has
        // an init above it.
        (&["--init", "busybox", "sh", "-c", "kill -9 $$"], 137, ""),
        (&["--init", "busybox", "sh", "-c", "kill -15 $$"], 143, ""),
    ];
    for (arguments, code, words) in table {
        let arguments = [&["run", "--rm"], *arguments].concat();
        engine.tare(&arguments)?.complains(*code, words)?;
    }
    Ok(())
}

pub(super) fn stop(engine: &Engine) -> Result<()> {
    // A program that listens to the signal ends at once, with its own code.
    let script = "trap 'exit 7' TERM; echo ready; while true; do sleep 0.1; done";
    engine.start_container("polite", &[], script)?;
    wait_for(engine, "polite", "ready\n")?;
    let started = Instant::now();
    engine.tare(&["stop", "-t", "30", "polite"])?.expect(0)?;
    ensure!(
        started.elapsed() < Duration::from_secs(15),
        "it was waited for"
    );
    engine.tare(&["wait", "polite"])?.prints("7\n")?;
    engine.remove("polite")?;
    // One that does not is killed when its time is over.
    engine.start_container("deaf", &[], "trap '' TERM; echo ready; sleep 100")?;
    wait_for(engine, "deaf", "ready\n")?;
    let started = Instant::now();
    engine.tare(&["stop", "-t", "1", "deaf"])?.expect(0)?;
    ensure!(
        started.elapsed() >= Duration::from_secs(1),
        "not waited for"
    );
    engine.tare(&["wait", "deaf"])?.prints("137\n")?;
    engine.remove("deaf")?;
    let script = "trap 'exit 8' USR1; echo ready; while true; do sleep 0.1; done";
    engine.start_container("other", &["--stop-signal=USR1"], script)?;
    wait_for(engine, "other", "ready\n")?;
    engine.tare(&["stop", "-t", "30", "other"])?.expect(0)?;
    engine.tare(&["wait", "other"])?.prints("8\n")?;
    engine.remove("other")
}

pub(super) fn signals(engine: &Engine) -> Result<()> {
    let script =
        "trap 'echo hup' HUP; trap 'exit 9' INT; echo ready; while true; do sleep 0.1; done";
    engine.start_container("signalled", &[], script)?;
    wait_for(engine, "signalled", "ready\n")?;
    engine
        .tare(&["kill", "-s", "HUP", "signalled"])?
        .expect(0)?;
    wait_for(engine, "signalled", "ready\nhup\n")?;
    engine
        .tare(&["kill", "--signal=2", "signalled"])?
        .expect(0)?;
    engine.tare(&["wait", "signalled"])?.prints("9\n")?;
    engine
        .tare(&["kill", "signalled"])?
        .complains(1, "is not running")?;
    engine.remove("signalled")
}

fn wait_for(engine: &Engine, name: &str, text: &str) -> Result<()> {
    super::super::engine::eventually("its output", || engine.tare(&["logs", name])?.prints(text))
}
