//! Doing checks and reporting each.

use super::engine;
use super::report;
use crate::vm::report::Report;
use anyhow::{Result, anyhow};
use std::fmt::Write;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

/// How many are done at a time: much of each is waiting.
const WORKERS: usize = 3;
/// Lines of the engine's log that go with a failure.
const LOG_LINES: usize = 6;

/// A check that may be done while others are.
pub(super) struct Job<'a> {
    /// The name it is reported by.
    pub(super) name: String,
    action: Box<dyn FnOnce() -> Result<()> + Send + 'a>,
}

impl<'a> Job<'a> {
    pub(super) fn new(name: &str, action: impl FnOnce() -> Result<()> + Send + 'a) -> Self {
        Self {
            name: name.to_owned(),
            action: Box::new(action),
        }
    }
}

/// Does all of them, the last first.
pub(super) fn perform_together(jobs: Vec<Job<'_>>) -> Result<()> {
    let jobs = Mutex::new(jobs);
    let next = || jobs.lock().ok()?.pop();
    let work = || -> Result<()> {
        while let Some(job) = next() {
            perform(&job.name, job.action)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err(anyhow!("a check panicked")))
        })
    })
}

/// Does one and returns whether it passed. An error is one of reporting.
pub(super) fn perform(name: &str, action: impl FnOnce() -> Result<()>) -> Result<bool> {
    let started = Instant::now();
    let logged = engine::log().len();
    let failure = action()
        .err()
        .map(|error| explain(&error, engine::log().get(logged..).unwrap_or_default()));
    let passed = failure.is_none();
    report(&Report::Check {
        name: name.to_owned(),
        seconds: started.elapsed().as_secs_f64(),
        failure,
    })?;
    Ok(passed)
}

/// What was found wrong, and what the engine logged meanwhile.
fn explain(error: &anyhow::Error, log: &str) -> String {
    let mut text = format!("{error:#}");
    let lines: Vec<&str> = log.lines().collect();
    for line in &lines[lines.len().saturating_sub(LOG_LINES)..] {
        // Writing to a String cannot fail.
        let _ = write!(text, "\nengine: {line}");
    }
    text
}
