//! Links of an image or a volume in place of what is mounted on or masked.

use std::fs;
use std::os::unix::fs::symlink;

use tare_oci::runtime::Mount;

use super::{Outside, ROUNDS, clear, run_shared, without_dev};
use crate::background::Swapper;
use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(super) const TESTS: &[Test] = &[
    (
        "cve_mounts::null_is_exchanged_while_paths_are_masked_cve_2025_31133",
        null_race,
    ),
    (
        "cve_mounts::a_linked_dev_reaches_nothing_outside_cve_2026_41579_cve_2026_47766",
        linked_dev,
    ),
    (
        "cve_mounts::dev_is_exchanged_while_it_is_filled_cve_2026_41579",
        dev_race,
    ),
    (
        "cve_mounts::a_destination_is_exchanged_cve_2021_30465",
        destination_race,
    ),
    (
        "cve_mounts::a_copied_directory_leads_outside_cve_2022_23648",
        copied_link,
    ),
    (
        "cve_mounts::a_copied_directory_is_exchanged_cve_2022_23648",
        copy_race,
    ),
];

/// What would cover a masked file is looked up in the image: the image's
/// "null" is the kernel's core pattern, which then can be written.
fn null_race() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.lower("secret"), "hidden").expect("file");
    let mut spec = without_dev(
        &sandbox,
        "stat -c %t:%T /secret; cat /secret; echo x > /secret",
    );
    let linux = spec.linux.as_mut().expect("linux");
    linux.masked_paths = (0..20)
        .map(|_| "/secret".to_owned())
        .chain(["/proc/kcore".to_owned()])
        .collect();
    let pattern = || fs::read("/proc/sys/kernel/core_pattern").expect("pattern");
    let before = pattern();
    let (null, other) = (sandbox.lower("dev/null"), sandbox.lower("dev/other"));
    let mut made = 0;
    for _ in 0..ROUNDS {
        clear(&null);
        clear(&other);
        fs::write(&null, "").expect("file");
        symlink("/proc/sys/kernel/core_pattern", &other).expect("link");
        let swapper = Swapper::new(&null, &other);
        let result = run_shared(&sandbox, &spec);
        drop(swapper);
        if let Ok(outcome) = result {
            assert_eq!(outcome.output, "1:3");
            made += 1;
        }
        assert_eq!(pattern(), before, "written through the mask");
    }
    assert!(made > 0, "no container was ever made");
}

/// Files of /dev are removed and made by paths that begin at the image's
/// /dev: `ptmx` of any directory of the host is replaced.
fn linked_dev() {
    for with_mounts in [true, false] {
        for index in 0..2 {
            let sandbox = Sandbox::new();
            let outside = Outside::new(&sandbox);
            clear(&sandbox.lower("dev"));
            symlink(&outside.targets()[index], sandbox.lower("dev")).expect("link");
            let script = "stat -c %t:%T /dev/null; readlink /dev/ptmx";
            let spec = if with_mounts {
                sandbox.spec(&["sh", "-c", script])
            } else {
                without_dev(&sandbox, script)
            };
            let outcome = run_shared(&sandbox, &spec).expect("stays inside");
            assert_eq!(outcome.output, "1:3\npts/ptmx");
            outside.assert_untouched();
        }
    }
}

fn dev_race() {
    let sandbox = Sandbox::new();
    let outside = Outside::new(&sandbox);
    let mut made = 0;
    for round in 0..ROUNDS {
        let (dev, other) = (sandbox.lower("dev"), sandbox.lower("other"));
        clear(&dev);
        clear(&other);
        fs::create_dir(&dev).expect("directory");
        symlink(&outside.targets()[round % 2], &other).expect("link");
        let spec = if round % 4 < 2 {
            sandbox.spec(&["true"])
        } else {
            without_dev(&sandbox, "true")
        };
        let swapper = Swapper::new(&dev, &other);
        made += usize::from(run_shared(&sandbox, &spec).is_ok());
        drop(swapper);
        outside.assert_untouched();
    }
    assert!(made > 0, "no container was ever made");
}

fn mount(kind: &str, source: &str, destination: &str, options: &[&str]) -> Mount {
    Mount {
        destination: destination.to_owned(),
        kind: Some(kind.to_owned()),
        source: Some(source.to_owned()),
        options: options.iter().map(|&option| option.to_owned()).collect(),
        ..Mount::default()
    }
}

