//! Commands executed and measured one after another by `sequence.c`.

use crate::bench::compile;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The compiled program.
pub(super) struct Sequence {
    program: PathBuf,
    log: PathBuf,
}

/// What one step took.
pub(super) struct Measured {
    /// From its execution to its end.
    pub(super) milliseconds: f64,
    /// The largest resident set of it and of what it waited for.
    pub(super) megabytes: f64,
}

impl Sequence {
    /// Compiles it.
    pub(super) fn prepare(directory: &Path) -> Result<Self> {
        let program = directory.join("sequence");
        compile(include_str!("sequence.c"), &program)?;
        Ok(Self {
            program,
            log: directory.join("log"),
        })
    }

    /// Runs the steps, all of which have to succeed.
    pub(super) fn run(&self, steps: &[Vec<String>]) -> Result<Vec<Measured>> {
        // A file, as containers that stay keep what they are given open.
        let log = std::fs::File::create(&self.log).context("cannot make the log")?;
        let output = Command::new(&self.program)
            .args(steps.join(&"--".to_owned()))
            .stdin(Stdio::null())
            .stderr(log)
            .output()
            .context("cannot execute the sequence")?;
        if !output.status.success() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            bail!("a command failed:\n{}", log.trim_end());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let measured = parse(&text).with_context(|| format!("not what it prints: {text}"))?;
        if measured.len() != steps.len() {
            bail!("{} of {} steps measured", measured.len(), steps.len());
        }
        Ok(measured)
    }
}

/// The time of all of them together.
pub(super) fn milliseconds(steps: &[Measured]) -> f64 {
    steps.iter().map(|step| step.milliseconds).sum()
}

/// Lines of nanoseconds and kilobytes. The last one is of processes that nobody
/// waited for: their memory counts to the first step, which started them.
fn parse(text: &str) -> Option<Vec<Measured>> {
    let mut all = Vec::new();
    for line in text.lines() {
        let (nanoseconds, kilobytes) = line.split_once(' ')?;
        all.push(Measured {
            milliseconds: nanoseconds.parse::<f64>().ok()? / 1e6,
            megabytes: kilobytes.parse::<f64>().ok()? / 1024.0,
        });
    }
    let left = all.pop()?;
    let first = all.first_mut()?;
    first.megabytes = first.megabytes.max(left.megabytes);
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_sequence() {
        let all = parse("1500000 2048\n500000 512\n0 4096\n").expect("lines");
        let memory: Vec<f64> = all.iter().map(|one| one.megabytes).collect();
        assert_eq!(memory, [4.0, 0.5]);
        assert_eq!(milliseconds(&all), 2.0);
        assert!(parse("").is_none());
        assert!(parse("x 1\n0 0\n").is_none());
    }
}
