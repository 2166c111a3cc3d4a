//! `cargo xtask bench runtime`: OCI runtimes by their command lines, side by
//! side: ours, runc, crun, and the bare floor.
//!
//! All of them run in one mount namespace with a /run of its own, so that each
//! has its state where its users have it, and without the v2 hierarchy that
//! lies beside v1 ones on a hybrid host, which crun refuses. Owns the control
//! groups below `/tare-bench`, which a run that was killed leaves and the next
//! one removes, and `target/bench/crun`.

pub(crate) mod bundle;
pub(crate) mod control_groups;
mod crun;
mod present;
mod runtimes;
mod sequence;

use super::Plan;
use super::floor::Floor;
use super::report::{Report, Target, Unit};
use crate::process::{run as execute, step};
use crate::{packages, workspace};
use anyhow::{Context, Result};
use bundle::Bundle;
use present::Present;
use runtimes::Runtime;
use sequence::{Measured, Sequence};
use std::path::Path;
use std::process::Command;

/// How much more a thing may take and still be called the same: what the
/// median of one command moves within a run on a quiet machine.
const FLAT: f64 = 1.25;

/// What every runtime uses at most, in megabytes.
const MEMORY: Target = Target::AtMost(3.0);

/// The whole life of a container.
const LIFE: &str = "create + start + delete";

/// The phases of that life; each has a line for its time and for its memory.
const PHASES: [&str; 4] = ["create", "start", "the program's end", "delete"];

/// Installs and builds what is needed, while there is a network.
pub(super) fn prepare() -> Result<()> {
    packages::ensure(packages::RUNTIMES)?;
    bundle::write_config()?;
    if let Err(error) = crun::ensure() {
        eprintln!("crun is not measured: {error:#}");
    }
    Ok(())
}

/// Measures everything and returns the table.
pub(super) fn measure(plan: &Plan, directory: &Path) -> Result<Report> {
    let directory = directory.join("runtime");
    std::fs::create_dir_all(&directory).context("cannot make the directory of the runtimes")?;
    // What an earlier run left may be in the hierarchy that is hidden next.
    control_groups::remove()?;
    let note = isolate()?;
    let sequence = Sequence::prepare(&directory)?;
    let bundle = Bundle::prepare(&directory)?;
    let floor = Floor::compile(&directory, bundle.rootfs())?;
    let runtimes = runtimes::all(plan);

    let mut about: Vec<String> = runtimes.iter().map(Runtime::about).collect();
    about.push(note.to_owned());
    let mut columns: Vec<&str> = runtimes.iter().map(|runtime| runtime.name).collect();
    columns.push("floor");
    let mut report = Report::new(about, columns, vec!["runc", "crun"]);

    let bench = Bench {
        rounds: plan.rounds,
        sequence: &sequence,
        runtimes: &runtimes,
        floor: &floor,
    };
    bench.commands(&bundle, &mut report)?;
    bench.presence(&bundle, &mut report)?;
    control_groups::remove()?;
    Ok(report)
}

/// Makes the conditions that are the same for everybody, in the mount namespace
/// that is ours alone; returns what to say about them.
fn isolate() -> Result<&'static str> {
    execute(Command::new("mount").args(["-t", "tmpfs", "tmpfs", "/run"]))?;
    Ok(match control_groups::hide_unified()? {
        true => {
            "Control groups: v1; without the v2 hierarchy beside them, which crun refuses, for all."
        }
        false => "Control groups: as the machine has them.",
    })
}

/// Who is measured with what.
struct Bench<'a> {
    rounds: usize,
    sequence: &'a Sequence,
    runtimes: &'a [Runtime],
    floor: &'a Floor,
}