/// The destination is checked, becomes a link, and is mounted on: with the
/// directories that are made for a mount below it, on the host.
fn destination_race() {
    let sandbox = Sandbox::new();
    let outside = Outside::new(&sandbox);
    let volume = sandbox.directory.join("volume");
    fs::create_dir_all(&volume).expect("directory");
    fs::write(volume.join("file"), "content").expect("file");
    let source = volume.display().to_string();
    let mut spec = sandbox.spec(&["cat", "/proc/self/mountinfo"]);
    for index in 0..10 {
        let bound = format!("/shared/x/bound{index}/deep");
        let filled = format!("/shared/x/filled{index}");
        spec.mounts.push(mount("bind", &source, &bound, &["bind"]));
        spec.mounts.push(mount("tmpfs", "tmpfs", &filled, &[]));
    }
    let (place, other) = (sandbox.lower("shared/x"), sandbox.lower("shared/y"));
    let mut made = 0;
    // On a busy machine no container may come through in the first rounds.
    for round in 0..10 * ROUNDS {
        if round >= ROUNDS && made > 0 {
            break;
        }
        clear(&sandbox.lower("shared"));
        fs::create_dir_all(&place).expect("directory");
        symlink(&outside.targets()[round % 2], &other).expect("link");
        let swapper = Swapper::new(&place, &other);
        let result = run_shared(&sandbox, &spec);
        drop(swapper);
        if let Ok(outcome) = result {
            // All that was asked for is somewhere inside.
            assert_eq!(outcome.output.matches("/bound").count(), 10);
            assert_eq!(outcome.output.matches("/filled").count(), 10);
            made += 1;
        }
        outside.assert_untouched();
    }
    assert!(made > 0, "no container was ever made");
}

/// The image's content of a volume is copied: the image says it is the host's.
fn copied_link() {
    for index in 0..2 {
        let sandbox = Sandbox::new();
        let outside = Outside::new(&sandbox);
        symlink(&outside.targets()[index], sandbox.lower("data")).expect("link");
        fs::create_dir(sandbox.lower("tree")).expect("directory");
        symlink(&outside.targets()[index], sandbox.lower("tree/link")).expect("link");
        let mut spec = sandbox.spec(&[
            "sh",
            "-c",
            "ls /data /tree/link/ 2>/dev/null; cat /data/secret /tree/link/secret 2>/dev/null; echo end",
        ]);
        for destination in ["/data", "/tree", "/data/../../../tree"] {
            spec.mounts
                .push(mount("tmpfs", "tmpfs", destination, &["tmpcopyup"]));
        }
        let outcome = run_shared(&sandbox, &spec).expect("stays inside");
        assert!(!outcome.output.contains("hidden"), "{outcome:?}");
        assert!(!outcome.output.contains("secret"), "{outcome:?}");
        outside.assert_untouched();
    }
}

/// What is copied becomes a link, or a FIFO that would be waited for.
fn copy_race() {
    let sandbox = Sandbox::new();
    let outside = Outside::new(&sandbox);
    let tree = sandbox.lower("tree");
    let script = "for f in /tree/*/secret /tree/file /tree/target
        do test -f $f && test ! -L $f && cat $f; done; true";
    let mut spec = sandbox.spec(&["sh", "-c", script]);
    spec.mounts
        .push(mount("tmpfs", "tmpfs", "/tree", &["tmpcopyup"]));
    let secret = outside.directory.join("secret");
    let mut made = 0;
    for round in 0..ROUNDS {
        clear(&tree);
        fs::create_dir_all(tree.join("one")).expect("directory");
        fs::write(tree.join("file"), "plain").expect("file");
        let swapper = match round % 3 {
            0 => {
                symlink(&outside.directory, tree.join("two")).expect("link");
                Swapper::new(&tree.join("one"), &tree.join("two"))
            }
            1 => {
                symlink(&secret, tree.join("target")).expect("link");
                Swapper::new(&tree.join("file"), &tree.join("target"))
            }
            _ => {
                rustix::fs::mknodat(
                    rustix::fs::CWD,
                    tree.join("pipe"),
                    rustix::fs::FileType::Fifo,
                    rustix::fs::Mode::RUSR,
                    0,
                )
                .expect("a FIFO");
                Swapper::new(&tree.join("file"), &tree.join("pipe"))
            }
        };
        let result = run_shared(&sandbox, &spec);
        drop(swapper);
        if let Ok(outcome) = result {
            assert!(!outcome.output.contains("hidden"), "{outcome:?}");
            made += 1;
        }
        outside.assert_untouched();
    }
    assert!(made > 0, "no container was ever made");
}
