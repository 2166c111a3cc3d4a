//! The terminal, made visible at /dev/console.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;

use tare_oci::runtime::Spec;
use tare_runtime::{Container, Error, Rootfs, Stdio};

use super::{Outside, ROUNDS, clear, without_dev};
use crate::background::Swapper;
use crate::harness::Test;
use crate::sandbox::{Sandbox, wait};

pub(super) const TESTS: &[Test] = &[
    (
        "cve_mounts::a_linked_console_covers_nothing_cve_2025_52565",
        linked,
    ),
    (
        "cve_mounts::a_console_is_not_made_outside_cve_2026_88264",
        made_outside,
    ),
    (
        "cve_mounts::console_is_exchanged_while_it_is_covered_cve_2025_52565",
        race,
    ),
    (
        "cve_mounts::a_terminal_comes_from_the_kernel_alone_cve_2025_52565",
        fake_terminals,
    ),
];

/// Runs a program on a terminal, on the sandbox's own directory.
fn run(sandbox: &Sandbox, mut spec: Spec) -> Result<String, Error> {
    spec.process.as_mut().expect("a process").terminal = true;
    let mut container = Container::builder(&sandbox.id, &spec)
        .rootfs(Rootfs::Path(sandbox.lower("")))
        .stdio(Stdio::Terminal)
        .create()?;
    container.start()?;
    let mut text = Vec::new();
    let console = container.console.take().expect("a terminal");
    // The other end's closing is told by EIO.
    let _ = fs::File::from(console).read_to_end(&mut text);
    wait(&container.pidfd);
    container.destroy();
    Ok(String::from_utf8_lossy(&text).replace('\r', ""))
}

/// The image's own /dev with real terminals in it.
fn spec(sandbox: &Sandbox, script: &str) -> Spec {
    let mut spec = without_dev(sandbox, script);
    let pts = sandbox
        .spec(&[])
        .mounts
        .into_iter()
        .filter(|mount| mount.destination == "/dev/pts");
    spec.mounts.extend(pts);
    spec
}

/// The terminal covers what the link points to: with a file that guards
/// something out of reach, that something is open to the container.
fn linked() {
    let sandbox = Sandbox::new();
    for target in [
        "/proc/sysrq-trigger",
        "/proc/sys/kernel/core_pattern",
        "/etc/passwd",
    ] {
        let console = sandbox.lower("dev/console");
        clear(&console);
        symlink(format!("..{target}"), &console).expect("link");
        match run(&sandbox, spec(&sandbox, &format!("stat -c %F {target}"))) {
            Err(error) => assert!(error.to_string().contains("/dev/console"), "{error}"),
            Ok(text) => assert!(text.starts_with("regular"), "{target}: {text}"),
        }
        assert!(!sandbox.has_cgroups());
    }
}

/// A file is made where the link points to, on the host.
fn made_outside() {
    let sandbox = Sandbox::new();
    let outside = Outside::new(&sandbox);
    for target in outside.targets() {
        for read_only in [false, true] {
            let console = sandbox.lower("dev/console");
            clear(&console);
            symlink(target.join("console"), &console).expect("link");
            let mut spec = spec(&sandbox, "true");
            spec.root.as_mut().expect("a root").readonly = read_only;
            // Refused or made inside: both will do.
            let _ = run(&sandbox, spec);
            outside.assert_untouched();
        }
    }
}

fn race() {
    let sandbox = Sandbox::new();
    let outside = Outside::new(&sandbox);
    let (console, other) = (sandbox.lower("dev/console"), sandbox.lower("dev/other"));
    let mut made = 0;
    for round in 0..ROUNDS {
        clear(&console);
        clear(&other);
        fs::write(&console, "").expect("file");
        let target = if round % 2 == 0 {
            "../etc/passwd".into()
        } else {
            outside.directory.join("console")
        };
        symlink(target, &other).expect("link");
        let swapper = Swapper::new(&console, &other);
        let result = run(&sandbox, spec(&sandbox, "stat -c %F /etc/passwd"));
        drop(swapper);
        if let Ok(text) = result {
            assert_eq!(text, "regular file\n");
            made += 1;
        }
        outside.assert_untouched();
    }
    assert!(made > 0, "no container was ever made");
}

/// The directory of terminals is the image's, and its terminal is a link.
fn fake_terminals() {
    let sandbox = Sandbox::new();
    let pts = sandbox.lower("dev/pts");
    fs::create_dir_all(&pts).expect("directory");
    for name in ["ptmx", "0", "1"] {
        symlink("/proc/sys/kernel/core_pattern", pts.join(name)).expect("link");
    }
    let error = match run(&sandbox, without_dev(&sandbox, "cat /dev/console")) {
        Ok(text) => panic!("runs: {text}"),
        Err(error) => error.to_string(),
    };
    assert!(error.contains("/dev/pts"), "{error}");
    assert!(!sandbox.has_cgroups());
}
