//! `cargo xtask test`: everything a change has to pass, in the order in which
//! it fails fastest. The last lines printed are the test runner's own summary
//! and the virtual machine's.

use crate::process::{run as execute, step, succeeds};
use crate::workspace::{cargo, executable, root};
use crate::{check, images, packages, vm};
use anyhow::{Result, bail};
use std::os::unix::fs::MetadataExt;

/// Installs what is missing, checks, builds once in the dev profile, makes the
/// test images and runs the tests, then those in the virtual machine. With a
/// filter: only the tests it names, no checks and no virtual machine.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut all = false;
    let mut filters = Vec::new();
    for argument in arguments {
        match argument.as_str() {
            "--all" => all = true,
            flag if flag.starts_with('-') => bail!("test knows no {flag}"),
            filter => filters.push(filter),
        }
    }
    if std::fs::metadata("/proc/self")?.uid() != 0 {
        bail!("the tests start a real engine and real containers: run them as root");
    }
    packages::ensure(packages::IMAGES)?;
    packages::ensure(packages::TESTS)?;
    if filters.is_empty() {
        check::run()?;
    }
    step("build");
    execute(cargo().args(["build", "--workspace", "--all-targets", "--locked"]))?;
    step("test images");
    images::ensure_for_tests()?;

    step("tests");
    let everything = filters.is_empty();
    // nextest gives every test a process of its own and a time limit; where it
    // is not installed the tests run all the same, in cargo's own runner.
    let mut command = cargo();
    if succeeds(cargo().args(["nextest", "--version"])) {
        command.args([
            "nextest",
            "run",
            "--workspace",
            "--locked",
            "--no-fail-fast",
        ]);
        command.args([
            "--config-file".as_ref(),
            root().join("tests/nextest.toml").as_os_str(),
        ]);
        if all {
            command.arg("--run-ignored=all");
        }
        command.args(filters);
    } else {
        command.args([
            "test",
            "--workspace",
            "--locked",
            "--no-fail-fast",
            "--quiet",
            "--",
        ]);
        if all {
            command.arg("--include-ignored");
        }
        command.args(filters);
    }
    let result = execute(
        command
            .env("TARE_BIN", executable("debug"))
            .env("TARE_TEST_IMAGES", images::directory()),
    );
    if !everything {
        return result;
    }
    // What fails here says nothing about what works there.
    let machine = vm::checks(all);
    result.and(machine)
}
