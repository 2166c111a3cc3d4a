//! The test programs on the disk, each test a check.

mod lacking;

use super::job::Job;
use super::program::Program;
use anyhow::{Context, Result, bail, ensure};
use lacking::Lacking;
use std::fs;
use std::time::Duration;

/// Where they are.
const SUITES: &str = "/suites";
/// The longest that a test may take: a race has many rounds.
const LIMIT: Duration = Duration::from_secs(180);
/// Tests with these words in their names take as long as fifty others: races
/// of many rounds, which say nothing about a kernel that they do not say
/// elsewhere.
const SLOW: &[&str] = &[
    "_exchanged_",
    "a_tracer_of_",
    "in_a_leaked_directory",
    "not_caught_on_its_way_in",
];

/// A job for every test: a process of its own, as its name says.
pub(super) fn jobs<'a>(quick: bool) -> Result<Vec<Job<'a>>> {
    let lacking = lacking::here()?;
    let mut jobs = Vec::new();
    for entry in fs::read_dir(SUITES).context("no test programs")?.flatten() {
        let program = entry.path().to_string_lossy().into_owned();
        let suite = entry.file_name().to_string_lossy().into_owned();
        let list = Program::new(&program, &["--list", "--format", "terse"]).run()?;
        for line in list.expect(0)?.stdout.lines() {
            if let Some(test) = line.strip_suffix(": test") {
                let name = format!("{suite}::{test}");
                if quick && SLOW.iter().any(|word| name.contains(word)) {
                    continue;
                }
                let lacks = lacking.iter().copied().find(|lack| lack.concerns(&name));
                let (program, test) = (program.clone(), test.to_owned());
                jobs.push(Job::new(&name, move || run(&program, &test, lacks)));
            }
        }
    }
    Ok(jobs)
}

/// Runs one; what cannot succeed on this kernel has to say why.
fn run(program: &str, test: &str, lacks: Option<&Lacking>) -> Result<()> {
    let output = Program::new(program, &["--exact", "--nocapture", test])
        .limit(LIMIT)
        .run()?;
    let text = format!("{}{}", output.stdout, output.stderr);
    match lacks {
        None if output.code != 0 => bail!("{text}"),
        None => {}
        Some(lacking) => {
            ensure!(output.code != 0, "succeeds although {lacking} is missing");
            ensure!(text.contains(lacking.says), "{text}");
        }
    }
    Ok(())
}
