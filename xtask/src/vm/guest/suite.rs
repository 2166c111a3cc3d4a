//! The test programs on the disk, each test a check.

use super::job::Job;
use super::program::Program;
use anyhow::{Context, Result, bail};
use std::fs;

/// Where they are.
const SUITES: &str = "/suites";

/// A job for every test: a process of its own, as its name says.
pub(super) fn jobs<'a>() -> Result<Vec<Job<'a>>> {
    let mut jobs = Vec::new();
    for entry in fs::read_dir(SUITES).context("no test programs")?.flatten() {
        let program = entry.path().to_string_lossy().into_owned();
        let suite = entry.file_name().to_string_lossy().into_owned();
        let list = Program::new(&program, &["--list", "--format", "terse"]).run()?;
        for line in list.expect(0)?.stdout.lines() {
            if let Some(test) = line.strip_suffix(": test") {
                let (program, test) = (program.clone(), test.to_owned());
                let name = format!("{suite}::{test}");
                jobs.push(Job::new(&name, move || run(&program, &test)));
            }
        }
    }
    Ok(jobs)
}

fn run(program: &str, test: &str) -> Result<()> {
    let output = Program::new(program, &["--exact", "--nocapture", test]).run()?;
    if output.code != 0 {
        bail!("{}{}", output.stdout, output.stderr);
    }
    Ok(())
}
