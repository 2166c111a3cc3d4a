//! Runs and execs, engines and floor taking turns.

use super::Plan;
use super::engine::Engine;
use super::floor::Floor;
use super::report::{Report, Target, Unit};
use crate::process::step;
use anyhow::Result;
use std::path::Path;

/// `run --rm busybox true` in three kinds of network.
pub(super) fn measure_runs(
    plan: &Plan,
    directory: &Path,
    engines: &[Engine],
    report: &mut Report,
) -> Result<()> {
    let floor = Floor::prepare(directory)?;
    let items: [(&str, &[&str], f64); 3] = [
        ("run, no network", &["--network", "none"], 12.0),
        ("run, bridge", &[], 20.0),
        ("run, published port", &["-p", "8080:80"], 22.0),
    ];
    for (name, flags, target) in items {
        step(name);
        let mut arguments = vec!["run", "--rm"];
        arguments.extend(flags);
        arguments.extend(["busybox", "true"]);
        let item = report.item(name, Unit::Milliseconds, Target::AtMost(target));
        // The first of each is not counted.
        for round in 0..=plan.rounds {
            for engine in engines {
                let took = engine.time(&arguments)?;
                if round > 0 {
                    item.add(engine.kind.name(), took.as_secs_f64() * 1e3);
                }
            }
            let took = floor.time()?;
            if round > 0 {
                item.add("floor", took.as_secs_f64() * 1e3);
            }
        }
    }
    Ok(())
}

/// `exec` of `true` in a container that runs.
pub(super) fn measure_exec(plan: &Plan, engines: &[Engine], report: &mut Report) -> Result<()> {
    step("exec");
    for engine in engines {
        engine.time(&[
            "run", "-d", "--name", "executed", "busybox", "sleep", "100000",
        ])?;
    }
    let item = report.item("exec", Unit::Milliseconds, Target::AtMost(8.0));
    for round in 0..=plan.rounds {
        for engine in engines {
            let took = engine.time(&["exec", "executed", "true"])?;
            if round > 0 {
                item.add(engine.kind.name(), took.as_secs_f64() * 1e3);
            }
        }
    }
    for engine in engines {
        engine.time(&["rm", "-f", "executed"])?;
    }
    Ok(())
}
