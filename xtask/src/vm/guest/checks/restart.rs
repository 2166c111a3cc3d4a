//! The engine goes and comes back; containers stay.

use super::super::engine::Engine;
use super::super::leaks::Held;
use anyhow::{Result, ensure};

fn survive(engine: &mut Engine, end: fn(&mut Engine) -> Result<()>) -> Result<()> {
    let before = Held::count(engine)?;
    let script = "trap 'exit 6' TERM; n=0; while true; do n=$((n + 1)); echo $n; sleep 0.1; done";
    engine.start_container("lasting", &["-p", "8080:80"], script)?;
    // One that goes while nobody looks.
    engine.start_container("ending", &[], "sleep 1; exit 4")?;
    let pid = engine.container_pid("lasting")?;
    let group = engine.cgroup("lasting")?;
    end(engine)?;
    std::thread::sleep(std::time::Duration::from_secs(2));
    ensure!(group.join("cgroup.procs").exists(), "its group has gone");
    engine.start()?;
    let now = engine.container_pid("lasting")?;
    ensure!(now == pid, "process {pid} is now {now}");
    engine
        .tare(&["exec", "lasting", "cat", "/proc/self/cgroup"])?
        .prints("0::/\n")?;
    let written = || -> Result<usize> {
        let output = engine.tare(&["logs", "lasting"])?.expect(0)?;
        let lines: Vec<&str> = output.stdout.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let expected = (index + 1).to_string();
            ensure!(*line == expected, "line {expected} of the log is {line}");
        }
        Ok(lines.len())
    };
    let first = written()?;
    std::thread::sleep(std::time::Duration::from_millis(500));
    ensure!(written()? > first, "it writes no more");
    engine.tare(&["wait", "ending"])?.prints("4\n")?;
    engine
        .run(&["-p", "8080:80"], "true")?
        .complains(125, "8080")?;
    engine.tare(&["stop", "-t", "30", "lasting"])?.expect(0)?;
    engine.tare(&["wait", "lasting"])?.prints("6\n")?;
    engine.remove("lasting")?;
    engine.remove("ending")?;
    before.expect_same(engine)
}

pub(super) fn killed(engine: &mut Engine) -> Result<()> {
    survive(engine, Engine::kill)
}

pub(super) fn stopped(engine: &mut Engine) -> Result<()> {
    survive(engine, Engine::stop)
}
