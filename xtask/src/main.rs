//! Development tasks, run as `cargo xtask <task>`.
//!
//! Owns `target/test-images`, `target/bench`, `target/order` and `target/vm`; installs Debian
//! packages by name when the tests or the benchmark need them; touches nothing
//! else.

mod bench;
mod check;
mod ci;
mod images;
mod metadata;
mod order;
mod packages;
mod process;
mod test;
mod vm;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <task>

Tasks:
  test [--all] [filter]       install what is needed, check, build, make the images, run the tests
                              (--all: also the tests marked `ignored`; a filter: only those tests, no checks)
  check                       format, layering, file sizes, licences, clippy
  images [--force] [name]     make the test images under target/test-images
  bench [--with-docker] [--markdown] [--rounds N] [item...]
                              print the table of medians and ratios (items: run exec memory start pull;
                              `runtime` compares OCI runtimes instead)
  vm [--kernel series] [--busybox] [--quick] [--keep] [--only text] [command...]
                              run the checks, or a command, in a virtual machine that is a stock Debian
                              (--kernel: 5.10, 6.1, 6.12; --busybox: without systemd, boots sooner;
                              --quick: what `test` runs; --keep: leave a shell; --only: checks whose names
                              contain the text)
  ci                          what CI does: .ci/run in a fresh clone of HEAD
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    let result = match arguments.first().map(String::as_str) {
        Some("test") => test::run(rest),
        Some("check") => check::run(),
        Some("images") => images::run(rest),
        Some("bench") => bench::run(rest),
        Some("order") => order::run(),
        Some("vm") => vm::run(rest),
        Some("ci") => ci::run(rest),
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
