//! Memory as proportional set size: of an engine without containers, and of
//! what each running container adds to it besides its own program.

use super::Plan;
use super::engine::{Engine, Kind};
use super::report::{Report, Target, Unit};
use crate::process::step;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Containers per round.
const CONTAINERS: usize = 20;

/// Three rounds at most: each is an engine started afresh.
pub(super) fn measure(plan: &Plan, directory: &Path, report: &mut Report) -> Result<()> {
    step("memory");
    let mut idle = Vec::new();
    let mut each = Vec::new();
    for round in 0..plan.rounds.min(3) {
        for &kind in &plan.kinds {
            let directory = directory.join(format!("{}-memory-{round}", kind.name()));
            let engine = Engine::start(kind, &directory)?;
            engine.load("busybox")?;
            // Once through everything: what is allocated on first use counts.
            engine.time(&["run", "--rm", "busybox", "true"])?;
            std::thread::sleep(Duration::from_secs(1));
            let before = used(kind)?;
            for number in 0..CONTAINERS {
                let name = format!("m{number}");
                engine.time(&["run", "-d", "--name", &name, "busybox", "sleep", "100000"])?;
            }
            std::thread::sleep(Duration::from_secs(1));
            let after = used(kind)?;
            let names: Vec<String> = (0..CONTAINERS).map(|number| format!("m{number}")).collect();
            let mut arguments = vec!["rm", "-f"];
            arguments.extend(names.iter().map(String::as_str));
            engine.time(&arguments)?;
            engine.stop()?;
            idle.push((kind, before));
            each.push((kind, (after - before) / CONTAINERS as f64));
        }
    }
    let item = report.item("engine, idle", Unit::Megabytes, Target::AtMost(20.0));
    for (kind, value) in idle {
        item.add(kind.name(), value);
    }
    let item = report.item(
        "each running container",
        Unit::Megabytes,
        Target::AtMost(0.8),
    );
    for (kind, value) in each {
        item.add(kind.name(), value);
    }
    Ok(())
}

/// The sum over the engine's own processes, in megabytes (2^20 bytes).
fn used(kind: Kind) -> Result<f64> {
    let mut kilobytes = 0_u64;
    for entry in fs::read_dir("/proc").context("cannot read /proc")? {
        let path = entry?.path();
        let Ok(program) = fs::read_link(path.join("exe")) else {
            continue;
        };
        // A shim's executable is on a mount without a place, and so without a
        // path; it goes by the name it gave itself.
        let name = match program.file_name() {
            Some(name) => name.to_string_lossy().into_owned(),
            None => fs::read_to_string(path.join("comm"))
                .unwrap_or_default()
                .trim()
                .to_owned(),
        };
        // A process may end between two looks.
        if kind.programs().contains(&name.as_str())
            && let Ok(text) = fs::read_to_string(path.join("smaps_rollup"))
        {
            kilobytes += text
                .lines()
                .find_map(|line| line.strip_prefix("Pss:"))
                .and_then(|rest| {
                    rest.trim()
                        .trim_end_matches(" kB")
                        .trim()
                        .parse::<u64>()
                        .ok()
                })
                .unwrap_or(0);
        }
    }
    Ok(kilobytes as f64 / 1024.0)
}