impl Bench<'_> {
    /// Each command with no container but the ones that are measured.
    fn commands(&self, bundle: &Bundle, report: &mut Report) -> Result<()> {
        step("runtime: commands");
        let large = bundle.with_environment(10_000)?;
        let target = Target::TimesFaster(&[("runc", 4.0), ("crun", 1.0)]);
        let many = format!("{LIFE}, 10,000 variables");
        report.item(LIFE, Unit::Milliseconds, target);
        for phase in PHASES {
            report.item(&format!("… {phase}"), Unit::Milliseconds, Target::None);
        }
        report.item("run", Unit::Milliseconds, Target::None);
        report.item("exec", Unit::Milliseconds, Target::None);
        report.item(&many, Unit::Milliseconds, Target::flat(LIFE, FLAT));
        for phase in PHASES.into_iter().chain(["run", "exec"]) {
            report.item(&memory_of(phase), Unit::Megabytes, MEMORY);
        }

        let mut stay = Present::new(bundle, "executed");
        for runtime in self.runtimes {
            stay.grow(self.sequence, runtime, 1)?;
        }
        // The first of each is not counted.
        for round in 0..=self.rounds {
            let mut add = |name: &str, who: &'static str, value: f64| {
                if round > 0 {
                    report.add(name, who, value);
                }
            };
            for runtime in self.runtimes {
                let who = runtime.name;
                let life = self.sequence.run(&runtime.life(bundle))?;
                add(LIFE, who, sequence::milliseconds(&life));
                for (phase, measured) in PHASES.into_iter().zip(&life) {
                    add(&format!("… {phase}"), who, measured.milliseconds);
                    add(&memory_of(phase), who, measured.megabytes);
                }
                let run = self.one(runtime.run(bundle))?;
                add("run", who, run.milliseconds);
                add(&memory_of("run"), who, run.megabytes);
                let exec = self.one(runtime.exec("executed-0"))?;
                add("exec", who, exec.milliseconds);
                add(&memory_of("exec"), who, exec.megabytes);
                let life = self.sequence.run(&runtime.life(&large))?;
                add(&many, who, sequence::milliseconds(&life));
            }
            let floor = self.one(self.floor.command("/bin/true"))?;
            add(LIFE, "floor", floor.milliseconds);
            add("run", "floor", floor.milliseconds);
            add(&memory_of("run"), "floor", floor.megabytes);
        }
        for runtime in self.runtimes {
            stay.remove(self.sequence, runtime)?;
        }
        Ok(())
    }

    /// The life of a container while others of the same runtime are running.
    fn presence(&self, bundle: &Bundle, report: &mut Report) -> Result<()> {
        let mut present = Present::new(bundle, "present");
        for count in [0, 100, 1000] {
            step(&format!("runtime: {count} containers of each running"));
            for runtime in self.runtimes {
                present.grow(self.sequence, runtime, count)?;
            }
            let name = format!("{LIFE}, {count} of each running");
            let target = if count == 0 {
                Target::None
            } else {
                Target::flat(&format!("{LIFE}, 0 of each running"), FLAT)
            };
            report.item(&name, Unit::Milliseconds, target);
            for round in 0..=self.rounds {
                for runtime in self.runtimes {
                    let life = self.sequence.run(&runtime.life(bundle))?;
                    if round > 0 {
                        report.add(&name, runtime.name, sequence::milliseconds(&life));
                    }
                }
                let floor = self.one(self.floor.command("/bin/true"))?;
                if round > 0 {
                    report.add(&name, "floor", floor.milliseconds);
                }
            }
        }
        step("runtime: removing them");
        for runtime in self.runtimes {
            present.remove(self.sequence, runtime)?;
        }
        Ok(())
    }

    fn one(&self, command: Vec<String>) -> Result<Measured> {
        let measured = self.sequence.run(&[command])?;
        measured.into_iter().next().context("a step was measured")
    }
}

fn memory_of(phase: &str) -> String {
    match phase {
        "the program's end" => "memory: the container's process".to_owned(),
        command => format!("memory: {command}"),
    }
}

/// The executable of a profile, for the runtimes.
fn tare() -> std::path::PathBuf {
    workspace::executable("release")
}
