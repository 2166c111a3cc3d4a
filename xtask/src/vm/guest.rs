//! Inside the machine: does what was ordered and reports it.

mod checks;
mod engine;
mod job;
mod leaks;
mod program;
mod suite;

use super::report::Report;
use anyhow::{Context, Result};
use engine::Engine;
use job::Job;
use program::Program;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

/// Where the order is on the machine's disk.
pub(super) const ORDER: &str = "/order.json";
/// Makes the init leave a shell when it is there.
const KEEP: &str = "/keep";

/// What the machine was started for.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Order {
    /// Execute this instead of the checks.
    pub(super) command: Vec<String>,
    /// Whether the machine's first process is systemd.
    pub(super) systemd: bool,
    /// Leave out the tests that take longest.
    pub(super) quick: bool,
    /// Leave a shell on the second serial line afterwards.
    pub(super) keep: bool,
    /// Do only the checks whose names contain this.
    pub(super) only: Option<String>,
}

impl Order {
    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|text| name.contains(text))
    }
}

/// `xtask vm --guest`, started by the machine's init.
pub(super) fn run() -> Result<()> {
    report(&Report::Booted)?;
    let order = fs::read(ORDER).context("this is only for the virtual machine's init")?;
    let order: Order = serde_json::from_slice(&order).context("cannot read the order")?;
    if order.keep {
        fs::write(KEEP, "").context("cannot write the mark")?;
    }
    let code = match order.command.as_slice() {
        [] => check(&order).map(|()| 0)?,
        [program, arguments @ ..] => execute(program, arguments),
    };
    report(&Report::Done { code })
}

/// All checks: those of a host without an engine; those that do not mind each
/// other, and the test programs', together; those that want the engine for
/// themselves.
fn check(order: &Order) -> Result<()> {
    for (name, check) in checks::FIRST {
        if order.wants(name) {
            job::perform(name, check)?;
        }
    }
    let (name, check) = checks::SYSTEMD;
    if order.systemd && order.wants(name) {
        job::perform(name, check)?;
    }
    let mut engine = Engine::new();
    let shared = checks::TOGETHER.iter().map(|(name, _)| name);
    let alone = checks::ALONE.iter().map(|(name, _)| name);
    let runs = shared.chain(alone).any(|name| order.wants(name))
        && job::perform("engine-start", || engine.start_with_images())?;
    // Where other engines ran it is loaded, and filters bridged packets.
    Program::new("modprobe", &["br_netfilter"])
        .run()?
        .expect(0)?;
    let mut jobs = suite::jobs(order.quick)?;
    if runs {
        let engine = &engine;
        jobs.extend(
            checks::TOGETHER
                .iter()
                .map(|(name, check)| Job::new(name, || check(engine))),
        );
    }
    jobs.retain(|job| order.wants(&job.name));
    job::perform_together(jobs)?;
    if runs {
        for (name, check) in checks::ALONE {
            if order.wants(name) {
                // One that failed must not make the next fail.
                engine.clear()?;
                job::perform(name, || check(&mut engine))?;
            }
        }
        engine.stop()?;
    }
    Ok(())
}

fn execute(program: &str, arguments: &[String]) -> i32 {
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .status();
    match status {
        Ok(status) => program::code(status),
        Err(error) => {
            println!("{program}: {error}");
            127
        }
    }
}

fn report(report: &Report) -> Result<()> {
    let mut stdout = std::io::stdout();
    stdout
        .write_all(report.line().as_bytes())
        .and_then(|()| stdout.flush())
        .context("cannot report")
}

/// The output of one of busybox's programs that has to succeed.
fn busybox(words: &[&str]) -> Result<String> {
    Ok(Program::new("busybox", words).run()?.expect(0)?.stdout)
}
