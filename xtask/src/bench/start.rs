//! From an engine's execution to its first answered `/_ping`.

use super::Plan;
use super::engine::Engine;
use super::report::{Report, Target, Unit};
use crate::process::step;
use anyhow::Result;
use std::path::Path;

/// Starts each engine again and again on the data root of its first start.
pub(super) fn measure(plan: &Plan, directory: &Path, report: &mut Report) -> Result<()> {
    step("engine start");
    let item = report.item(
        "engine start to first answer",
        Unit::Milliseconds,
        Target::AtMost(40.0),
    );
    for round in 0..=plan.rounds {
        for &kind in &plan.kinds {
            let directory = directory.join(format!("{}-start", kind.name()));
            let (engine, took) = Engine::start_timed(kind, &directory)?;
            engine.stop()?;
            if round > 0 {
                item.add(kind.name(), took.as_secs_f64() * 1e3);
            }
        }
    }
    Ok(())
}
