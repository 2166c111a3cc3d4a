//! `cargo xtask bench`: the table of medians and ratios. Numbers are compared
//! only within one run, whose rounds are interleaved; no test asserts a time.
//!
//! Everything measured runs in process, network and mount namespaces of its
//! own, so that the machine's bridges, firewall and other engines are not
//! touched and whatever was started ends with the run. Owns `target/bench`.

mod engine;
mod floor;
mod memory;
mod pull;
mod report;
mod run;
pub(crate) mod runtime;
mod start;

use crate::process::{run as execute, step};
use crate::workspace::{cargo, target};
use crate::{images, packages};
use anyhow::{Context, Result, bail};
use engine::{Engine, Kind};
use report::Report;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set for the process that is inside the namespaces.
const INSIDE: &str = "XTASK_BENCH_INSIDE";

/// What a run measures.
struct Plan {
    items: Vec<String>,
    kinds: Vec<Kind>,
    rounds: usize,
    markdown: bool,
}

/// The items that compare engines: what is measured when nothing is named.
const ITEMS: &[&str] = &["run", "exec", "memory", "start", "pull"];

/// The group that compares OCI runtimes, in a table of its own.
const RUNTIME: &str = "runtime";

impl Plan {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut plan = Self {
            items: Vec::new(),
            kinds: vec![Kind::Tare],
            rounds: 15,
            markdown: false,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--with-docker" => plan.kinds.push(Kind::Docker),
                "--without-tare" => plan.kinds.retain(|kind| *kind != Kind::Tare),
                "--markdown" => plan.markdown = true,
                "--rounds" => {
                    let count = arguments.next().context("--rounds needs a number")?;
                    plan.rounds = count.parse().context("--rounds needs a number")?;
                }
                item if item == RUNTIME || ITEMS.contains(&item) => {
                    plan.items.push(item.to_owned());
                }
                other => bail!(
                    "bench knows no {other}; items: {} {RUNTIME}",
                    ITEMS.join(" ")
                ),
            }
        }
        if plan.rounds == 0 {
            bail!("--rounds needs a number above 0");
        }
        if plan.items.is_empty() {
            plan.items = ITEMS.iter().map(|&item| item.to_owned()).collect();
        }
        Ok(plan)
    }

    fn measures(&self, item: &str) -> bool {
        self.items.iter().any(|wanted| wanted == item)
    }

    fn measures_engines(&self) -> bool {
        ITEMS.iter().any(|item| self.measures(item))
    }
}

/// Runs the benchmark.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let plan = Plan::parse(arguments)?;
    if std::env::var_os(INSIDE).is_some() {
        return measure(&plan);
    }
    if plan.measures_engines() {
        packages::ensure(packages::IMAGES)?;
        packages::ensure(packages::BENCH)?;
        if plan.kinds.contains(&Kind::Docker) {
            packages::ensure(packages::DOCKER)?;
        }
        images::ensure_named("busybox")?;
    }
    if plan.kinds.contains(&Kind::Tare) {
        step("build --release");
        execute(cargo().args(["build", "--release", "--locked", "--package", "tare"]))?;
    }
    if plan.measures("pull") {
        images::ensure_named("large")?;
    }
    if plan.measures(RUNTIME) {
        runtime::prepare()?;
    }
    std::fs::create_dir_all(directory()).context("cannot make target/bench")?;
    let executable = std::env::current_exe().context("cannot find our own executable")?;
    Err(Command::new("unshare")
        .args(["--net", "--mount", "--pid", "--fork", "--kill-child"])
        .args(["--mount-proc", "--propagation=private"])
        .arg(executable)
        .arg("bench")
        .args(arguments)
        .env(INSIDE, "1")
        .exec())
    .context("cannot execute unshare")
}

/// Compiles a static C program.
pub(crate) fn compile(source: &str, program: &Path) -> Result<()> {
    let file = program.with_extension("c");
    std::fs::write(&file, source).with_context(|| format!("cannot write {}", file.display()))?;
    execute(
        Command::new("gcc")
            .args(["-O2", "-static", "-o"])
            .arg(program)
            .arg(&file),
    )
}

/// Where the engines' data, the loop file systems and the registry are.
fn directory() -> PathBuf {
    target().join("bench")
}

fn measure(plan: &Plan) -> Result<()> {
    execute(Command::new("ip").args(["link", "set", "lo", "up"]))?;
    let directory = directory().join("run");
    if directory.exists() {
        std::fs::remove_dir_all(&directory).context("cannot clear target/bench/run")?;
    }
    std::fs::create_dir_all(&directory).context("cannot make target/bench/run")?;
    let mut reports = Vec::new();
    if plan.measures_engines() {
        reports.push(measure_engines(plan, &directory)?);
    }
    if plan.measures(RUNTIME) {
        // Last: it changes what is mounted.
        reports.push(runtime::measure(plan, &directory)?);
    }
    unmount_below(&directory)?;
    std::fs::remove_dir_all(&directory).context("cannot remove target/bench/run")?;
    for report in reports {
        report.print(plan.markdown);
    }
    Ok(())
}

fn measure_engines(plan: &Plan, directory: &Path) -> Result<Report> {
    let mut report = Report::of_engines(&plan.kinds);
    if plan.measures("memory") {
        // First, while the engines are as fresh as a machine that has just
        // started one.
        memory::measure(plan, directory, &mut report)?;
    }
    if plan.measures("start") {
        start::measure(plan, directory, &mut report)?;
    }
    if plan.measures("run") || plan.measures("exec") {
        let mut engines = Vec::new();
        for &kind in &plan.kinds {
            let engine = Engine::start(kind, &directory.join(kind.name()))?;
            engine.load("busybox")?;
            engines.push(engine);
        }
        if plan.measures("run") {
            run::measure_runs(plan, directory, &engines, &mut report)?;
        }
        if plan.measures("exec") {
            run::measure_exec(plan, &engines, &mut report)?;
        }
        for engine in engines {
            engine.stop()?;
        }
    }
    if plan.measures("pull") {
        pull::measure(plan, directory, &mut report)?;
    }
    Ok(report)
}

/// Unmounts what an engine has left mounted below its directory (`dockerd`
/// keeps network namespaces that way).
fn unmount_below(directory: &Path) -> Result<()> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").context("cannot read mounts")?;
    // What was mounted last lies on top.
    for point in mounts
        .lines()
        .rev()
        .filter_map(|line| line.split(' ').nth(4))
    {
        if Path::new(point).starts_with(directory) {
            execute(Command::new("umount").args(["--lazy", point]))?;
        }
    }
    Ok(())
}
