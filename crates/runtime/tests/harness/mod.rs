//! A test harness without threads, for the test programs of this crate.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// A test: its name and what it does.
pub(crate) type Test = (&'static str, fn());

/// A test that does not apply to what is tested, and why.
pub(crate) type Exception = (&'static str, &'static str);

/// Lists or runs tests as the command line says.
pub(crate) fn run(tests: &[Test], exceptions: &[Exception]) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if has("--list") {
        // No test is ever ignored.
        if !has("--ignored") {
            for (name, _) in tests {
                println!("{name}: test");
            }
        }
        return ExitCode::SUCCESS;
    }
    let filters: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let selected = tests.iter().filter(|(name, _)| {
        filters.is_empty()
            || filters.iter().any(|filter| {
                if has("--exact") {
                    filter.as_str() == *name
                } else {
                    name.contains(filter.as_str())
                }
            })
    });
    let mut failed = 0;
    for (name, test) in selected {
        if let Some((_, reason)) = exceptions.iter().find(|(excepted, _)| excepted == name) {
            println!("test {name} ... skipped: {reason}");
            continue;
        }
        let passed = catch_unwind(AssertUnwindSafe(test)).is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        failed += u32::from(!passed);
    }
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        println!("{failed} failed");
        ExitCode::FAILURE
    }
}
