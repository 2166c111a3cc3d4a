//! `cargo xtask vm`: the engine on a stock Debian host, which the machine that
//! develops it need not be: cgroup v2 alone, AppArmor, an older kernel.
//!
//! Owns `target/vm`: `kernel/` (Debian's packages, unpacked, never installed),
//! `debian.tar` (its root file system with systemd), `root/`, `initramfs/` and
//! `disk.img` (made anew for every machine) and `console.log` (what the last
//! one's kernel said). The machine is emulated by
//! a qemu of ours that dies with us; it has no network and no access to files
//! outside its disk. An interrupted run leaves nothing but that directory.
//!
//! The same program runs on both sides: inside, it is started by the init with
//! `vm --guest`, does the checks and reports on the second serial line.

pub(crate) mod archive;
mod disk;
mod guest;
mod kernel;
mod machine;
mod modules;
mod outcome;
mod programs;
mod report;
mod suites;
mod userland;

use crate::process::step;
use crate::workspace::target;
use crate::{images, packages};
use anyhow::{Context, Result, bail};
use guest::Order;
use machine::Machine;
use outcome::Outcome;
use std::path::PathBuf;
use std::time::Instant;
use userland::Userland;

/// What makes the machine and its disk.
const PACKAGES: &[&str] = &[
    "binutils",
    "busybox-static",
    "cpio",
    "debian-archive-keyring",
    "e2fsprogs",
    "iproute2",
    "iptables",
    "kmod",
    "libc-bin",
    "mmdebstrap",
    "nftables",
    "qemu-system-x86",
    "tar",
    "util-linux",
];

/// The test images that the checks run.
const IMAGES: &[&str] = &["busybox", "layers", "user-by-name"];

/// Which machine.
#[derive(Clone, Copy, Debug)]
struct Host {
    /// The name of its kernel's series.
    kernel: &'static str,
    userland: Userland,
    /// Leave out what takes longest.
    quick: bool,
}

/// What hosts of Debian 12 are.
const STOCK: Host = Host {
    kernel: "6.1",
    userland: Userland::Debian,
    quick: false,
};

/// What `cargo xtask test --all` also tries: what older kernels lack, and what
/// newer ones have.
const OTHERS: &[Host] = &[
    Host {
        kernel: "5.10",
        userland: Userland::Busybox,
        quick: true,
    },
    Host {
        kernel: "6.12",
        userland: Userland::Busybox,
        quick: true,
    },
];

/// `cargo xtask vm [--kernel series] [--busybox] [--quick] [--keep]
/// [--only text] [command...]`: the checks, or a command of the caller's whose
/// exit code becomes ours.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut order = Order::default();
    let mut host = STOCK;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--guest" => return guest::run(),
            "--keep" => order.keep = true,
            "--only" => order.only = Some(rest.next().context("--only wants a text")?.clone()),
            "--kernel" => {
                let name = rest.next().context("--kernel wants a series")?;
                host.kernel = kernel::series(name)?.name;
            }
            "--busybox" => host.userland = Userland::Busybox,
            "--quick" => host.quick = true,
            "--" => order.command.extend(rest.by_ref().cloned()),
            flag if flag.starts_with('-') => bail!("vm knows no {flag}"),
            _ => {
                order.command.push(argument.clone());
                order.command.extend(rest.by_ref().cloned());
            }
        }
    }
    match boot(host, order)? {
        0 => Ok(()),
        code => std::process::exit(code),
    }
}

/// The checks, for `cargo xtask test`: what takes about a minute, or everything
/// on every kernel.
pub(crate) fn checks(all: bool) -> Result<()> {
    let quick = !all;
    let mut hosts = vec![Host { quick, ..STOCK }];
    if all {
        hosts.extend(OTHERS);
    }
    let mut failed = Vec::new();
    for host in hosts {
        if boot(host, Order::default())? != 0 {
            failed.push(format!("{} on {}", host.userland, host.kernel));
        }
    }
    if !failed.is_empty() {
        bail!("checks failed in virtual machines: {}", failed.join(", "));
    }
    Ok(())
}

/// Makes a machine, has the order done in it and returns the exit code.
fn boot(host: Host, mut order: Order) -> Result<i32> {
    packages::ensure(PACKAGES)?;
    step("build");
    let suites = suites::build(!host.quick)?;
    std::fs::create_dir_all(directory()).context("cannot make target/vm")?;
    let lock = std::fs::File::create(directory().join("lock")).context("cannot make the lock")?;
    lock.lock().context("cannot lock target/vm")?;

    let userland = host.userland;
    order.quick = host.quick;
    order.systemd = userland == Userland::Debian;
    let kernel = kernel::ensure(kernel::series(host.kernel)?)?;
    let mut archives = Vec::new();
    for name in IMAGES {
        let archive = images::ensure_named(name)?.join("docker.tar");
        archives.push((*name, archive));
    }
    step("disk of the virtual machine");
    disk::make(&kernel, userland, &archives, &suites, &order)?;
    step(&format!(
        "virtual machine with {userland} on {}",
        kernel.release
    ));
    let started = Instant::now();
    let machine = Machine::start(&kernel, userland, &order)?;
    let mut outcome = Outcome::new(&order);
    machine.follow(&order, &mut outcome)?;
    if order.command.is_empty() {
        eprintln!(
            "virtual machine: {} in {:.1} s",
            outcome.summary(),
            started.elapsed().as_secs_f64()
        );
    }
    Ok(outcome.code())
}

/// Everything of the virtual machine.
fn directory() -> PathBuf {
    target().join("vm")
}
