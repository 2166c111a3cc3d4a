//! `cargo xtask order`: where in the executable the runtime's code is.
//!
//! The kernel maps a file sixteen pages at a time around the one that is used.
//! In an executable of 17 MB, whose functions lie crate by crate, a command of
//! `tare runtime` touches sixty places and so has four megabytes. With the
//! functions that it executes side by side it has half as much, and does not
//! wait for as many faults.
//!
//! Writes `crates/tare/order.ld`, a linker script that puts these functions
//! first (`crates/tare/build.rs` hands it to the linker). Nothing depends on it:
//! a name that no longer exists matches nothing, a new function lies where it
//! would. Made again when the runtime has changed much; owns `target/order`.

mod map;

use crate::bench::{self, runtime::bundle::Bundle};
use crate::packages;
use crate::process::{run as execute, step};
use crate::workspace::{cargo, executable, root, target};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// Set for the process that is inside the namespaces.
const INSIDE: &str = "XTASK_ORDER_INSIDE";

/// Crates whose constants the runtime's code uses; constants have no names.
const CRATES: [&str; 12] = [
    "tare_runtime",
    "tare_sys",
    "tare_oci",
    "serde_json",
    "serde_core",
    "rustix",
    "itoa",
    "memchr",
    "core",
    "alloc",
    "std",
    "tare",
];

/// Writes the script.
pub(crate) fn run() -> Result<()> {
    if !cfg!(target_arch = "x86_64") {
        bail!("only x86-64's functions are put in order");
    }
    if std::env::var_os(INSIDE).is_some() {
        return trace();
    }
    packages::ensure(packages::RUNTIMES)?;
    std::fs::create_dir_all(directory()).context("cannot make target/order")?;
    step("build --release, with the linker's map");
    execute(
        cargo()
            .args(["rustc", "--release", "--locked", "--package", "tare"])
            .args(["--bin", "tare", "--", "-C"])
            .arg(format!("link-arg=-Wl,-Map={}", map_file().display())),
    )?;
    bench::runtime::bundle::write_config()?;
    let own = std::env::current_exe().context("cannot find our own executable")?;
    step("every command, step by step");
    execute(
        Command::new("unshare")
            .args(["--net", "--mount", "--pid", "--fork", "--kill-child"])
            .args(["--mount-proc", "--propagation=private"])
            .arg(own)
            .arg("order")
            .env(INSIDE, "1"),
    )?;
    let read = |path: PathBuf| {
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let sections = map::parse(&read(map_file())?);
    let patterns = map::patterns(&sections, &read(executed_file())?);
    if patterns.is_empty() {
        bail!("nothing was executed, or the linker's map is not lld's");
    }
    let path = root().join("crates/tare/order.ld");
    std::fs::write(&path, script(&patterns)).context("cannot write order.ld")?;
    println!("{}: {} functions", path.display(), patterns.len());
    Ok(())
}

fn directory() -> PathBuf {
    target().join("order")
}

fn map_file() -> PathBuf {
    directory().join("map")
}

fn executed_file() -> PathBuf {
    directory().join("executed")
}

/// Runs the commands of a container's life and notes what they execute.
fn trace() -> Result<()> {
    let directory = directory();
    let tracer = directory.join("tracer");
    bench::compile(include_str!("order/executed.c"), &tracer)?;
    let bundle = Bundle::prepare(&directory)?;
    let staying = bundle.staying("order")?;
    execute(Command::new("mount").args(["-t", "tmpfs", "tmpfs", "/run"]))?;
    if executed_file().exists() {
        std::fs::remove_file(executed_file()).context("cannot remove an earlier trace")?;
    }
    let (bundle, staying) = (bundle.path(), staying.path());
    let pid_file = "/run/order.pid";
    let commands: [&[&str]; 8] = [
        &["run", "--bundle", &bundle, "order-run"],
        &[
            "create",
            "--bundle",
            &staying,
            "--pid-file",
            pid_file,
            "order",
        ],
        &["state", "order"],
        &["start", "order"],
        &["exec", "order", "/bin/true"],
        &["list"],
        &["kill", "order", "KILL"],
        &["delete", "--force", "order"],
    ];
    for arguments in commands {
        execute(
            Command::new(&tracer)
                .arg(executed_file())
                .arg(executable("release"))
                .arg("runtime")
                .args(arguments)
                .stdin(std::process::Stdio::null()),
        )?;
    }
    bench::runtime::control_groups::remove()
}

/// The linker script: these sections in a place of their own before the others.
fn script(patterns: &[String]) -> String {
    let mut text = String::from(
        "/* Made by `cargo xtask order`, which says why. What `tare runtime` uses comes\n \
         * first: constants of its crates and of the C library, and executed functions. */\n",
    );
    text.push_str("SECTIONS\n{\n  .rodata.runtime : {\n");
    for name in CRATES {
        text.push_str(&format!("    *.{name}.*.rcgu.o(.rodata .rodata.*)\n"));
    }
    text.push_str("    *libc.a:*(.rodata .rodata.*)\n  }\n}\nINSERT BEFORE .rodata;\n");
    text.push_str("SECTIONS\n{\n  .text.runtime : {\n");
    for pattern in patterns {
        text.push_str(&format!("    {pattern}\n"));
    }
    text.push_str("  }\n}\nINSERT BEFORE .text;\n");
    text
}
