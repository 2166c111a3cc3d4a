//! What came of an order, told as it happens.

#[cfg(test)]
mod tests;

use super::guest::Order;
use super::report::Report;

/// What has been reported so far.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Whether checks were ordered, not a command.
    checks: bool,
    passed: u32,
    failed: u32,
    code: Option<i32>,
}

impl Outcome {
    pub(super) fn new(order: &Order) -> Self {
        Self {
            checks: order.command.is_empty(),
            passed: 0,
            failed: 0,
            code: None,
        }
    }

    /// Takes note of a report and prints what a person wants to know of it.
    pub(super) fn note(&mut self, report: Report) {
        match report {
            Report::Booted => {}
            Report::Check {
                name,
                seconds,
                failure: None,
            } => {
                self.passed += 1;
                eprintln!("PASS [{seconds:7.3} s] {name}");
            }
            Report::Check {
                name,
                seconds,
                failure: Some(failure),
            } => {
                self.failed += 1;
                eprintln!("FAIL [{seconds:7.3} s] {name}");
                for line in failure.lines() {
                    eprintln!("    {line}");
                }
            }
            Report::Done { code } => self.code = Some(code),
        }
    }

    /// Whether the order is done.
    pub(super) fn is_done(&self) -> bool {
        self.code.is_some()
    }

    /// `N passed, N failed`.
    pub(super) fn summary(&self) -> String {
        format!("{} passed, {} failed", self.passed, self.failed)
    }

    /// The exit code that says it. No check at all is no success either.
    pub(super) fn code(&self) -> i32 {
        match self.code {
            Some(0) if self.checks => i32::from(self.failed > 0 || self.passed == 0),
            Some(code) => code,
            None => 1,
        }
    }
}
