//! What came of an order, told as it happens.

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

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(command: &[&str], checks: &[bool], done: Option<i32>) -> (String, i32) {
        let mut outcome = Outcome::new(&Order {
            command: command.iter().map(|&word| word.to_owned()).collect(),
            ..Order::default()
        });
        for passed in checks {
            outcome.note(Report::Check {
                name: "name".to_owned(),
                seconds: 0.0,
                failure: (!passed).then(|| "reason".to_owned()),
            });
        }
        if let Some(code) = done {
            outcome.note(Report::Done { code });
        }
        (outcome.summary(), outcome.code())
    }

    #[test]
    fn exit_code_is_success_only_when_all_passed() {
        type Row = (
            &'static [&'static str],
            &'static [bool],
            Option<i32>,
            &'static str,
            i32,
        );
        let table: &[Row] = &[
            (&[], &[true, true], Some(0), "2 passed, 0 failed", 0),
            (&[], &[true, false], Some(0), "1 passed, 1 failed", 1),
            (&[], &[], Some(0), "0 passed, 0 failed", 1),
            (&[], &[true], None, "1 passed, 0 failed", 1),
            (&["true"], &[], Some(0), "0 passed, 0 failed", 0),
            (&["false"], &[], Some(127), "0 passed, 0 failed", 127),
            (&["hang"], &[], None, "0 passed, 0 failed", 1),
        ];
        for (command, checks, done, summary, code) in table {
            let expected = ((*summary).to_owned(), *code);
            assert_eq!(outcome(command, checks, *done), expected);
        }
    }
}
